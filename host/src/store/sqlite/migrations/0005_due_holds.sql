-- What comes due on a stock is found by reading ahead in `reservation_due`: see `due.rs`.
ALTER TABLE stock DROP COLUMN due_at;
