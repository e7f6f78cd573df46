-- Says to which write-ahead log the database file belongs (`belonging.rs` says how it is used).
CREATE TABLE file_mark (
    only_row    INTEGER PRIMARY KEY CHECK (only_row = 1),
    -- Never changes: the identity of the database.
    database_id BLOB    NOT NULL CHECK (length(database_id) = 16),
    -- Random, another one with each new mark, and the one before it.
    base        BLOB    NOT NULL CHECK (length(base) = 16),
    previous    BLOB    NOT NULL CHECK (length(previous) = 16),
    -- 1: the database file alone is whole. 0: it may need its write-ahead log.
    whole       INTEGER NOT NULL CHECK (whole IN (0, 1))
) STRICT;

INSERT INTO file_mark (only_row, database_id, base, previous, whole)
    SELECT 1, randomblob(16), randomblob(16), zeroblob(16), 0;
