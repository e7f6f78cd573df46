-- The row of a stock may lag behind the log (`lagging.rs` says which rows, and how far). All of
-- them show what the log says up to this sequence; what lies behind it is looked at when the
-- database is opened.
CREATE TABLE rows_current_to (
    only_row INTEGER PRIMARY KEY CHECK (only_row = 1),
    sequence INTEGER NOT NULL
) STRICT;

INSERT INTO rows_current_to (only_row, sequence)
    SELECT 1, coalesce(max(sequence), 0) FROM event;
