//! Files that do not match are refused, and no byte of them changes. Files that match are served,
//! however the process that wrote them has ended.

use super::*;
use crate::{
    model::Installed,
    store::{Batch, BatchKeys, Lane, Store, sqlite::SqliteLane, sqlite::SqliteStore},
};
use std::{collections::BTreeMap, fs, time::Duration};
use tempfile::TempDir;

/// A folder with a database. Dropping the lane without closing it leaves the files as a killed
/// process does.
struct DatabaseFolder {
    folder: TempDir,
    lane: Option<SqliteLane>,
}

type Files = BTreeMap<String, Vec<u8>>;

impl DatabaseFolder {
    fn new() -> Self {
        Self { folder: tempfile::tempdir().unwrap(), lane: None }
    }

    fn with(files: &Files) -> Self {
        let place = Self::new();
        place.put(files);
        place
    }

    fn file(&self) -> PathBuf {
        self.folder.path().join("inventory.db")
    }

    fn log(&self) -> PathBuf {
        beside(&self.file(), "-wal")
    }

    fn try_open(&mut self) -> Result<(), OpenError> {
        self.lane = None;
        self.lane = Some(SqliteStore::open(&self.file())?.lane().unwrap());
        Ok(())
    }

    fn open(&mut self) {
        self.try_open().unwrap();
    }

    /// Makes a commit from which [`DatabaseFolder::latest`] reads the number back.
    fn commit(&mut self, number: u8) {
        let lane = self.lane.as_mut().unwrap();
        lane.begin_batch(&BatchKeys::NONE).unwrap();
        let now = u64::from(number);
        let installed = Some(Installed::first(crate::model::Digest([number; 32])));
        lane.commit(Batch { installed, ..Batch::empty(now) }).unwrap();
    }

    /// The number of the latest commit in the database.
    fn latest(&mut self) -> u8 {
        let installed = self.lane.as_mut().unwrap().installed().unwrap();
        installed.map_or(0, |installed| installed.current.0[0])
    }

    fn close(&mut self) {
        self.lane.take().unwrap().close().unwrap();
    }

    /// All files but the lock file, which has no content.
    fn files(&self) -> Files {
        let entries = fs::read_dir(self.folder.path()).unwrap().map(Result::unwrap);
        let named = entries.map(|it| (it.file_name().into_string().unwrap(), it.path()));
        named
            .filter(|(name, _)| !name.ends_with(".lock"))
            .map(|(name, path)| (name, fs::read(path).unwrap()))
            .collect()
    }

    fn put(&self, files: &Files) {
        for (name, bytes) in files {
            fs::write(self.folder.path().join(name), bytes).unwrap();
        }
    }

    /// Expects a refusal whose message contains `why` and names both files, and that changes
    /// nothing.
    fn refuses(&mut self, why: &str) {
        let before = self.files();
        let error = self.try_open().expect_err("the files are refused").to_string();
        assert!(error.contains(why), "{why:?} in {error}");
        assert!(error.contains("inventory.db and the log"), "{error}");
        assert!(error.contains("inventory.db-wal"), "{error}");
        assert!(error.contains("Nothing was changed"), "{error}");
        assert!(self.files() == before, "something was changed");
    }

    /// Expects the database to open with this commit as the latest.
    fn serves(&mut self, number: u8) {
        self.open();
        assert_eq!(self.latest(), number);
    }
}

fn only_the_database(files: &Files) -> Files {
    Files::from([("inventory.db".to_owned(), files["inventory.db"].clone())])
}

/// The files after a kill, with commits 1 to 3. The mark in the database file says that it needs
/// its log.
fn killed() -> Files {
    let mut place = DatabaseFolder::new();
    place.open();
    place.commit(1);
    wait_for_log(&place);
    place.commit(2);
    place.commit(3);
    let files = place.files();
    assert!(files["inventory.db-wal"].len() > 32);
    files
}

