-- What an idempotency record takes, in bytes, where it is a large one (`answers.rs`); NULL where it
-- is not. Records from before this migration are not counted: they go at their time.
ALTER TABLE answer ADD COLUMN large_bytes INTEGER;

-- Only large records are in these two: the others cost them nothing.
CREATE INDEX answer_large_by_caller ON answer (caller, answer_no, large_bytes)
    WHERE large_bytes IS NOT NULL;
CREATE INDEX answer_large_by_age ON answer (answer_no, caller, large_bytes)
    WHERE large_bytes IS NOT NULL;
