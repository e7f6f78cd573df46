-- Reservations, and idempotency records.

-- Column `state`: 1 held, 2 confirmed, 3 fulfilled, 4 cancelled, 5 expired.
CREATE TABLE reservation (
    reservation_no INTEGER PRIMARY KEY,
    reservation_id TEXT    NOT NULL UNIQUE CHECK (length(reservation_id) BETWEEN 1 AND 128),
    state          INTEGER NOT NULL CHECK (state BETWEEN 1 AND 5),
    expires_at     INTEGER,
    ttl_seconds    INTEGER,
    reference      TEXT,
    version        INTEGER NOT NULL CHECK (version >= 1),
    created_at     INTEGER NOT NULL,
    updated_at     INTEGER NOT NULL,
    -- The sequence of the latest event that names the reservation.
    last_event     INTEGER
) STRICT;

-- This index contains only reservations that can expire.
CREATE INDEX reservation_due ON reservation (expires_at, reservation_id)
    WHERE state = 1 AND expires_at IS NOT NULL;

CREATE INDEX reservation_by_reference ON reservation (reference, reservation_no)
    WHERE reference IS NOT NULL;

CREATE TABLE reservation_line (
    reservation_no INTEGER NOT NULL,
    line           INTEGER NOT NULL,
    stock_id       INTEGER NOT NULL,
    quantity       INTEGER NOT NULL CHECK (quantity BETWEEN 1 AND 999999999999),
    fulfilled      INTEGER NOT NULL CHECK (fulfilled >= 0),
    released       INTEGER NOT NULL CHECK (released >= 0),
    expired        INTEGER NOT NULL CHECK (expired >= 0),
    PRIMARY KEY (reservation_no, line),
    CHECK (fulfilled + released + expired <= quantity)
) STRICT, WITHOUT ROWID;

-- The events that name a reservation form a chain, like the events of a stock: an index over
-- text would cost each hold more than all its other rows. The reservations of a stock are found
-- in the chain of the stock.
ALTER TABLE event ADD COLUMN reservation_previous INTEGER;

CREATE INDEX event_by_reference ON event (reference, sequence) WHERE reference IS NOT NULL;

-- Idempotency records: the fingerprint of a request with an Idempotency-Key, and its whole answer.
-- A higher `answer_no` is a later record.
CREATE TABLE answer (
    answer_no   INTEGER PRIMARY KEY,
    caller      TEXT    NOT NULL,
    key         TEXT    NOT NULL,
    fingerprint BLOB    NOT NULL CHECK (length(fingerprint) = 32),
    at          INTEGER NOT NULL,
    response    BLOB    NOT NULL,
    UNIQUE (caller, key)
) STRICT;