/// Waits until the mark in the database file says that it needs its log, and the log has restarted
/// since.
fn wait_for_log(place: &DatabaseFolder) {
    eventually("the file needs its log", || {
        let page = read_database(&place.file()).unwrap().unwrap().mark.unwrap().0;
        let first = read_log(&place.log(), Some(page)).unwrap().first;
        first.is_some_and(|first| first.previous == own_mark(place).base && !own_mark(place).whole)
    });
}

/// Waits until the database file has a mark other than `before` that says that it is whole.
fn wait_until_whole(place: &DatabaseFolder, before: Mark) -> Mark {
    eventually("the file is made whole", || {
        let now = own_mark(place);
        now.whole && now.base != before.base
    });
    own_mark(place)
}

/// The mark in the database file, read without the log.
fn own_mark(place: &DatabaseFolder) -> Mark {
    read_database(&place.file()).unwrap().unwrap().mark.unwrap().1
}

fn eventually(what: &str, condition: impl Fn() -> bool) {
    let until = std::time::Instant::now() + Duration::from_secs(30);
    while !condition() {
        assert!(std::time::Instant::now() < until, "{what}");
        std::thread::yield_now();
    }
}

#[test]
fn a_killed_process_and_a_copied_folder_are_served() {
    let files = killed();
    let mut place = DatabaseFolder::with(&files);
    place.serves(3);
    place.commit(4);
    place.serves(4);
}

#[test]
fn after_a_clean_stop_the_database_file_alone_is_served() {
    let mut place = DatabaseFolder::new();
    place.open();
    (1..=3).for_each(|number| place.commit(number));
    place.close();
    DatabaseFolder::with(&only_the_database(&place.files())).serves(3);
    place.serves(3);
}

#[test]
fn after_a_start_without_a_lane_the_database_file_alone_is_served() {
    let mut place = DatabaseFolder::new();
    place.open();
    place.commit(1);
    place.close();
    drop(SqliteStore::open(&place.file()).unwrap());
    DatabaseFolder::with(&only_the_database(&place.files())).serves(1);
}

#[test]
fn a_database_without_its_log_is_refused() {
    let files = killed();
    DatabaseFolder::with(&only_the_database(&files)).refuses("is missing or empty");
    let mut place = DatabaseFolder::with(&files);
    fs::write(place.log(), "").unwrap();
    place.refuses("is missing or empty");
    place.put(&files);
    place.serves(3);
}

#[test]
fn a_log_with_a_damaged_header_or_frame_is_refused() {
    let files = killed();
    for at in [0, 4, 8, 12, 16, 20, 24, 31] {
        let mut place = DatabaseFolder::with(&files);
        flip(&place, at);
        place.refuses("whose header is damaged");
    }
    // Offsets in the first frame of the restarted log.
    for at in [32, 40, 48, 56, 2_000] {
        let mut place = DatabaseFolder::with(&files);
        flip(&place, at);
        place.refuses("the log is damaged: its frame 1");
    }
}

fn flip(place: &DatabaseFolder, at: usize) {
    let mut bytes = fs::read(place.log()).unwrap();
    bytes[at] ^= 0x10;
    fs::write(place.log(), bytes).unwrap();
}

#[test]
fn an_older_backup_beside_a_newer_log_is_refused() {
    let mut place = DatabaseFolder::new();
    place.open();
    place.commit(1);
    place.close();
    let backup = only_the_database(&place.files());
    place.open();
    place.commit(2);
    wait_for_log(&place);
    place.lane = None;
    place.put(&backup);
    place.refuses("another state of this database");
    fs::remove_file(place.log()).unwrap();
    place.serves(1);
}

#[test]
fn a_backup_of_an_idle_period_beside_a_newer_log_is_refused() {
    let mut place = DatabaseFolder::new();
    let store = SqliteStore::open(&place.file()).unwrap();
    place.lane = Some(store.lane_with_idle(Duration::from_millis(10)).unwrap());
    let new = own_mark(&place);
    place.commit(1);
    let backed_up = wait_until_whole(&place, new);
    let backup = only_the_database(&place.files());
    place.commit(2);
    wait_until_whole(&place, backed_up);
    place.commit(3);
    place.lane = None;
    drop(store);
    place.put(&backup);
    place.refuses("another state of this database");
}

