-- Stocks, and the event log, which is ledger, outbox and audit trail in one.
-- The CHECKs are the last line of defence: the component and the host check the same rules before.

CREATE TABLE stock (
    product_id   TEXT    NOT NULL CHECK (length(product_id) BETWEEN 1 AND 128),
    location_id  TEXT    NOT NULL CHECK (length(location_id) BETWEEN 1 AND 128),
    stock_id     INTEGER NOT NULL UNIQUE,
    total        INTEGER NOT NULL CHECK (total BETWEEN 0 AND 999999999999),
    reserved     INTEGER NOT NULL CHECK (reserved BETWEEN 0 AND total),
    unattributed INTEGER NOT NULL CHECK (unattributed BETWEEN 0 AND reserved),
    minimum      INTEGER NOT NULL CHECK (minimum BETWEEN 0 AND 999999999999),
    version      INTEGER NOT NULL CHECK (version >= 1),
    due_at       INTEGER,
    created_at   INTEGER NOT NULL,
    updated_at   INTEGER NOT NULL,
    -- The number of events of the stock, and the sequence of the latest one.
    event_count  INTEGER NOT NULL,
    last_event   INTEGER NOT NULL,
    PRIMARY KEY (product_id, location_id)
) STRICT, WITHOUT ROWID;

CREATE INDEX stock_by_location ON stock (location_id, product_id);

-- These two indexes contain only stocks below their minimum; other stocks cost nothing here.
CREATE INDEX stock_below_minimum ON stock (product_id, location_id)
    WHERE minimum > total - reserved;
CREATE INDEX stock_by_deficit ON stock (minimum - total + reserved DESC, product_id, location_id)
    WHERE minimum > total - reserved;

-- Components that have decided commands, identified by the SHA-256 of their bytes.
CREATE TABLE component (
    component_id INTEGER PRIMARY KEY,
    digest       BLOB NOT NULL UNIQUE CHECK (length(digest) = 32)
) STRICT;

-- One row per event, with gapless sequences, never updated. The levels are those after the
-- event; the level before (`..._from`) is stored only where it differs. `version_span` is the
-- version after the event minus the version before it; NULL where the event created the stock.
--
-- The ledger of a stock is a chain: each event names the previous event of the same stock, and
-- the stock names the last one. An index by stock would dirty one more page per stock and
-- commit.
CREATE TABLE event (
    sequence          INTEGER PRIMARY KEY,
    kind              INTEGER NOT NULL,
    at                INTEGER NOT NULL,
    component_id      INTEGER NOT NULL,
    command_id        BLOB    NOT NULL CHECK (length(command_id) = 16),
    caller            TEXT,
    reason            TEXT,
    reference         TEXT,
    reservation_id    TEXT,
    expires_at        INTEGER,
    stock_id          INTEGER,
    ordinal           INTEGER,
    previous          INTEGER,
    quantity          INTEGER,
    counterpart_id    TEXT,
    total             INTEGER,
    reserved          INTEGER,
    unattributed      INTEGER,
    minimum           INTEGER,
    version           INTEGER NOT NULL,
    version_span      INTEGER,
    total_from        INTEGER,
    reserved_from     INTEGER,
    unattributed_from INTEGER,
    minimum_from      INTEGER,
    state             INTEGER,
    state_from        INTEGER,
    expires_at_from   INTEGER
) STRICT;

-- Every 64th event of a stock. A search in the stock's chain starts at the nearest anchor.
CREATE TABLE ledger_anchor (
    stock_id INTEGER NOT NULL,
    ordinal  INTEGER NOT NULL,
    sequence INTEGER NOT NULL,
    PRIMARY KEY (stock_id, ordinal)
) STRICT, WITHOUT ROWID;

CREATE TRIGGER event_never_updated BEFORE UPDATE ON event
BEGIN SELECT RAISE(ABORT, 'events never change'); END;
CREATE TRIGGER event_never_deleted BEFORE DELETE ON event
BEGIN SELECT RAISE(ABORT, 'events never go'); END;
