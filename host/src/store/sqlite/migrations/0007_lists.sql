-- The listing index of reservations, which costs less than a page for each line (`listing.rs`).

-- The range of reservations that a run indexes. A run is a sequence of blocks.
CREATE TABLE listing_run (
    run_no            INTEGER PRIMARY KEY,
    first_reservation INTEGER NOT NULL,
    last_reservation  INTEGER NOT NULL
) STRICT;

-- Sorted entries of 12 bytes: a term, and a reservation that has it.
CREATE TABLE listing_block (
    block_no   INTEGER PRIMARY KEY,
    run_no     INTEGER NOT NULL,
    first_term INTEGER NOT NULL,
    last_term  INTEGER NOT NULL,
    entries    BLOB    NOT NULL
) STRICT;

CREATE INDEX listing_block_by_term ON listing_block (run_no, last_term, first_term);

-- Terms that a reservation got after its run was written, because its lines were replaced.
CREATE TABLE listing_moved (
    term           INTEGER NOT NULL,
    reservation_no INTEGER NOT NULL,
    PRIMARY KEY (term, reservation_no)
) STRICT, WITHOUT ROWID;

-- The latest event of a reservation at every 16th of its versions. A search in the reservation's
-- chain of events starts at the nearest anchor.
CREATE TABLE reservation_anchor (
    reservation_no INTEGER NOT NULL,
    sequence       INTEGER NOT NULL,
    PRIMARY KEY (reservation_no, sequence)
) STRICT, WITHOUT ROWID;

-- Caller, reason and reference are written with the first event of a command; its other events name
-- that event in `origin`.
ALTER TABLE event ADD COLUMN origin INTEGER;
ALTER TABLE event RENAME TO event_row;

-- A view for operators: every event with the caller, reason and reference of its command.
CREATE VIEW event AS SELECT
    later.sequence, later.kind, later.at, later.component_id, later.command_id,
    coalesce(later.caller, first.caller) AS caller,
    coalesce(later.reason, first.reason) AS reason,
    coalesce(later.reference, first.reference) AS reference, later.reservation_id,
    later.expires_at, later.stock_id, later.ordinal, later.previous, later.quantity,
    later.counterpart_id, later.total, later.reserved, later.unattributed, later.minimum,
    later.version, later.version_span, later.total_from, later.reserved_from,
    later.unattributed_from, later.minimum_from, later.state, later.state_from,
    later.expires_at_from, later.reservation_previous, later.component_from
    FROM event_row AS later LEFT JOIN event_row AS first ON first.sequence = later.origin;
