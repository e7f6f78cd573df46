-- The mark by which a database file and its write-ahead log are matched (`file_match.rs`).
CREATE TABLE file_mark (
    only_row    INTEGER PRIMARY KEY CHECK (only_row = 1),
    -- The identity of the database; it never changes.
    database_id BLOB    NOT NULL CHECK (length(database_id) = 16),
    -- The random identity of this mark, and the `base` of the mark before it.
    base        BLOB    NOT NULL CHECK (length(base) = 16),
    previous    BLOB    NOT NULL CHECK (length(previous) = 16),
    -- 1: the database file contains every commit. 0: it may need its write-ahead log.
    whole       INTEGER NOT NULL CHECK (whole IN (0, 1))
) STRICT;

INSERT INTO file_mark (only_row, database_id, base, previous, whole)
    SELECT 1, randomblob(16), randomblob(16), zeroblob(16), 0;
