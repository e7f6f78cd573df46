//! The integrity check: reads the whole database once after the start, on a thread of low priority.
//!
//! `PRAGMA quick_check` reads every page of every table. The pragma finds malformed pages (wrong
//! type, free space or order; pages used twice or not at all), rows that cannot be read, and values
//! that break a NOT NULL or a CHECK. The pragma finds neither a value that was changed into another
//! valid one, nor an index that lacks a row: SQLite's pages have no checksums.
//!
//! The check holds a snapshot pin while it runs, and the write-ahead log cannot restart meanwhile.
//! Therefore the check gives up when the log grows too far, and tries again later.

use super::{connection, file_match::beside};
use crate::model::{Integrity, StoreFailure};
use rusqlite::{Connection, ErrorCode};
use std::{
    path::Path,
    sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError},
    thread::JoinHandle,
    time::{Duration, Instant},
};

/// The niceness of the thread: threads that serve requests run first.
const NICENESS: i32 = 15;

/// The steps of SQLite's virtual machine between two calls of the progress handler.
const STEPS: i32 = 256;

/// The check works for [`WORK`] and then rests for [`REST`], by turns, so that it uses at most half
/// of a core and half of the disk's throughput.
const WORK: Duration = Duration::from_millis(5);
const REST: Duration = Duration::from_millis(5);

/// The growth of the write-ahead log at which the check gives up, in bytes, and the pause before
/// the next attempt.
const LOG_GROWTH_BYTES_MAX: u64 = 128 * 1024 * 1024;
const ATTEMPT_PAUSE: Duration = Duration::from_secs(600);

/// The most findings of a check. SQLite's own bound is 100.
const FINDINGS_MAX: usize = 5;

/// The result of the check so far, shared by the check and the store.
#[derive(Clone, Default)]
pub(super) struct SharedIntegrity(Arc<Mutex<Integrity>>);

impl SharedIntegrity {
    fn lock(&self) -> MutexGuard<'_, Integrity> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn get(&self) -> Integrity {
        self.lock().clone()
    }
}

/// The handle of the checking thread. Dropping it stops the check at once.
pub struct IntegrityCheck {
    stop: Arc<StopSignal>,
    thread: Option<JoinHandle<()>>,
}

#[derive(Default)]
struct StopSignal {
    stopped: Mutex<bool>,
    changed: Condvar,
}

impl StopSignal {
    /// Waits for `pause`, or until the check is stopped. Returns whether it is stopped.
    fn wait(&self, pause: Duration) -> bool {
        let stopped = self.stopped.lock().unwrap_or_else(PoisonError::into_inner);
        let waited = self.changed.wait_timeout_while(stopped, pause, |stopped| !*stopped);
        *waited.unwrap_or_else(PoisonError::into_inner).0
    }
}

impl Drop for IntegrityCheck {
    fn drop(&mut self) {
        *self.stop.stopped.lock().unwrap_or_else(PoisonError::into_inner) = true;
        self.stop.changed.notify_all();
        if let Some(thread) = self.thread.take()
            && thread.join().is_err()
        {
            tracing::error!("the thread that checks the database panicked");
        }
    }
}

/// The pace of the check: the number of steps between two calls of the progress handler, and the
/// times of work and rest.
#[derive(Clone, Copy)]
struct Pace {
    steps: i32,
    work: Duration,
    rest: Duration,
}

impl IntegrityCheck {
    pub(super) fn start(file: &Path, integrity: SharedIntegrity) -> Result<Self, StoreFailure> {
        Self::start_at(file, integrity, Pace { steps: STEPS, work: WORK, rest: REST })
    }

    fn start_at(file: &Path, integrity: SharedIntegrity, pace: Pace) -> Result<Self, StoreFailure> {
        let doing = "starting the check of the database";
        let mut connection = connection::readable(file).map_err(connection::failed(doing))?;
        let (stop, log) = (Arc::new(StopSignal::default()), beside(file, "-wal"));
        let thread = std::thread::Builder::new()
            .name("check".into())
            .spawn({
                let stop = Arc::clone(&stop);
                move || run(&mut connection, &log, pace, &stop, &integrity)
            })
            .map_err(|error| StoreFailure::new(doing, error))?;
        Ok(Self { stop, thread: Some(thread) })
    }
}

