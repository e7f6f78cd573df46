//! Whether the files of a database belong together, found out before any of them is opened for
//! writing.
//!
//! A database is two files: the database file, and the write-ahead log beside it (`-wal`), which
//! holds the latest commits until a checkpoint moves them. SQLite takes any log that lies beside a
//! database for its own, and takes a log that is missing, or damaged at its head, for an empty
//! one. So an older backup beside a newer log, or a database without its log, would be served as
//! if nothing were wrong.
//!
//! **The mark.** The table `file_mark` has one row: the identity of the database; a random `base`
//! that is replaced each time the log may begin anew; the base before it; and `whole`, which says
//! that the database file needs no log. The mark is an ordinary row, so it costs no sync of its
//! own: it is written within a commit that happens anyway.
//!
//! **What holds at any time**, whenever the process is killed:
//! 1. The first transaction of every log renews the mark: the log names the mark that the
//!    database file had when the log began (`previous`). A log begins anew only with the first
//!    commit after a checkpoint that moved all of it, so every commit during or after a checkpoint
//!    renews the mark (`checkpointer.rs`).
//! 2. Therefore the database file's own mark, read without the log, is either the `previous` of
//!    the log's first mark or a mark in the log, which a checkpoint has moved already.
//! 3. Where the database file's own mark says `whole`, no acknowledged commit is in the log alone.
//!    A clean stop and a quiet moment leave such a mark, so that the database file alone is a
//!    backup then: all else is moved before the mark is. The start replaces it before anything is
//!    served. After a quiet moment the checkpointing thread replaces it behind the next commit. As
//!    long as a reader keeps a snapshot from before that commit it cannot, and tries again until
//!    it can (`checkpointer.rs`): until then the mark promises too much. A new log begins as soon
//!    as nobody reads the old one; only that one does not fit a copy of the quiet moment.
//! 4. A log is emptied (`TRUNCATE`) only behind a mark that says `whole`, and only while nobody
//!    else writes. Closing a connection neither checkpoints nor removes the log.
//! 5. A new database is made under another name, whole, and then given its own.
//!
//! **What is checked** follows from it: a log with another identity, or one that does not fit the
//! database file's mark, belongs to other files; a log that is missing, or whose header is
//! damaged, is needed unless the mark says `whole`, or the database file has all that is behind
//! the header (`damaged_header.rs`); and no committed transaction may be cut off by
//! a damaged frame (`wal.rs`).
//!
//! **What cannot be told:** a database file that is byte for byte the one for which the log was
//! made *is* that file, even if somebody has copied it there; and damage within the last
//! transaction of a log looks like a commit that the power cut interrupted.

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

/// Where the header of a database file, its page 1, says these.
const VERSION_AT: usize = 60;
const APPLICATION_AT: usize = 68;

/// What [`examine`] found.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Examined {
    /// No database, or an empty one.
    NoDatabase,
    /// One of ours, with the log that belongs to it.
    Database,
}

/// The file beside a database that SQLite names so.
pub(super) fn beside(file: &Path, ending: &str) -> PathBuf {
    let mut name = file.as_os_str().to_owned();
    name.push(ending);
    PathBuf::from(name)
}

/// What the database file says by itself, without its log.
struct DatabaseFile {
    application: u32,
    version: u32,
    /// Tables, indexes and triggers.
    objects: u32,
    /// The mark and its page; none in a database of an older schema.
    mark: Option<(u32, Mark)>,
}

impl DatabaseFile {
    fn is_empty(&self) -> bool {
        (self.application, self.version, self.objects) == (0, 0, 0)
    }
}

/// What the log says.
struct LogFile {
    wal: Wal,
    /// The latest committed header of the database.
    application_and_version: Option<(u32, u32)>,
    /// The marks of the first transaction, and all others.
    first: Option<Mark>,
    marks: Vec<Mark>,
}

