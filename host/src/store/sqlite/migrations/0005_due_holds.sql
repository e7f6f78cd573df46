-- The holds that come due on a stock are found by reading ahead in `reservation_due` (`due.rs`).
ALTER TABLE stock DROP COLUMN due_at;
