//! Moves the write-ahead log into the database beside the writer, so that no commit waits
//! for it.
//!
//! The thread here does the bulk without stopping anybody. What was committed meanwhile is
//! little: the writer moves that itself, between two batches, and the log begins anew.
//!
//! The thread also makes the database file whole when nothing was committed for a while, and keeps
//! the promises of `belonging.rs` about the mark: it tells the writer which commits must renew it.

use super::{
    connection::{self, failed},
    mark::{self, Alone, Mark},
};
use crate::model::StoreFailure;
use rusqlite::{Connection, ErrorCode, Transaction, TransactionBehavior};
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

/// After so long without a commit the database file is made whole, so that it needs no log.
pub(super) const IDLE: Duration = Duration::from_secs(3);

const MOVE: &str = "PRAGMA wal_checkpoint(PASSIVE)";
const EMPTY: &str = "PRAGMA wal_checkpoint(TRUNCATE)";

/// Makes the database file whole and the log empty. Nobody else may write meanwhile.
///
/// # Errors
/// Where SQLite fails, or somebody reads. The log belongs to the database file all the same.
pub(super) fn settle(connection: &mut Connection) -> rusqlite::Result<()> {
    if Mark::find(connection)?.is_some() {
        let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        mark::renew(&transaction, Alone::Whole)?;
        transaction.commit()?;
    }
    match connection.query_row(EMPTY, [], |row| row.get(0))? {
        false => Ok(()),
        true => Err(busy("emptied")),
    }
}

/// Before a process serves: moves what the last one has left in the log, and a mark that says that
/// the database file may need a log from now on. Then a new log begins.
///
/// A process that was killed may have left commits in the log that are in the system's memory
/// only, and whose sync has failed: here they become durable, or the start is told of it, before
/// anything is built on them.
///
/// # Errors
/// Where SQLite fails. The log belongs to the database file all the same.
pub(super) fn begin(connection: &mut Connection) -> rusqlite::Result<()> {
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    mark::renew(&transaction, Alone::NeedsLog)?;
    transaction.commit()?;
    if begin_anew(connection)? { Ok(()) } else { Err(busy("moved")) }
}

fn busy(not_done: &str) -> rusqlite::Error {
    let cause = rusqlite::ffi::Error::new(rusqlite::ffi::SQLITE_BUSY);
    let message = format!("the write-ahead log is being read, so that it cannot be {not_done}");
    rusqlite::Error::SqliteFailure(cause, Some(message))
}

/// The thread, for as long as this value lives.
pub(super) struct Checkpointer {
    shared: Arc<Shared>,
    thread: Option<JoinHandle<()>>,
}

struct Shared {
    task: Mutex<Task>,
    changed: Condvar,
    /// The bulk is moved: the writer's turn.
    caught_up: AtomicBool,
    /// The log has reached its bound.
    full: AtomicBool,
    /// A checkpoint is under way; one has ended since the mark was last renewed. In both cases
    /// the log may begin anew with the next commit.
    running: AtomicBool,
    moved: AtomicBool,
    /// The mark in the database file may say that it is whole.
    whole: AtomicBool,
    /// It is to be replaced by one that does not, with the next commit.
    unsettle: AtomicBool,
    /// Commits of the writer.
    commits: AtomicU64,
}

/// What the thread is to do next.
#[derive(Clone, Copy, PartialEq, Eq, Default)]
enum Task {
    #[default]
    Nothing,
    Checkpoint,
    /// The first commit after a mark that says that the database file is whole.
    Unsettle,
    End,
}

/// Why the thread wakes.
enum Wake {
    Checkpoint,
    Unsettle,
    Idle,
    End,
}

impl Shared {
    /// Nothing is known of the log, and of the mark whether it may say that the file is whole.
    fn new(whole: bool) -> Self {
        Self {
            task: Mutex::default(),
            changed: Condvar::new(),
            caught_up: AtomicBool::new(false),
            full: AtomicBool::new(false),
            running: AtomicBool::new(false),
            moved: AtomicBool::new(true),
            whole: AtomicBool::new(whole),
            unsettle: AtomicBool::new(false),
            commits: AtomicU64::new(0),
        }
    }

    fn task(&self) -> MutexGuard<'_, Task> {
        self.task.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn give(&self, task: Task) {
        let mut current = self.task();
        if *current != Task::End {
            *current = task;
        }
        self.changed.notify_one();
    }

    /// Waits for something to do, but not longer than this.
    fn wait(&self, idle: Duration) -> Wake {
        let waiting = |task: &mut Task| *task == Task::Nothing;
        let waited = self.changed.wait_timeout_while(self.task(), idle, waiting);
        let (mut task, _) = waited.unwrap_or_else(PoisonError::into_inner);
        match *task {
            Task::End => Wake::End,
            Task::Nothing => Wake::Idle,
            Task::Checkpoint => {
                *task = Task::Nothing;
                Wake::Checkpoint
            }
            Task::Unsettle => {
                *task = Task::Nothing;
                Wake::Unsettle
            }
        }
    }

    fn commits(&self) -> u64 {
        self.commits.load(Ordering::Acquire)
    }

    /// Does something that may move the whole log.
    fn moving<T>(&self, work: impl FnOnce() -> T) -> T {
        self.running.store(true, Ordering::SeqCst);
        let done = work();
        // In this order: whoever sees that nothing is running sees that something was moved.
        self.moved.store(true, Ordering::SeqCst);
        self.running.store(false, Ordering::SeqCst);
        done
    }
}

