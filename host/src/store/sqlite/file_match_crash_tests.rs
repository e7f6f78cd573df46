//! Files are served at whatever moment the process that wrote them was killed, and the mark says
//! that the database file is whole only where it is.

use super::{
    super::super::{checkpoint, connection, migrations},
    *,
};
use std::sync::{
    Arc, Mutex,
    atomic::{AtomicU8, Ordering},
};

impl DatabaseFolder {
    /// Opens the database with this interval at which the checkpointing thread looks for commits.
    fn open_with_idle(&mut self, idle: Duration) {
        self.lane = None;
        let store = SqliteStore::open(&self.file()).unwrap();
        self.lane = Some(store.lane_with_idle(idle).unwrap());
    }

    fn database(&self) -> Vec<u8> {
        fs::read(self.file()).unwrap()
    }
}

/// The files of a killed process with a database of an older schema version. `then` is executed
/// after the migrations.
fn older(version: usize, then: &str) -> Files {
    let place = DatabaseFolder::new();
    let older = Connection::open(place.file()).unwrap();
    older.pragma_update(None, "journal_mode", "WAL").unwrap();
    older.pragma_update(None, "wal_autocheckpoint", 0).unwrap();
    let migrations = [
        include_str!("migrations/0001_stock_and_event_log.sql"),
        include_str!("migrations/0002_reservations.sql"),
        include_str!("migrations/0003_lagging_rows.sql"),
        include_str!("migrations/0004_components_and_commands.sql"),
        include_str!("migrations/0005_due_holds.sql"),
    ];
    let schema = migrations[..version].concat();
    older
        .execute_batch(&format!(
            "BEGIN; {schema} PRAGMA user_version = {version}; \
             PRAGMA application_id = 1752132708; COMMIT; {then}"
        ))
        .unwrap();
    place.files()
}

#[test]
fn after_an_idle_period_the_database_file_alone_is_served() {
    let mut place = DatabaseFolder::new();
    place.open();
    place.commit(1);
    let store = {
        place.lane = None;
        SqliteStore::open(&place.file()).unwrap()
    };
    place.lane = Some(store.lane_with_idle(Duration::from_millis(10)).unwrap());
    let mut mark = own_mark(&place);
    for number in 2..=4 {
        place.commit(number);
        mark = wait_until_whole(&place, mark);
        DatabaseFolder::with(&only_the_database(&place.files())).serves(number);
        DatabaseFolder::with(&place.files()).serves(number);
    }
}

/// The files of a killed process are served: those after every single step of a checkpoint, and
/// those between a checkpoint and the commits around it.
#[test]
fn files_of_any_moment_match() {
    let mut place = DatabaseFolder::new();
    let store = SqliteStore::open(&place.file()).unwrap();
    // The interval makes the thread checkpoint all the time, also during commits.
    place.lane = Some(store.lane_with_idle(Duration::from_micros(200)).unwrap());
    let done = AtomicU8::new(0);
    let file = place.file();
    std::thread::scope(|scope| {
        let (done, place) = (&done, &mut place);
        scope.spawn(move || {
            for number in 1..=200 {
                place.commit(number);
                done.store(number, Ordering::SeqCst);
                if number.is_multiple_of(3) {
                    std::thread::sleep(Duration::from_micros(u64::from(number) * 20));
                }
            }
        });
        let read = || {
            let files = [file.clone(), beside(&file, "-wal")].into_iter();
            let named = files.filter_map(|file| {
                let name = file.file_name().unwrap().to_str().unwrap().to_owned();
                Some((name, fs::read(file).ok()?))
            });
            named.collect::<Files>()
        };
        let mut served = 0;
        while done.load(Ordering::SeqCst) < 200 || served == 0 {
            // A kill leaves the files as they are between two changes, so only an undisturbed copy
            // is tested.
            let (least, files) = (done.load(Ordering::SeqCst), read());
            if read() == files {
                let mut copy = DatabaseFolder::with(&files);
                copy.open();
                assert!(copy.latest() >= least);
                served += 1;
            }
        }
    });
    drop(store);
}

/// A database of an older schema is migrated also where its process was killed, and where the
/// process that migrated it was killed.
#[test]
fn a_database_of_an_older_schema_is_brought_up_to_date_with_its_log() {
    let files = older(
        4,
        "PRAGMA wal_checkpoint;
         INSERT INTO component VALUES (1, randomblob(32));
         INSERT INTO installed VALUES (1, 1, NULL, 1, 0);",
    );
    let place = DatabaseFolder::with(&files);
    // Migrates the schema and ends there, as if killed.
    let mut connection = connection::writable(&place.file()).unwrap();
    migrations::apply(&mut connection, &place.file()).unwrap();
    let killed = place.files();
    drop(connection);
    for files in [files, killed] {
        let mut place = DatabaseFolder::with(&files);
        place.open();
        assert!(place.lane.as_mut().unwrap().installed().unwrap().is_some(), "it was in the log");
        place.commit(7);
        place.serves(7);
    }
}

