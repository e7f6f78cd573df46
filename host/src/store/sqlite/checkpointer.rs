//! The checkpointing thread, which works beside the writer so that no commit waits for a
//! checkpoint.
//!
//! The thread checkpoints most of the log without blocking readers or the writer. The few pages
//! that are committed meanwhile are checkpointed by the writer itself, between two batches, and the
//! log restarts.
//!
//! The thread also makes the database file whole after an idle period, and it tells the writer
//! which commits must renew the mark (`file_match.rs`).

use super::{
    checkpoint,
    connection::{self, failed},
    mark::{self, FileState},
};
use crate::model::StoreFailure;
use rusqlite::Connection;
use std::{
    path::Path,
    sync::{
        Arc, Condvar, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    thread::JoinHandle,
    time::Duration,
};

/// The growth of the log, in pages, after which it is checkpointed: 64 MiB. A page that changes
/// often is copied once for many commits.
const WAL_PAGES_PER_CHECKPOINT: i32 = 16 * 1024;

/// The length of the log, in pages, from which on the writer waits for a checkpoint: 512 MiB. The
/// wait bounds the disk space of the log.
const WAL_PAGES_MAX: i32 = 128 * 1024;

/// The interval at which the thread looks for new commits. After one to two intervals without a
/// commit it makes the database file whole.
pub(super) const IDLE: Duration = Duration::from_secs(3);

/// The pause between two attempts to replace a mark that says "whole" while a reader prevents it.
const REPLACE_MARK_PAUSE: Duration = Duration::from_millis(50);

/// The handle of the checkpointing thread. Dropping it ends the thread.
pub(super) struct Checkpointer {
    state: Arc<CheckpointState>,
    thread: Option<JoinHandle<()>>,
}

/// The state that the thread and the writer share.
struct CheckpointState {
    tasks: Mutex<Tasks>,
    changed: Condvar,
    /// The thread has checkpointed most of the log; the writer must checkpoint the rest.
    caught_up: AtomicBool,
    /// The log has reached [`WAL_PAGES_MAX`].
    full: AtomicBool,
    /// A checkpoint is under way, so the log may restart with the next commit.
    running: AtomicBool,
    /// A checkpoint has ended since the mark was last renewed, so the log may restart with the next
    /// commit.
    checkpointed: AtomicBool,
    /// The mark in the database file may say that the file is whole.
    marked_whole: AtomicBool,
    /// The thread must replace that mark after the next commit.
    replace_mark: AtomicBool,
    /// The number of commits of the writer.
    commits: AtomicU64,
}

/// The tasks that wait for the thread.
#[derive(Default)]
struct Tasks {
    checkpoint: bool,
    /// Replace the mark that says that the database file is whole.
    replace_mark: bool,
    /// End the thread.
    end: bool,
}

/// The reason why the thread wakes.
enum Wake {
    Checkpoint,
    ReplaceMark,
    /// No task came within the pause.
    Idle,
    End,
}

impl CheckpointState {
    /// The state before the first look at the log. `marked_whole` is whether the mark in the
    /// database file may say that the file is whole.
    fn new(marked_whole: bool) -> Self {
        Self {
            tasks: Mutex::default(),
            changed: Condvar::new(),
            caught_up: AtomicBool::new(false),
            full: AtomicBool::new(false),
            running: AtomicBool::new(false),
            checkpointed: AtomicBool::new(true),
            marked_whole: AtomicBool::new(marked_whole),
            replace_mark: AtomicBool::new(false),
            commits: AtomicU64::new(0),
        }
    }

    fn tasks(&self) -> MutexGuard<'_, Tasks> {
        self.tasks.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn assign(&self, task: impl FnOnce(&mut Tasks)) {
        task(&mut self.tasks());
        self.changed.notify_one();
    }

    /// Waits for a task, at most for `pause`.
    fn wait(&self, pause: Duration) -> Wake {
        let waiting = |tasks: &mut Tasks| !(tasks.end || tasks.replace_mark || tasks.checkpoint);
        let waited = self.changed.wait_timeout_while(self.tasks(), pause, waiting);
        let (mut tasks, _) = waited.unwrap_or_else(PoisonError::into_inner);
        if tasks.end {
            Wake::End
        } else if std::mem::take(&mut tasks.replace_mark) {
            Wake::ReplaceMark
        } else if std::mem::take(&mut tasks.checkpoint) {
            Wake::Checkpoint
        } else {
            Wake::Idle
        }
    }

    fn commits(&self) -> u64 {
        self.commits.load(Ordering::Acquire)
    }

    /// Does work that may checkpoint the whole log.
    fn checkpointing<T>(&self, work: impl FnOnce() -> T) -> T {
        self.running.store(true, Ordering::SeqCst);
        let done = work();
        // In this order: a writer that sees no running checkpoint sees that one has ended.
        self.checkpointed.store(true, Ordering::SeqCst);
        self.running.store(false, Ordering::SeqCst);
        done
    }
}

impl Checkpointer {
    /// Starts the thread. `idle` is the interval at which it looks for new commits; `marked_whole`
    /// is whether the mark in the database file may say that the file is whole.
    pub(super) fn start(
        file: &Path,
        idle: Duration,
        marked_whole: bool,
    ) -> Result<Self, StoreFailure> {
        let doing = "starting the checkpointing thread";
        let connection = connection::writable(file).map_err(failed(doing))?;
        // A checkpoint that would have to wait for the writer or a reader is tried again later.
        connection.busy_timeout(Duration::ZERO).map_err(failed(doing))?;
        let state = Arc::new(CheckpointState::new(marked_whole));
        let thread = std::thread::Builder::new()
            .name("checkpoint".into())
            .spawn({
                let state = Arc::clone(&state);
                move || run(connection, &state, idle)
            })
            .map_err(|error| StoreFailure::new(doing, error))?;
        Ok(Self { state, thread: Some(thread) })
    }

    /// Registers a hook on the writer's connection that watches the growth of the log. The hook
    /// replaces SQLite's automatic checkpoints: SQLite would report a failed checkpoint as the
    /// failure of a commit that is in fact durable.
    pub(super) fn watch(&self, writer: &mut Connection) -> rusqlite::Result<()> {
        let state = Arc::clone(&self.state);
        let mut due_at = WAL_PAGES_PER_CHECKPOINT;
        let mut before = 0;
        writer.wal_hook(Some(move |_: &mut rusqlite::hooks::Wal, pages: i32| {
            state.commits.fetch_add(1, Ordering::AcqRel);
            if pages < before {
                due_at = WAL_PAGES_PER_CHECKPOINT;
            }
            before = pages;
            if pages >= due_at {
                due_at = pages.saturating_add(WAL_PAGES_PER_CHECKPOINT);
                state.assign(|tasks| tasks.checkpoint = true);
            }
            if state.replace_mark.load(Ordering::Relaxed) {
                state.replace_mark.store(false, Ordering::Relaxed);
                state.assign(|tasks| tasks.replace_mark = true);
            }
            if pages >= WAL_PAGES_MAX {
                state.full.store(true, Ordering::Relaxed);
            }
            Ok(())
        }))
    }

    /// Between two batches: checkpoints the rest of the log, so that the next commit restarts it,
    /// if the thread has checkpointed most of it or the log has reached its bound.
    pub(super) fn restart_log(&self, writer: &Connection) {
        let full = self.state.full.swap(false, Ordering::Relaxed);
        if full || self.state.caught_up.swap(false, Ordering::Acquire) {
            // The writer waits for the thread and for long reads only when the log is full.
            if full {
                checkpoint::wait_and_restart_log(writer);
            } else {
                checkpoint::checkpoint_some(writer);
            }
            self.state.checkpointed.store(true, Ordering::SeqCst);
        }
    }

    /// At the end of each transaction of the writer: renews the mark if the log may restart with
    /// this transaction.
    pub(super) fn renew_mark(&self, writer: &Connection) -> rusqlite::Result<()> {
        let running = self.state.running.load(Ordering::SeqCst);
        if !self.state.checkpointed.swap(false, Ordering::SeqCst) && !running {
            return Ok(());
        }
        if self.state.marked_whole.swap(false, Ordering::SeqCst) {
            self.state.replace_mark.store(true, Ordering::Relaxed);
        }
        mark::renew(writer, FileState::NeedsLog)
    }

    /// Notes that the transaction was not committed: the next one must renew the mark.
    pub(super) fn rolled_back(&self) {
        self.state.checkpointed.store(true, Ordering::SeqCst);
    }
}

impl Drop for Checkpointer {
    fn drop(&mut self) {
        self.state.assign(|tasks| tasks.end = true);
        if let Some(thread) = self.thread.take()
            && thread.join().is_err()
        {
            tracing::error!("the checkpointing thread panicked");
        }
    }
}

fn run(mut connection: Connection, state: &CheckpointState, idle: Duration) {
    // The number of commits at the last wake, and at the time when the file was last made whole.
    let (mut seen, mut whole_at) = (0, None);
    // The pause before the next attempt to replace the mark; `None` where it need not be replaced.
    let mut replace_mark_in = None;
    let mut reported = false;
    // Logs the first failure of a series, so that a full disk does not fill the log.
    let mut report = |failed: Option<rusqlite::Error>, what: &str| {
        if let Some(error) = &failed
            && !reported
        {
            tracing::warn!(%error, "{what}");
        }
        reported = failed.is_some();
    };
    loop {
        match state.wait(replace_mark_in.unwrap_or(idle)) {
            Wake::End => return,
            Wake::Checkpoint => {
                if state.checkpointing(|| checkpoint::checkpoint_some(&connection)) {
                    state.caught_up.store(true, Ordering::Release);
                }
            }
            wake if replace_mark_in.is_some() || matches!(wake, Wake::ReplaceMark) => {
                let replaced = state.checkpointing(|| replace_mark(&mut connection));
                replace_mark_in = match replaced {
                    Ok(true) => None,
                    Ok(false) => Some(REPLACE_MARK_PAUSE.min(idle)),
                    Err(_) => Some(idle),
                };
                report(replaced.err(), "the mark of the database file could not be replaced");
            }
            Wake::ReplaceMark | Wake::Idle if state.commits() != seen => {}
            Wake::ReplaceMark | Wake::Idle if whole_at == Some(seen) => {}
            Wake::ReplaceMark | Wake::Idle => {
                let whole = make_whole(&mut connection, state, seen);
                if matches!(whole, Ok(true)) {
                    whole_at = Some(seen);
                }
                report(whole.err(), "the database file could not be made whole when idle");
            }
        }
        seen = state.commits();
    }
}

/// After a commit whose mark says that the database file needs its log: checkpoints that mark, and
/// restarts the log unless another connection uses it. Returns false where the mark could not be
/// checkpointed.
fn replace_mark(connection: &mut Connection) -> rusqlite::Result<bool> {
    if !checkpoint::checkpoint_all(connection)? {
        return Ok(false);
    }
    // The mark is replaced, whether the log restarts or not.
    checkpoint::restart_log(connection)?;
    Ok(true)
}

/// Makes the database file whole. Returns false where the number of commits is not `commits` any
/// more, or where a reader or a writer prevents it.
fn make_whole(
    connection: &mut Connection,
    state: &CheckpointState,
    commits: u64,
) -> rusqlite::Result<bool> {
    state.checkpointing(|| {
        checkpoint::mark_whole(connection, || {
            let quiet = state.commits() == commits;
            if quiet {
                state.marked_whole.store(true, Ordering::SeqCst);
            }
            quiet
        })
    })
}

#[cfg(test)]
mod tests {
    use super::{
        super::{SqliteStore, mark::Mark},
        *,
    };

    const FILL: &str = "CREATE TABLE t (id INTEGER PRIMARY KEY, bytes BLOB);
         INSERT INTO t SELECT value, zeroblob(4000) FROM (WITH RECURSIVE n(value) AS
         (SELECT 0 UNION ALL SELECT value + 1 FROM n WHERE value < 2047) SELECT value FROM n)";

    /// Changes about two thousand pages.
    const REWRITE: &str = "UPDATE t SET bytes = randomblob(4000)";

    fn rewrite(writer: &Connection, times: usize) {
        for _ in 0..times {
            writer.execute(REWRITE, []).unwrap();
        }
    }

    fn pages_in_log(writer: &Connection) -> i32 {
        writer.query_row("PRAGMA wal_checkpoint", [], |row| row.get(1)).unwrap()
    }

    #[test]
    fn a_log_that_has_grown_is_checkpointed_and_restarts() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("test.db");
        let mut writer = connection::writable(&file).unwrap();
        writer.pragma_update(None, "journal_mode", "WAL").unwrap();
        writer.execute_batch(FILL).unwrap();
        let checkpointer = Checkpointer::start(&file, IDLE, false).unwrap();
        checkpointer.watch(&mut writer).unwrap();

        rewrite(&writer, 5);
        assert!(!checkpointer.state.caught_up.load(Ordering::Relaxed), "the log is still short");
        rewrite(&writer, 5);
        while !checkpointer.state.caught_up.load(Ordering::Relaxed) {
            std::thread::yield_now();
        }
        rewrite(&writer, 1);
        checkpointer.restart_log(&writer);
        rewrite(&writer, 1);
        assert!(pages_in_log(&writer) < WAL_PAGES_PER_CHECKPOINT / 2);
    }

    fn eventually(what: &str, condition: impl Fn() -> bool) {
        let until = std::time::Instant::now() + Duration::from_secs(30);
        while !condition() {
            assert!(std::time::Instant::now() < until, "{what}");
            std::thread::yield_now();
        }
    }

    /// Whether the mark in the database file, read without the log, says that the file is whole.
    fn is_whole(file: &Path) -> bool {
        let address = format!("file:{}?immutable=1", file.display());
        Mark::find(&Connection::open(address).unwrap()).unwrap().unwrap().1.whole
    }

    #[test]
    fn a_false_mark_is_replaced_once_no_reader_prevents_it() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("inventory.db");
        drop(SqliteStore::open(&file).unwrap());
        assert!(is_whole(&file));
        let mut writer = connection::writable(&file).unwrap();
        let never = Duration::from_secs(1_000_000);
        let checkpointer = Checkpointer::start(&file, never, true).unwrap();
        checkpointer.watch(&mut writer).unwrap();
        let mut reader = connection::readable(&file).unwrap();
        let snapshot = reader.transaction().unwrap();
        snapshot.query_row("SELECT count(*) FROM event", [], |_| Ok(())).unwrap();

        let transaction = writer.transaction().unwrap();
        checkpointer.renew_mark(&transaction).unwrap();
        transaction.commit().unwrap();
        eventually("the mark is tried to be replaced", || {
            checkpointer.state.checkpointed.load(Ordering::SeqCst)
        });
        assert!(is_whole(&file), "the reader prevents it");
        drop(snapshot);
        eventually("the mark is replaced at a later attempt", || !is_whole(&file));
    }

    #[test]
    fn the_thread_ends_when_its_handle_is_dropped() {
        let folder = tempfile::tempdir().unwrap();
        drop(Checkpointer::start(&folder.path().join("test.db"), IDLE, false).unwrap());
    }
}
