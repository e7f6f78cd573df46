//! The thread that checkpoints beside the writer, so that no commit waits for it.
//!
//! The thread moves most of the log without stopping anybody. What was committed meanwhile is
//! little: the writer moves that itself, between two batches, and the log begins anew.
//!
//! The thread also makes the database file whole when nothing was committed for a while, and it
//! tells the writer which commits must renew the mark (`file_match.rs`).

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

/// The log is moved each time it has grown by so many pages, 64 MiB: a page that changes
/// often is moved once for many commits.
const WAL_PAGES_PER_CHECKPOINT: i32 = 16 * 1024;

/// Beyond this, 512 MiB, the writer waits until the log is moved: disk space has a bound.
const WAL_PAGES_MAX: i32 = 128 * 1024;

/// How often the thread looks whether anything was committed. The database file is made whole
/// after one to two such intervals without a commit, so that it needs no log.
pub(super) const IDLE: Duration = Duration::from_secs(3);

/// How long the thread waits before it tries again to replace a mark that says "whole", while a
/// reader is in the way.
const REPLACE_MARK_PAUSE: Duration = Duration::from_millis(50);

/// The thread, for as long as this value lives.
pub(super) struct Checkpointer {
    shared: Arc<Shared>,
    thread: Option<JoinHandle<()>>,
}

struct Shared {
    tasks: Mutex<Tasks>,
    changed: Condvar,
    /// The thread has moved most of the log; the writer moves the rest.
    caught_up: AtomicBool,
    /// The log has reached its bound.
    full: AtomicBool,
    /// A checkpoint is under way, so that the log may begin anew with the next commit.
    running: AtomicBool,
    /// A checkpoint has ended since the mark was last renewed, so that the log may begin anew with
    /// the next commit.
    checkpointed: AtomicBool,
    /// The mark in the database file may say that the file is whole.
    whole: AtomicBool,
    /// The next commit lets the thread replace that mark.
    replace_mark: AtomicBool,
    /// Commits of the writer.
    commits: AtomicU64,
}

/// What the thread is to do next.
#[derive(Default)]
struct Tasks {
    checkpoint: bool,
    /// To replace the mark that says that the database file is whole.
    replace_mark: bool,
    end: bool,
}

/// Why the thread wakes.
enum Wake {
    Checkpoint,
    ReplaceMark,
    /// Nothing was to be done for as long as the thread waited.
    Idle,
    End,
}