#[test]
fn an_idle_period_after_a_start_without_a_commit_makes_the_file_whole() {
    let mut place = DatabaseFolder::new();
    place.open();
    place.commit(1);
    place.close();
    let stopped = own_mark(&place);
    place.open_with_idle(Duration::from_millis(10));
    wait_until_whole(&place, stopped);
    DatabaseFolder::with(&only_the_database(&place.files())).serves(1);
}

/// A kill during the checkpoint that copies the mark can leave the mark without the other pages, so
/// the other pages must be in the file before.
#[test]
fn a_clean_stop_says_that_the_file_is_whole_only_once_it_is() {
    let place = DatabaseFolder::with(&killed());
    let mut connection = connection::writable(&place.file()).unwrap();
    let at_the_commit = Arc::new(Mutex::new(Vec::new()));
    let (file, seen) = (place.file(), Arc::clone(&at_the_commit));
    let look = move |_: &mut rusqlite::hooks::Wal, _| {
        *seen.lock().unwrap() = fs::read(&file).unwrap();
        Ok(())
    };
    connection.wal_hook(Some(look)).unwrap();
    checkpoint::truncate_log(&mut connection).unwrap();
    drop(connection);
    let (before, after) = (at_the_commit.lock().unwrap(), place.database());
    assert_eq!(before.len(), after.len());
    let pages = before.chunks(4_096).zip(after.chunks(4_096)).enumerate();
    let moved: Vec<_> = pages.filter(|(_, (before, after))| before != after).collect();
    assert_eq!(moved.len(), 1, "only the page of the mark is copied after the commit");
    let (_, (_, after)) = moved[0];
    assert!(Mark::in_page(after).unwrap().whole);
}

/// SQLite writes the first page of the database file before the log, and programs of a schema
/// without the mark checkpointed nothing while the log was short.
#[test]
fn a_database_of_an_older_schema_that_is_all_in_its_log_is_served() {
    let files = older(5, "");
    assert_eq!(files["inventory.db"].len(), 4_096);
    let mut place = DatabaseFolder::with(&files);
    place.serves(0);
    place.commit(1);
    place.serves(1);
}

#[test]
fn a_log_with_a_mark_beside_a_first_page_is_refused() {
    let mut files = older(5, "");
    files.insert("inventory.db-wal".to_owned(), killed()["inventory.db-wal"].clone());
    DatabaseFolder::with(&files).refuses("the database file is missing or empty");
}

/// A kill during the checkpoint of a migration: the database file has the table of the mark, and
/// not yet its page.
#[test]
fn the_log_is_read_although_the_page_of_the_mark_is_not_checkpointed() {
    let place = DatabaseFolder::with(&older(5, ""));
    let mut connection = connection::writable(&place.file()).unwrap();
    migrations::apply(&mut connection, &place.file()).unwrap();
    let mut files = place.files();
    drop(connection);
    let moved = DatabaseFolder::with(&files);
    let connection = Connection::open(moved.file()).unwrap();
    connection.query_row("PRAGMA wal_checkpoint", [], |_| Ok(())).unwrap();
    let (page, _) = Mark::find(&connection).unwrap().unwrap();
    let mut bytes = moved.database();
    let page = usize::try_from(page).unwrap();
    let empty_leaf = [13, 0, 0, 0, 0, 16, 0, 0];
    bytes[(page - 1) * 4_096..][..8].copy_from_slice(&empty_leaf);
    files.insert("inventory.db".to_owned(), bytes);
    let mut place = DatabaseFolder::with(&files);
    place.serves(0);
    place.commit(1);
    place.serves(1);
}

#[test]
fn a_copy_that_sqlite_made_of_a_stopped_database_is_served() {
    let mut place = DatabaseFolder::new();
    place.open();
    place.commit(1);
    place.close();
    let mut copy = DatabaseFolder::new();
    let sqlite = Connection::open(place.file()).unwrap();
    sqlite.execute("VACUUM INTO ?1", [copy.file().to_str()]).unwrap();
    copy.serves(1);
    copy.commit(2);
    copy.serves(2);
    drop(sqlite);
    place.serves(1);
}

/// A kill during the first write of a log that restarts. The log is still needed if it has a page
/// that was not checkpointed, or a page that cannot be verified.
#[test]
fn a_log_with_a_damaged_header_that_was_checkpointed_is_served() {
    let files = killed();
    let moved = DatabaseFolder::with(&files);
    let connection = connection::writable(&moved.file()).unwrap();
    assert!(checkpoint::checkpoint_all(&connection).unwrap());
    drop(connection);
    flip(&moved, 20);
    let files = moved.files();
    DatabaseFolder::with(&files).serves(3);
    for at in [32, 40, 48, 32 + 4_120, 32 + 4_120 + 8, 32 + 4_120 + 16] {
        let mut place = DatabaseFolder::with(&files);
        flip(&place, at);
        place.refuses("whose header is damaged");
    }
}
