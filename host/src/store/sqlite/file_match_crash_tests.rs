//! Files are served whenever the process that wrote them was killed, and the database file says
//! that it is whole only where it is.

use super::{
    super::super::{checkpoint, connection, migrations},
    *,
};
use std::sync::{
    Arc, Mutex,
    atomic::{AtomicU8, Ordering},
};

impl Place {
    /// Opens the database, which is made whole after so long without a commit.
    fn open_idling(&mut self, idle: Duration) {
        self.lane = None;
        let store = SqliteStore::open(&self.file()).unwrap();
        self.lane = Some(store.lane_with_idle(idle).unwrap());
    }

    fn database(&self) -> Vec<u8> {
        fs::read(self.file()).unwrap()
    }
}

/// A database of this schema version, with this much done to it behind its first checkpoint.
fn older(version: usize, then: &str) -> Files {
    let place = Place::new();
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
fn after_a_quiet_moment_the_database_file_alone_is_served() {
    let mut place = Place::new();
    place.open();
    place.commit(1);
    let store = {
        place.lane = None;
        SqliteStore::open(&place.file()).unwrap()
    };
    place.lane = Some(store.lane_with_idle(Duration::from_millis(10)).unwrap());
    let mut mark = alone(&place);
    for number in 2..=4 {
        place.commit(number);
        mark = made_whole(&place, mark);
        Place::with(&only_the_database(&place.files())).serves(number);
        Place::with(&place.files()).serves(number);
    }
}

/// Whenever the process is killed, what is there is served: the files as they are after every
/// single step of a checkpoint, and between a checkpoint and the commits around it.
#[test]
fn files_of_any_moment_belong_together() {
    let mut place = Place::new();
    let store = SqliteStore::open(&place.file()).unwrap();
    // Checkpoints all the time, in the midst of commits.
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
            // Only a copy between two changes is what a kill leaves behind.
            let (least, files) = (done.load(Ordering::SeqCst), read());
            if read() == files {
                let mut copy = Place::with(&files);
                copy.open();
                assert!(copy.latest() >= least);
                served += 1;
            }
        }
    });
    drop(store);
}

/// What the program before this one left behind, killed or not, is brought up to date; and so is
/// what this one leaves when it is killed while it does that.
#[test]
fn a_database_of_an_older_schema_is_brought_up_to_date_with_its_log() {
    let files = older(
        4,
        "PRAGMA wal_checkpoint;
         INSERT INTO component VALUES (1, randomblob(32));
         INSERT INTO installed VALUES (1, 1, NULL, 1, 0);",
    );
    let place = Place::with(&files);
    // As far as the schema, but no further.
    let mut connection = connection::writable(&place.file()).unwrap();
    migrations::apply(&mut connection, &place.file()).unwrap();
    let killed = place.files();
    drop(connection);
    for files in [files, killed] {
        let mut place = Place::with(&files);
        place.open();
        assert!(place.lane.as_mut().unwrap().installed().unwrap().is_some(), "it was in the log");
        place.commit(7);
        place.serves(7);
    }
}

#[test]
fn a_start_without_a_commit_is_followed_by_a_quiet_moment_too() {
    let mut place = Place::new();
    place.open();
    place.commit(1);
    place.close();
    let stopped = alone(&place);
    place.open_idling(Duration::from_millis(10));
    made_whole(&place, stopped);
    Place::with(&only_the_database(&place.files())).serves(1);
}

/// A kill within the checkpoint behind that commit leaves a file with the mark and a part of the
/// rest: so the rest must be there before.
#[test]
fn a_clean_stop_says_that_the_file_is_whole_only_once_it_is() {
    let place = Place::with(&killed());
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
    assert_eq!(moved.len(), 1, "only the mark is moved after it");
    let (_, (_, after)) = moved[0];
    assert!(Mark::in_page(after).unwrap().whole);
}

/// SQLite makes the first page before the log, and the programs before the mark moved nothing
/// for as long as the log was short.
#[test]
fn a_database_of_an_older_schema_that_is_all_in_its_log_is_served() {
    let files = older(5, "");
    assert_eq!(files["inventory.db"].len(), 4_096);
    let mut place = Place::with(&files);
    place.serves(0);
    place.commit(1);
    place.serves(1);
}

#[test]
fn a_log_with_a_mark_beside_a_first_page_is_refused() {
    let mut files = older(5, "");
    files.insert("inventory.db-wal".to_owned(), killed()["inventory.db-wal"].clone());
    Place::with(&files).refuses("the database file is missing or empty");
}

/// A kill within the checkpoint of a migration: the table of the mark is in the database file, and
/// its page is not yet.
#[test]
fn a_page_of_the_mark_that_was_not_moved_yet_does_not_keep_the_log_from_being_read() {
    let place = Place::with(&older(5, ""));
    let mut connection = connection::writable(&place.file()).unwrap();
    migrations::apply(&mut connection, &place.file()).unwrap();
    let mut files = place.files();
    drop(connection);
    let moved = Place::with(&files);
    let connection = Connection::open(moved.file()).unwrap();
    connection.query_row("PRAGMA wal_checkpoint", [], |_| Ok(())).unwrap();
    let (page, _) = Mark::find(&connection).unwrap().unwrap();
    let mut bytes = moved.database();
    let page = usize::try_from(page).unwrap();
    let empty_leaf = [13, 0, 0, 0, 0, 16, 0, 0];
    bytes[(page - 1) * 4_096..][..8].copy_from_slice(&empty_leaf);
    files.insert("inventory.db".to_owned(), bytes);
    let mut place = Place::with(&files);
    place.serves(0);
    place.commit(1);
    place.serves(1);
}

#[test]
fn a_copy_that_sqlite_made_of_a_stopped_database_is_served() {
    let mut place = Place::new();
    place.open();
    place.commit(1);
    place.close();
    let mut copy = Place::new();
    let sqlite = Connection::open(place.file()).unwrap();
    sqlite.execute("VACUUM INTO ?1", [copy.file().to_str()]).unwrap();
    copy.serves(1);
    copy.commit(2);
    copy.serves(2);
    drop(sqlite);
    place.serves(1);
}

/// A kill within the first write to a log that begins anew. A log of which anything is not moved
/// is needed, and so is one whose pages cannot be vouched for.
#[test]
fn a_damaged_head_of_a_log_that_was_moved_is_served() {
    let files = killed();
    let moved = Place::with(&files);
    let connection = connection::writable(&moved.file()).unwrap();
    assert!(checkpoint::checkpoint_all(&connection).unwrap());
    drop(connection);
    flip(&moved, 20);
    let files = moved.files();
    Place::with(&files).serves(3);
    for at in [32, 40, 48, 32 + 4_120, 32 + 4_120 + 8, 32 + 4_120 + 16] {
        let mut place = Place::with(&files);
        flip(&place, at);
        place.refuses("whose header is damaged");
    }
}