impl Shared {
    /// The state of a log of which nothing is known yet. `whole`: whether the mark in the database
    /// file may say that the file is whole.
    fn new(whole: bool) -> Self {
        Self {
            tasks: Mutex::default(),
            changed: Condvar::new(),
            caught_up: AtomicBool::new(false),
            full: AtomicBool::new(false),
            running: AtomicBool::new(false),
            checkpointed: AtomicBool::new(true),
            whole: AtomicBool::new(whole),
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

    /// Waits for something to do, but not longer than this.
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

    /// Does something that may move the whole log.
    fn checkpointing<T>(&self, work: impl FnOnce() -> T) -> T {
        self.running.store(true, Ordering::SeqCst);
        let done = work();
        // In this order: whoever sees that nothing is running sees that something was moved.
        self.checkpointed.store(true, Ordering::SeqCst);
        self.running.store(false, Ordering::SeqCst);
        done
    }
}

impl Checkpointer {
    /// `whole`: whether the mark in the database file may say that the file is whole.
    pub(super) fn start(file: &Path, idle: Duration, whole: bool) -> Result<Self, StoreFailure> {
        let doing = "starting the checkpointing thread";
        let connection = connection::writable(file).map_err(failed(doing))?;
        // What would have to wait for the writer or a reader can be done later.
        connection.busy_timeout(Duration::ZERO).map_err(failed(doing))?;
        let shared = Arc::new(Shared::new(whole));
        let thread = std::thread::Builder::new()
            .name("checkpoint".into())
            .spawn({
                let shared = Arc::clone(&shared);
                move || run(connection, &shared, idle)
            })
            .map_err(|error| StoreFailure::new(doing, error))?;
        Ok(Self { shared, thread: Some(thread) })
    }

    /// Watches how the writer's log grows. It replaces SQLite's own checkpoints, whose
    /// failure would be reported as that of a commit which is in fact durable.
    pub(super) fn watch(&self, writer: &mut Connection) -> rusqlite::Result<()> {
        let shared = Arc::clone(&self.shared);
        let mut due_at = WAL_PAGES_PER_CHECKPOINT;
        let mut before = 0;
        writer.wal_hook(Some(move |_: &mut rusqlite::hooks::Wal, pages: i32| {
            shared.commits.fetch_add(1, Ordering::AcqRel);
            if pages < before {
                due_at = WAL_PAGES_PER_CHECKPOINT;
            }
            before = pages;
            if pages >= due_at {
                due_at = pages.saturating_add(WAL_PAGES_PER_CHECKPOINT);
                shared.assign(|tasks| tasks.checkpoint = true);
            }
            if shared.replace_mark.load(Ordering::Relaxed) {
                shared.replace_mark.store(false, Ordering::Relaxed);
                shared.assign(|tasks| tasks.replace_mark = true);
            }
            if pages >= WAL_PAGES_MAX {
                shared.full.store(true, Ordering::Relaxed);
            }
            Ok(())
        }))
    }

    /// Between two batches: lets the log begin anew where little is missing to that, or where
    /// it must not grow any further.
    pub(super) fn restart_log(&self, writer: &Connection) {
        let full = self.shared.full.swap(false, Ordering::Relaxed);
        if full || self.shared.caught_up.swap(false, Ordering::Acquire) {
            // Only a log that is full is worth waiting for the thread or a long read.
            if full {
                checkpoint::wait_and_restart_log(writer);
            } else {
                checkpoint::checkpoint_some(writer);
            }
            self.shared.checkpointed.store(true, Ordering::SeqCst);
        }
    }

    /// Within each transaction of the writer, at its end: renews the mark where the log may begin
    /// anew with it.
    pub(super) fn renew_mark(&self, writer: &Connection) -> rusqlite::Result<()> {
        let running = self.shared.running.load(Ordering::SeqCst);
        if !self.shared.checkpointed.swap(false, Ordering::SeqCst) && !running {
            return Ok(());
        }
        if self.shared.whole.swap(false, Ordering::SeqCst) {
            self.shared.replace_mark.store(true, Ordering::Relaxed);
        }
        mark::renew(writer, FileState::NeedsLog)
    }

    /// The transaction was not committed.
    pub(super) fn rolled_back(&self) {
        self.shared.checkpointed.store(true, Ordering::SeqCst);
    }
}

impl Drop for Checkpointer {
    fn drop(&mut self) {
        self.shared.assign(|tasks| tasks.end = true);
        if let Some(thread) = self.thread.take()
            && thread.join().is_err()
        {
            tracing::error!("the checkpointing thread panicked");
        }
    }
}

fn run(mut connection: Connection, shared: &Shared, idle: Duration) {
    let (mut seen, mut settled) = (0, None);
    // How long to wait until the mark is to be replaced; none where it need not be.
    let mut replace_mark_in = None;
    let mut reported = false;
    // Says that something has failed, but not again and again while a disk is full.
    let mut report = |failed: Option<rusqlite::Error>, what: &str| {
        if let Some(error) = &failed
            && !reported
        {
            tracing::warn!(%error, "{what}");
        }
        reported = failed.is_some();
    };
    loop {
        match shared.wait(replace_mark_in.unwrap_or(idle)) {
            Wake::End => return,
            Wake::Checkpoint => {
                if shared.checkpointing(|| checkpoint::checkpoint_some(&connection)) {
                    shared.caught_up.store(true, Ordering::Release);
                }
            }
            wake if replace_mark_in.is_some() || matches!(wake, Wake::ReplaceMark) => {
                let replaced = shared.checkpointing(|| replace_mark(&mut connection));
                replace_mark_in = match replaced {
                    Ok(true) => None,
                    Ok(false) => Some(REPLACE_MARK_PAUSE.min(idle)),
                    Err(_) => Some(idle),
                };
                report(replaced.err(), "the mark of the database file could not be replaced");
            }
            Wake::ReplaceMark | Wake::Idle if shared.commits() != seen => {}
            Wake::ReplaceMark | Wake::Idle if settled == Some(seen) => {}
            Wake::ReplaceMark | Wake::Idle => {
                let whole = make_whole(&mut connection, shared, seen);
                if matches!(whole, Ok(true)) {
                    settled = Some(seen);
                }
                report(whole.err(), "the database file could not be made whole when idle");
            }
        }
        seen = shared.commits();
    }
}

/// Behind a commit that says that the database file needs its log: moves that mark into the file,
/// and lets a new log begin where nobody is in the way of that. Returns false where the mark could
/// not be moved.
fn replace_mark(connection: &mut Connection) -> rusqlite::Result<bool> {
    if !checkpoint::checkpoint_all(connection)? {
        return Ok(false);
    }
    // The mark is replaced, whether a new log begins or not.
    checkpoint::restart_log(connection)?;
    Ok(true)
}

/// Returns false where anything but this number of commits was made, or somebody reads.
fn make_whole(
    connection: &mut Connection,
    shared: &Shared,
    commits: u64,
) -> rusqlite::Result<bool> {
    shared.checkpointing(|| {
        checkpoint::mark_whole(connection, || {
            let quiet = shared.commits() == commits;
            if quiet {
                shared.whole.store(true, Ordering::SeqCst);
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

    /// Two thousand pages.
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
    fn a_log_that_has_grown_begins_anew() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("test.db");
        let mut writer = connection::writable(&file).unwrap();
        writer.pragma_update(None, "journal_mode", "WAL").unwrap();
        writer.execute_batch(FILL).unwrap();
        let checkpointer = Checkpointer::start(&file, IDLE, false).unwrap();
        checkpointer.watch(&mut writer).unwrap();

        rewrite(&writer, 5);
        assert!(!checkpointer.shared.caught_up.load(Ordering::Relaxed), "not for so little");
        rewrite(&writer, 5);
        while !checkpointer.shared.caught_up.load(Ordering::Relaxed) {
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

    /// Whether the database file says by itself that it is whole.
    fn is_whole(file: &Path) -> bool {
        let address = format!("file:{}?immutable=1", file.display());
        Mark::find(&Connection::open(address).unwrap()).unwrap().unwrap().1.whole
    }

    #[test]
    fn a_mark_that_promises_too_much_is_replaced_once_no_reader_is_in_the_way() {
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
        eventually("it is tried", || checkpointer.shared.checkpointed.load(Ordering::SeqCst));
        assert!(is_whole(&file), "the reader was in the way");
        drop(snapshot);
        eventually("it is tried again", || !is_whole(&file));
    }

    #[test]
    fn it_ends_when_it_is_told_to() {
        let folder = tempfile::tempdir().unwrap();
        drop(Checkpointer::start(&folder.path().join("test.db"), IDLE, false).unwrap());
    }
}
