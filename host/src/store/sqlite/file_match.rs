//! Checks that a database file and the write-ahead log beside it match, before either is opened for
//! writing.
//!
//! A database is two files: the database file, and its write-ahead log (`-wal`), which holds the
//! latest commits until a checkpoint copies them into the database file. SQLite accepts any log
//! that lies beside a database, and treats a log that is missing or has a damaged header as an
//! empty log. So SQLite alone would serve an older backup beside a newer log, or a database without
//! its log, as if nothing were wrong.
//!
//! **The mark.** The table `file_mark` has one row: the identity of the database; a random `base`,
//! replaced each time the log may restart; `previous`, the base before that; and `whole`, which
//! says that the database file is whole: it contains every commit and needs no log. SQLite
//! *restarts* a log by overwriting it from its beginning. The mark is an ordinary row that is
//! written within a commit that happens anyway, so it costs no sync of its own.
//!
//! **Invariants**, at whatever moment the process is killed:
//! 1. The first transaction of every log renews the mark, so the log's first mark names in
//!    `previous` the mark that the database file had when the log began. A log restarts only with
//!    the first commit after a complete checkpoint. The writer cannot see in advance which commit
//!    that is, so every commit during or after a checkpoint renews the mark (`checkpointer.rs`).
//! 2. Therefore the mark in the database file, read without the log, is either the `previous` of
//!    the log's first mark, or a mark in the log that a checkpoint has already copied.
//! 3. Where the mark in the database file says `whole`, no acknowledged commit is in the log alone,
//!    and a copy of the database file is a backup. A clean stop and an idle period leave such a
//!    mark; it is copied into the database file last, after every other page. The start replaces it
//!    before the server serves. After an idle period the checkpointing thread replaces it after the
//!    next commit (`checkpointer.rs`). While a reader has a snapshot pin from before that commit,
//!    the thread cannot replace the mark, and retries. Until it succeeds the mark is false: the
//!    database file lacks the commits since the idle period. The log restarts once no reader uses
//!    it. From then on the log does not match a copy of the database file from the idle period any
//!    more.
//! 4. A log is truncated (`TRUNCATE`) only after a mark that says `whole`, and only while nobody
//!    else writes. Closing a connection neither checkpoints nor removes the log.
//! 5. A new database is created whole under a temporary name and then renamed.
//!
//! **The checks** follow from the invariants. A log with another identity, or with marks that do
//! not match the database file's mark, belongs to other files. A log that is missing, or has a
//! damaged header, is needed unless the mark says `whole` or the database file has every page of
//! the log (`damaged_header.rs`). A damaged frame must not cut off committed transactions
//! (`wal.rs`).
//!
//! **Limits of the checks.** A copy that is byte for byte the database file for which the log was
//! made cannot be distinguished from that file. Damage within the last transaction of a log looks
//! like a commit that a power cut interrupted.

use super::{
    OpenError, damaged_header,
    mark::{MARKED_VERSION, Mark},
    migrations::{APPLICATION_ID, LATEST_VERSION},
    wal::{self, LogContent, Wal},
};
use rusqlite::{Connection, ErrorCode, OpenFlags};
use std::{
    fmt::Write as _,
    fs::File,
    io::{self, Read},
    path::{Path, PathBuf},
};

/// Offsets of the schema version (`user_version`) and the application id in the header of a
/// database file, in bytes. The header is at the beginning of page 1.
const VERSION_AT: usize = 60;
const APPLICATION_AT: usize = 68;

/// The result of [`examine`].
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Examined {
    /// There is no database, or an empty one.
    NoDatabase,
    /// There is a database of this program, with the log that belongs to it.
    Database,
}

/// The path of a file beside a database: the database's path with an ending, such as `-wal`.
pub(super) fn beside(file: &Path, ending: &str) -> PathBuf {
    let mut name = file.as_os_str().to_owned();
    name.push(ending);
    PathBuf::from(name)
}

/// The header and the mark of the database file, read without its log.
struct DatabaseFile {
    application: u32,
    version: u32,
    /// The number of tables, indexes, views and triggers.
    objects: u32,
    /// The mark and the number of its page; `None` in a database of a schema without the mark.
    mark: Option<(u32, Mark)>,
}

impl DatabaseFile {
    fn is_empty(&self) -> bool {
        (self.application, self.version, self.objects) == (0, 0, 0)
    }
}

/// The committed header and marks of the log.
struct LogFile {
    wal: Wal,
    /// The application id and the schema version in the latest committed header of the database.
    application_and_version: Option<(u32, u32)>,
    /// The mark that the first transaction wrote.
    first: Option<Mark>,
    /// All committed marks, `first` included.
    marks: Vec<Mark>,
}