impl Checkpointer {
    /// `whole`: whether the mark in the database file may say that it is.
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
                shared.give(Task::Checkpoint);
            }
            if shared.unsettle.load(Ordering::Relaxed) {
                shared.unsettle.store(false, Ordering::Relaxed);
                shared.give(Task::Unsettle);
            }
            if pages >= WAL_PAGES_MAX {
                shared.full.store(true, Ordering::Relaxed);
            }
            Ok(())
        }))
    }

    /// Between two batches: lets the log begin anew where little is missing to that, or where
    /// it must not grow any further.
    pub(super) fn finish(&self, writer: &Connection) {
        let full = self.shared.full.swap(false, Ordering::Relaxed);
        if full || self.shared.caught_up.swap(false, Ordering::Acquire) {
            // Waits for the thread or a long read only where the log is full.
            let statement = if full { "PRAGMA wal_checkpoint(RESTART)" } else { MOVE };
            report(writer, statement);
            self.shared.moved.store(true, Ordering::SeqCst);
        }
    }

    /// Within each transaction of the writer, at its end: renews the mark where the log may begin
    /// anew with it.
    pub(super) fn mark(&self, writer: &Connection) -> rusqlite::Result<()> {
        let running = self.shared.running.load(Ordering::SeqCst);
        if !self.shared.moved.swap(false, Ordering::SeqCst) && !running {
            return Ok(());
        }
        if self.shared.whole.swap(false, Ordering::SeqCst) {
            self.shared.unsettle.store(true, Ordering::Relaxed);
        }
        mark::renew(writer, Alone::NeedsLog)
    }

    /// The transaction was not committed.
    pub(super) fn unmark(&self) {
        self.shared.moved.store(true, Ordering::SeqCst);
    }
}

impl Drop for Checkpointer {
    fn drop(&mut self) {
        self.shared.give(Task::End);
        if let Some(thread) = self.thread.take()
            && thread.join().is_err()
        {
            tracing::error!("the checkpointing thread panicked");
        }
    }
}

fn run(mut connection: Connection, shared: &Shared, idle: Duration) {
    let (mut seen, mut settled) = (0, 0);
    loop {
        match shared.wait(idle) {
            Wake::End => return,
            Wake::Checkpoint => {
                if shared.moving(|| report(&connection, MOVE)) {
                    shared.caught_up.store(true, Ordering::Release);
                }
            }
            Wake::Unsettle => {
                if let Err(error) = shared.moving(|| begin_anew(&mut connection)) {
                    tracing::warn!(%error, "the write-ahead log could not begin anew");
                }
            }
            Wake::Idle if shared.commits() != seen => {}
            Wake::Idle if settled != seen => match make_whole(&mut connection, shared, seen) {
                Ok(true) => settled = seen,
                // The next time.
                Ok(false) => {}
                Err(error) => {
                    tracing::warn!(%error, "the database file could not be made whole when idle");
                }
            },
            Wake::Idle => {}
        }
        seen = shared.commits();
    }
}

/// Moves all of the log, which replaces the mark in the database file, and lets a new log begin:
/// one that a backup of the whole database file is not the beginning of. False where somebody else
/// writes, or reads what is to be moved.
fn begin_anew(connection: &mut Connection) -> rusqlite::Result<bool> {
    if !moved_all(connection)? {
        return Ok(false);
    }
    let Some(transaction) = begin_at_once(connection)? else { return Ok(false) };
    mark::renew(&transaction, Alone::NeedsLog)?;
    transaction.commit()?;
    Ok(true)
}

/// A transaction, unless somebody else writes.
fn begin_at_once(connection: &mut Connection) -> rusqlite::Result<Option<Transaction<'_>>> {
    match connection.transaction_with_behavior(TransactionBehavior::Immediate) {
        Ok(transaction) => Ok(Some(transaction)),
        Err(error) if error.sqlite_error_code() == Some(ErrorCode::DatabaseBusy) => Ok(None),
        Err(error) => Err(error),
    }
}

/// Moves all of the log, and then a mark that says so; false where somebody else has committed
/// since, or reads. The log stays as it is: only its next first commit overwrites it.
fn make_whole(
    connection: &mut Connection,
    shared: &Shared,
    commits: u64,
) -> rusqlite::Result<bool> {
    shared.moving(|| {
        if !moved_all(connection)? {
            return Ok(false);
        }
        let Some(transaction) = begin_at_once(connection)? else { return Ok(false) };
        if shared.commits() != commits {
            return Ok(false);
        }
        shared.whole.store(true, Ordering::SeqCst);
        mark::renew(&transaction, Alone::Whole)?;
        transaction.commit()?;
        moved_all(connection)
    })
}

fn moved_all(connection: &Connection) -> rusqlite::Result<bool> {
    connection.query_row(MOVE, [], |row| {
        let (busy, pages, moved): (bool, i64, i64) = (row.get(0)?, row.get(1)?, row.get(2)?);
        Ok(!busy && pages == moved)
    })
}

/// Whether it was done. A failure loses nothing: the log keeps what was not moved.
fn report(connection: &Connection, statement: &str) -> bool {
    match connection.prepare_cached(statement).and_then(|mut it| it.query_row([], |_| Ok(()))) {
        Ok(()) => true,
        Err(error) => {
            tracing::warn!(%error, "the write-ahead log could not be checkpointed");
            false
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

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
        writer.query_row(MOVE, [], |row| row.get(1)).unwrap()
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
        checkpointer.finish(&writer);
        rewrite(&writer, 1);
        assert!(pages_in_log(&writer) < WAL_PAGES_PER_CHECKPOINT / 2);
    }

    #[test]
    fn it_ends_when_it_is_told_to() {
        let folder = tempfile::tempdir().unwrap();
        drop(Checkpointer::start(&folder.path().join("test.db"), IDLE, false).unwrap());
    }
}
