-- The size of a large idempotency record in bytes (`idempotency.rs`); NULL for any other record.
-- Records from before this migration are not counted and are deleted when they expire.
ALTER TABLE answer ADD COLUMN large_bytes INTEGER;

-- These two indexes contain only large records; other records cost nothing here.
CREATE INDEX answer_large_by_caller ON answer (caller, answer_no, large_bytes)
    WHERE large_bytes IS NOT NULL;
CREATE INDEX answer_large_by_age ON answer (answer_no, caller, large_bytes)
    WHERE large_bytes IS NOT NULL;