/// Examines the files of a database and changes none of them.
///
/// # Errors
/// [`OpenError`]: the files cannot be read, are not of this program, or do not match.
pub(super) fn examine(file: &Path) -> Result<Examined, OpenError> {
    let unreadable = |cause| OpenError::Unreadable { file: file.to_owned(), cause };
    let (log, journal) = (beside(file, "-wal"), beside(file, "-journal"));
    let bytes = match std::fs::metadata(file) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => 0,
        found => found.map_err(unreadable)?.len(),
    };
    let database = if bytes == 0 { None } else { read_database(file)? };
    let mark = database.as_ref().and_then(|database| database.mark);
    let mut logged = read_log(&log, mark.map(|(page, _)| page)).map_err(unreadable)?;
    if matches!(logged.wal, Wal::HeaderDamaged { .. })
        && database.is_some()
        && damaged_header::is_checkpointed(file, &log).map_err(unreadable)?
    {
        logged.wal = Wal::Readable(LogContent::default());
    }
    let mismatch =
        |why: String| OpenError::Mismatch { file: file.to_owned(), log: log.clone(), why };
    // Programs of a schema without the mark wrote the first page of the database file, and
    // checkpointed nothing else while the log was short.
    let all_in_log = database.as_ref().is_some_and(DatabaseFile::is_empty)
        && logged.application_and_version.is_some_and(|(application, version)| {
            application == APPLICATION_ID && version < MARKED_VERSION
        });
    let empty = bytes == 0 || database.as_ref().is_some_and(DatabaseFile::is_empty);
    if empty && !all_in_log {
        return match logged.wal {
            Wal::Empty | Wal::Readable(LogContent { transactions: 0, cut_off: 0, .. }) => {
                Ok(Examined::NoDatabase)
            }
            _ => Err(mismatch(
                "the database file is missing or empty, but its log is not; put the database \
                 file back, or remove the log to begin with an empty database"
                    .to_owned(),
            )),
        };
    }
    if has_content(&journal).map_err(unreadable)? {
        return Err(OpenError::Mismatch {
            file: file.to_owned(),
            log: journal,
            why: "a rollback journal lies beside the database, which Holdfast never uses; remove \
                  it if it belongs to another file"
                .to_owned(),
        });
    }
    // After an interrupted checkpoint, the database file can be unreadable without its log. SQLite
    // then reads both.
    let Some(database) = database.filter(|_| !all_in_log) else {
        check_log(None, &logged).map_err(mismatch)?;
        return Ok(Examined::Database);
    };
    check_database(file, &database, logged.application_and_version)?;
    check_log(mark.map(|(_, mark)| mark), &logged).map_err(mismatch)?;
    Ok(Examined::Database)
}

/// Reads the database file without its log: `immutable` makes SQLite ignore the log, take no lock
/// and write nothing. Returns `None` where the file cannot be read without the log.
fn read_database(file: &Path) -> Result<Option<DatabaseFile>, OpenError> {
    let mut address = String::from("file:");
    for byte in file.as_os_str().as_encoded_bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'/' | b'.' | b'-' | b'_' => {
                address.push(char::from(*byte));
            }
            // Writing to a string does not fail.
            _ => drop(write!(address, "%{byte:02x}")),
        }
    }
    address.push_str("?immutable=1");
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY
        | OpenFlags::SQLITE_OPEN_URI
        | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let read = || {
        let connection = Connection::open_with_flags(&address, flags)?;
        connection.pragma_update(None, "trusted_schema", false)?;
        let pragma = |name| connection.pragma_query_value(None, name, |row| row.get(0));
        let (application, version) = (pragma("application_id")?, pragma("user_version")?);
        let count = "SELECT count(*) FROM sqlite_schema";
        let objects = connection.query_row(count, [], |row| row.get(0))?;
        let mark = if application == APPLICATION_ID { Mark::find(&connection)? } else { None };
        Ok(DatabaseFile { application, version, objects, mark })
    };
    match read() {
        Ok(database) => Ok(Some(database)),
        Err(cause) => match rusqlite::Error::sqlite_error_code(&cause) {
            Some(ErrorCode::NotADatabase) => {
                Err(OpenError::Foreign { file: file.to_owned(), reason: cause.to_string() })
            }
            // An error without a code: the row of the mark is missing or not valid.
            Some(ErrorCode::DatabaseCorrupt) | None => Ok(None),
            _ => Err(OpenError::Sqlite { file: file.to_owned(), cause }),
        },
    }
}

