-- The row of a stock may lag behind the event log (`write_back.rs` says which rows may, and how
-- far). All rows are current up to this sequence of the log; the events after it are read when the
-- database is opened.
CREATE TABLE rows_current_to (
    only_row INTEGER PRIMARY KEY CHECK (only_row = 1),
    sequence INTEGER NOT NULL
) STRICT;

INSERT INTO rows_current_to (only_row, sequence)
    SELECT 1, coalesce(max(sequence), 0) FROM event;
