-- Reservations, and the answers to requests that may be sent again.

-- The states: 1 held, 2 confirmed, 3 fulfilled, 4 cancelled, 5 expired.
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
    -- The latest event that names it.
    last_event     INTEGER
) STRICT;

-- Only what can come due is in here.
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

-- The events that name a reservation are a chain, as those about a stock are: an index over
-- text would cost each hold more than all its other rows. Which reservations are about a stock
-- is found in the stock's own chain.
ALTER TABLE event ADD COLUMN reservation_previous INTEGER;

CREATE INDEX event_by_reference ON event (reference, sequence) WHERE reference IS NOT NULL;

-- What a request with an Idempotency-Key was, and its whole answer. Numbered by age.
CREATE TABLE answer (
    answer_no   INTEGER PRIMARY KEY,
    caller      TEXT    NOT NULL,
    key         TEXT    NOT NULL,
    fingerprint BLOB    NOT NULL CHECK (length(fingerprint) = 32),
    at          INTEGER NOT NULL,
    response    BLOB    NOT NULL,
    UNIQUE (caller, key)
) STRICT;
