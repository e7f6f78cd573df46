-- The form of the JSON in `command`, `decision` and `replaced` (`recorded/mod.rs` knows the
-- forms). Rows that are there already have form 1.
ALTER TABLE command ADD COLUMN form INTEGER NOT NULL DEFAULT 1;