/// Checks that the file is a Holdfast database of a schema version that this program knows.
/// `logged` is the application id and the schema version in the log.
fn check_database(
    file: &Path,
    database: &DatabaseFile,
    logged: Option<(u32, u32)>,
) -> Result<(), OpenError> {
    if database.application != APPLICATION_ID {
        let DatabaseFile { application, objects, .. } = database;
        return Err(OpenError::Foreign {
            file: file.to_owned(),
            reason: format!(
                "it is an SQLite database of another program, with {objects} tables and indexes \
                 and application id {application:#x}"
            ),
        });
    }
    let found = logged.map_or(database.version, |(_, version)| version).max(database.version);
    if found > LATEST_VERSION {
        return Err(OpenError::Newer { file: file.to_owned(), found, known: LATEST_VERSION });
    }
    Ok(())
}

/// Checks that the log belongs to the database file with this mark.
///
/// # Errors
/// The mismatch, and how to repair it.
fn check_log(mark: Option<Mark>, logged: &LogFile) -> Result<(), String> {
    let needed = mark.is_none_or(|mark| !mark.whole);
    match logged.wal {
        // A database of an older schema does not say whether it needs a log.
        Wal::Empty if mark.is_some() && needed => {
            return Err("the latest commits are in the log, which is missing or empty; put it \
                        back, or restore a backup. If the log was merged by another program, the \
                        database file is whole: say so with sqlite3 FILE 'UPDATE file_mark SET \
                        whole = 1'"
                .to_owned());
        }
        Wal::Empty => return Ok(()),
        Wal::HeaderDamaged { bytes } if needed => {
            return Err(format!(
                "the latest commits are in the log, whose header is damaged ({bytes} bytes cannot \
                 be read); put an undamaged copy of it back, or restore a backup"
            ));
        }
        Wal::HeaderDamaged { .. } => return Ok(()),
        Wal::Readable(LogContent { transactions, cut_off, ends_at_frame, .. }) => {
            if cut_off > 1 {
                return Err(format!(
                    "the log is damaged: its frame {ends_at_frame} is not valid, and at least \
                     {cut_off} commits behind it would be lost; put an undamaged copy of it \
                     back, or restore a backup"
                ));
            }
            if cut_off == 1 {
                tracing::warn!(
                    transactions,
                    frame = ends_at_frame,
                    "a transaction at the end of the write-ahead log is incomplete and is dropped: \
                     it failed, or the power failed while it was written, or the log is damaged"
                );
            }
            // The log restarted, and its first commit was interrupted.
            if transactions == 0 {
                return Ok(());
            }
        }
    }
    let Some(mark) = mark else { return Ok(()) };
    let Some(first) = logged.first else {
        return Err("the log was not begun by Holdfast; remove it if it was left behind by \
                    another file, or open and close both with sqlite3 to merge them"
            .to_owned());
    };
    if first.database_id != mark.database_id {
        return Err("the log belongs to another database; remove it if it was left behind by a \
                    database that was here before, or put the database file back that belongs \
                    to it"
            .to_owned());
    }
    let known =
        first.previous == mark.base || logged.marks.iter().any(|logged| logged.base == mark.base);
    if known {
        return Ok(());
    }
    Err("the log belongs to another state of this database; if the database file is a restored \
         backup, remove the log, otherwise put the database file back that belongs to it"
        .to_owned())
}

/// Reads the log. Marks are found only where the number of their page is known.
fn read_log(log: &Path, mark_page: Option<u32>) -> io::Result<LogFile> {
    let mut headers = Vec::new();
    let mut marks: Vec<(u64, Mark)> = Vec::new();
    let wal = wal::read(log, |frame| {
        if frame.page == 1 {
            let number = |at| wal::big_endian_u32(frame.image, at);
            headers.push((frame.transaction, (number(APPLICATION_AT), number(VERSION_AT))));
        }
        if Some(frame.page) == mark_page
            && let Some(mark) = Mark::in_page(frame.image)
        {
            marks.push((frame.transaction, mark));
        }
    })?;
    let transactions = match wal {
        Wal::Readable(committed) => committed.transactions,
        Wal::Empty | Wal::HeaderDamaged { .. } => 0,
    };
    marks.retain(|(transaction, _)| *transaction <= transactions);
    let header = headers.iter().rfind(|(transaction, _)| *transaction <= transactions);
    Ok(LogFile {
        wal,
        application_and_version: header.map(|(_, header)| *header),
        first: marks.iter().find(|(transaction, _)| *transaction == 1).map(|(_, mark)| *mark),
        marks: marks.into_iter().map(|(_, mark)| mark).collect(),
    })
}

/// Whether a rollback journal exists that SQLite would play back.
fn has_content(journal: &Path) -> io::Result<bool> {
    let mut first = [0];
    match File::open(journal).and_then(|mut file| file.read(&mut first)) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
        read => Ok(read? == 1 && first != [0]),
    }
}

#[cfg(test)]
#[path = "file_match_tests.rs"]
mod tests;