fn run(
    connection: &mut Connection,
    log: &Path,
    pace: Pace,
    stop: &Arc<StopSignal>,
    integrity: &SharedIntegrity,
) {
    if let Err(error) = rustix::process::setpriority_process(None, NICENESS) {
        tracing::debug!(%error, "the integrity check runs with the priority of the server");
    }
    let begun = Instant::now();
    loop {
        match attempt(connection, log, pace, stop) {
            Ok(findings) if findings.is_empty() => {
                let seconds = begun.elapsed().as_secs_f64();
                tracing::info!(seconds, "the database was checked: its structure is sound");
                *integrity.lock() = Integrity::Sound;
                return;
            }
            Ok(findings) => {
                let first = findings.join("; ");
                tracing::error!(
                    findings = first,
                    "the database is damaged: stop the server, restore a backup or try \
                     'sqlite3 FILE .recover'; what is not damaged is served meanwhile"
                );
                *integrity.lock() = Integrity::Damaged(findings);
                return;
            }
            Err(error) if error.sqlite_error_code() == Some(ErrorCode::OperationInterrupted) => {}
            Err(error) => tracing::warn!(%error, "the database could not be checked"),
        }
        if stop.wait(Duration::ZERO) {
            return;
        }
        tracing::warn!(
            minutes = ATTEMPT_PAUSE.as_secs() / 60,
            "the integrity check of the database was not completed; the next attempt follows"
        );
        if stop.wait(ATTEMPT_PAUSE) {
            return;
        }
    }
}

/// Checks the database once. Returns the findings; the list is empty where the structure is sound.
///
/// # Errors
/// SQLite fails, or the check was interrupted: it was stopped, or the log grew too far.
fn attempt(
    connection: &mut Connection,
    log: &Path,
    pace: Pace,
    stop: &Arc<StopSignal>,
) -> rusqlite::Result<Vec<String>> {
    let log_bytes = {
        let log = log.to_owned();
        move || std::fs::metadata(&log).map_or(0, |found| found.len())
    };
    let bytes_max = log_bytes().saturating_add(LOG_GROWTH_BYTES_MAX);
    let (mut since, stop) = (Instant::now(), Arc::clone(stop));
    let look_up = move || {
        if since.elapsed() < pace.work {
            return false;
        }
        let give_up = stop.wait(pace.rest) || log_bytes() > bytes_max;
        since = Instant::now();
        give_up
    };
    connection.progress_handler(pace.steps, Some(look_up))?;
    let read =
        connection.prepare(&format!("PRAGMA quick_check({FINDINGS_MAX})")).and_then(|mut check| {
            check.query_map([], |row| row.get(0))?.collect::<rusqlite::Result<_>>()
        });
    connection.progress_handler(0, None::<fn() -> bool>)?;
    let findings: Vec<String> = match read {
        Ok(findings) => findings,
        // Damage that prevents the check itself is a finding too.
        Err(error) => match error.sqlite_error_code() {
            Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase) => vec![error.to_string()],
            _ => return Err(error),
        },
    };
    Ok(if findings == ["ok"] { Vec::new() } else { findings })
}

#[cfg(test)]
mod tests {
    use super::{super::SqliteStore, *};
    use crate::store::Store;

    fn store() -> (tempfile::TempDir, SqliteStore) {
        let folder = tempfile::tempdir().unwrap();
        let store = SqliteStore::open(&folder.path().join("inventory.db")).unwrap();
        (folder, store)
    }

    fn ended(store: &SqliteStore) -> Integrity {
        while store.integrity() == Integrity::Unchecked {
            std::thread::yield_now();
        }
        store.integrity()
    }

    #[test]
    fn a_sound_database_is_said_to_be_sound() {
        let (_folder, store) = store();
        let _check = store.check().unwrap();
        assert_eq!(ended(&store), Integrity::Sound);
    }

    #[test]
    fn a_damaged_page_is_found() {
        let (folder, store) = store();
        drop(store);
        let file = folder.path().join("inventory.db");
        let mut bytes = std::fs::read(&file).unwrap();
        // Makes the leaf of an empty table claim that it has 200 rows.
        let leaf = bytes.chunks_mut(4_096).skip(1).find(|it| it[0] == 13 && it[3..5] == [0, 0]);
        leaf.unwrap()[4] = 200;
        std::fs::write(&file, bytes).unwrap();
        let store = SqliteStore::open(&file).unwrap();
        let _check = store.check().unwrap();
        assert!(matches!(ended(&store), Integrity::Damaged(findings) if !findings.is_empty()));
    }

    #[test]
    fn a_stop_does_not_wait_for_the_check() {
        let (_folder, store) = store();
        let never = Duration::from_secs(1_000_000);
        let pace = Pace { steps: 1, work: Duration::ZERO, rest: never };
        let check =
            IntegrityCheck::start_at(&store.database.file, SharedIntegrity::default(), pace)
                .unwrap();
        drop(check);
    }
}
