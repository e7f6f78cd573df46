//! Moves the write-ahead log into the database beside the writer, so that no commit waits
//! for it.
//!
//! The thread here does the bulk without stopping anybody. What was committed meanwhile is
//! little: the writer moves that itself, between two batches, and the log begins anew.

use super::connection::{self, failed};
use crate::model::StoreFailure;
use rusqlite::Connection;
use std::{
    path::Path,
    sync::{
        Arc, Condvar, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    thread::JoinHandle,
};

/// The log is moved each time it has grown by so many pages, 64 MiB: a page that changes
/// often is moved once for many commits.
const WAL_PAGES_PER_CHECKPOINT: i32 = 16 * 1024;

/// Beyond this, 512 MiB, the writer waits until the log is moved: disk space has a bound.
const WAL_PAGES_MAX: i32 = 128 * 1024;

const MOVE: &str = "PRAGMA wal_checkpoint(PASSIVE)";

/// The thread, for as long as this value lives.
pub(super) struct Checkpointer {
    shared: Arc<Shared>,
    thread: Option<JoinHandle<()>>,
}

#[derive(Default)]
struct Shared {
    task: Mutex<Task>,
    changed: Condvar,
    /// The bulk is moved: the writer's turn.
    caught_up: AtomicBool,
    /// The log has reached its bound.
    full: AtomicBool,
}

/// What the thread is to do next.
#[derive(Clone, Copy, PartialEq, Eq, Default)]
enum Task {
    #[default]
    Nothing,
    Checkpoint,
    End,
}

impl Shared {
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

    /// Waits for something to do; false where that is to end.
    fn wait(&self) -> bool {
        let idle = |task: &mut Task| *task == Task::Nothing;
        let task = self.changed.wait_while(self.task(), idle);
        let mut task = task.unwrap_or_else(PoisonError::into_inner);
        if *task == Task::Checkpoint {
            *task = Task::Nothing;
            return true;
        }
        false
    }
}

impl Checkpointer {
    pub(super) fn start(file: &Path) -> Result<Self, StoreFailure> {
        let doing = "starting the checkpointing thread";
        let connection = connection::writable(file).map_err(failed(doing))?;
        let shared = Arc::new(Shared::default());
        let thread = std::thread::Builder::new()
            .name("checkpoint".into())
            .spawn({
                let shared = Arc::clone(&shared);
                move || run(&connection, &shared)
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
            if pages < before {
                due_at = WAL_PAGES_PER_CHECKPOINT;
            }
            before = pages;
            if pages >= due_at {
                due_at = pages.saturating_add(WAL_PAGES_PER_CHECKPOINT);
                shared.give(Task::Checkpoint);
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
        }
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

fn run(connection: &Connection, shared: &Shared) {
    while shared.wait() {
        if report(connection, MOVE) {
            shared.caught_up.store(true, Ordering::Release);
        }
    }
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
        let checkpointer = Checkpointer::start(&file).unwrap();
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
        drop(Checkpointer::start(&folder.path().join("test.db")).unwrap());
    }
}