#[test]
fn a_newer_database_beside_an_older_log_is_refused() {
    let old = killed();
    let mut place = DatabaseFolder::with(&old);
    place.serves(3);
    place.commit(4);
    place.close();
    place.put(&Files::from([("inventory.db-wal".to_owned(), old["inventory.db-wal"].clone())]));
    place.refuses("another state of this database");
}

#[test]
fn the_log_of_another_database_is_refused() {
    let (mut one, other) = (DatabaseFolder::with(&killed()), killed());
    let log = Files::from([("inventory.db-wal".to_owned(), other["inventory.db-wal"].clone())]);
    one.put(&log);
    one.refuses("another database");
    // Also where the database file is whole.
    let mut one = DatabaseFolder::with(&killed());
    one.serves(3);
    one.close();
    one.put(&log);
    one.refuses("another database");
}

#[test]
fn a_log_without_its_database_is_refused() {
    let files = killed();
    let mut place = DatabaseFolder::with(&files);
    fs::remove_file(place.file()).unwrap();
    place.refuses("the database file is missing or empty");
    fs::write(place.file(), "").unwrap();
    place.refuses("the database file is missing or empty");
}

#[test]
fn a_log_that_another_program_began_is_refused() {
    let mut place = DatabaseFolder::new();
    place.open();
    place.close();
    let connection = Connection::open(place.file()).unwrap();
    connection.execute("CREATE TABLE theirs (x)", []).unwrap();
    let files = place.files();
    drop(connection);
    DatabaseFolder::with(&files).refuses("was not begun by Holdfast");
}

#[test]
fn a_rollback_journal_beside_a_database_is_refused() {
    let mut place = DatabaseFolder::new();
    place.open();
    place.close();
    fs::write(beside(&place.file(), "-journal"), [0xd9, 0xd5]).unwrap();
    let before = place.files();
    let error = place.try_open().unwrap_err().to_string();
    assert!(error.contains("a rollback journal"), "{error}");
    assert!(place.files() == before);
}

#[test]
fn a_file_that_is_no_database_keeps_every_byte() {
    let mut place = DatabaseFolder::new();
    fs::write(place.file(), "not a database, but long enough to look at ".repeat(40)).unwrap();
    let files = place.files();
    assert!(matches!(place.try_open(), Err(OpenError::Foreign { .. })));
    assert!(place.files() == files);
}

#[test]
fn a_database_of_another_program_keeps_its_log_and_every_byte() {
    let mut place = DatabaseFolder::new();
    let theirs = Connection::open(place.file()).unwrap();
    theirs.pragma_update(None, "journal_mode", "WAL").unwrap();
    theirs.execute_batch("CREATE TABLE theirs (x); INSERT INTO theirs VALUES (1)").unwrap();
    let files = place.files();
    drop(theirs);
    place.put(&files);
    assert!(matches!(
        place.try_open(),
        Err(OpenError::Foreign { .. } | OpenError::Mismatch { .. })
    ));
    assert!(place.files() == files);
}

#[test]
fn a_newer_database_keeps_every_byte() {
    let mut place = DatabaseFolder::new();
    place.open();
    place.commit(1);
    place.close();
    let newer = Connection::open(place.file()).unwrap();
    newer.pragma_update(None, "user_version", LATEST_VERSION + 1).unwrap();
    let files = place.files();
    drop(newer);
    place.put(&files);
    assert!(matches!(place.try_open(), Err(OpenError::Newer { .. })));
    assert!(place.files() == files);
}

#[test]
fn a_draft_that_an_earlier_start_left_behind_is_replaced() {
    let mut place = DatabaseFolder::new();
    for ending in [".new", ".new-wal", ".new-journal"] {
        fs::write(beside(&place.file(), ending), "half of it").unwrap();
    }
    fs::write(place.file(), "").unwrap();
    place.serves(0);
    assert!(!beside(&place.file(), ".new").exists());
}

#[path = "file_match_crash_tests.rs"]
mod crashes;