/// Examines the files, and changes none of them.
///
/// # Errors
/// [`OpenError`], where they are not ours, or do not belong together.
pub(super) fn examine(file: &Path) -> Result<Examined, OpenError> {
    let unreadable = |cause| OpenError::Unreadable { file: file.to_owned(), cause };
    let (log, journal) = (beside(file, "-wal"), beside(file, "-journal"));
    let bytes = match std::fs::metadata(file) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => 0,
        found => found.map_err(unreadable)?.len(),
    };
    let alone = if bytes == 0 { None } else { read_database(file)? };
    let mark = alone.as_ref().and_then(|alone| alone.mark);
    let mut logged = read_log(&log, mark.map(|(page, _)| page)).map_err(unreadable)?;
    if matches!(logged.wal, Wal::HeaderDamaged { .. })
        && alone.is_some()
        && damaged_header::is_checkpointed(file, &log).map_err(unreadable)?
    {
        logged.wal = Wal::Readable(LogContent::default());
    }
    let apart = |why: String| OpenError::Apart { file: file.to_owned(), log: log.clone(), why };
    // The programs before the mark made the first page, and moved nothing else while the log was
    // short.
    let all_in_log = alone.as_ref().is_some_and(DatabaseFile::is_empty)
        && logged.application_and_version.is_some_and(|(application, version)| {
            application == APPLICATION_ID && version < MARKED_VERSION
        });
    let empty = bytes == 0 || alone.as_ref().is_some_and(DatabaseFile::is_empty);
    if empty && !all_in_log {
        return match logged.wal {
            Wal::Empty | Wal::Readable(LogContent { transactions: 0, cut_off: 0, .. }) => {
                Ok(Examined::NoDatabase)
            }
            _ => Err(apart(
                "the database file is missing or empty, but its log is not; put the database \
                 file back, or remove the log to begin with an empty database"
                    .to_owned(),
            )),
        };
    }
    if has_content(&journal).map_err(unreadable)? {
        return Err(OpenError::Apart {
            file: file.to_owned(),
            log: journal,
            why: "a rollback journal lies beside the database, which Holdfast never uses; remove \
                  it if it belongs to another file"
                .to_owned(),
        });
    }
    // Where a checkpoint was interrupted the file can be unreadable without its log. SQLite reads
    // both then.
    let Some(alone) = alone.filter(|_| !all_in_log) else {
        check_log(None, &logged).map_err(apart)?;
        return Ok(Examined::Database);
    };
    check_database(file, &alone, logged.application_and_version)?;
    check_log(mark.map(|(_, mark)| mark), &logged).map_err(apart)?;
    Ok(Examined::Database)
}

/// Opens the database file as if nothing else existed: `immutable` makes SQLite ignore the log,
/// take no lock and write nothing. `None` where the file is too damaged to be read alone.
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
        Ok(alone) => Ok(Some(alone)),
        Err(cause) => match rusqlite::Error::sqlite_error_code(&cause) {
            Some(ErrorCode::NotADatabase) => {
                Err(OpenError::Foreign { file: file.to_owned(), reason: cause.to_string() })
            }
            // Without a code: the row of the mark is not there, or is no mark.
            Some(ErrorCode::DatabaseCorrupt) | None => Ok(None),
            _ => Err(OpenError::Sqlite { file: file.to_owned(), cause }),
        },
    }
}

/// Whether it is a Holdfast database that this program knows.
fn check_database(
    file: &Path,
    alone: &DatabaseFile,
    logged: Option<(u32, u32)>,
) -> Result<(), OpenError> {
    if alone.application != APPLICATION_ID {
        let DatabaseFile { application, objects, .. } = alone;
        return Err(OpenError::Foreign {
            file: file.to_owned(),
            reason: format!(
                "it is an SQLite database of another program, with {objects} tables and indexes \
                 and application id {application:#x}"
            ),
        });
    }
    let found = logged.map_or(alone.version, |(_, version)| version).max(alone.version);
    if found > LATEST_VERSION {
        return Err(OpenError::Newer { file: file.to_owned(), found, known: LATEST_VERSION });
    }
    Ok(())
}

/// Whether the log is that of the database file; otherwise what is wrong, and what helps.
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
                     it failed, or the power went while it was written, or the log is damaged"
                );
            }
            // The log began anew; its first commit was interrupted.
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

/// Reads the log, and the marks in it where the page of the mark is known.
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

/// Whether a rollback journal is there that SQLite would play back.
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
