-- The version of the form of the JSON in `command`, `decision` and `replaced` (`recorded/mod.rs`).
-- Existing rows have form 1.
ALTER TABLE command ADD COLUMN form INTEGER NOT NULL DEFAULT 1;
