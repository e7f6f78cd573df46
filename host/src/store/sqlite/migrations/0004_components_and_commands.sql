-- The component that decided before, in events about a change of the component.
ALTER TABLE event ADD COLUMN component_from INTEGER;

-- The numbers of three components: the one that decides, the one that decided before it, and the
-- one with which the settings last started the server.
CREATE TABLE installed (
    only_row    INTEGER PRIMARY KEY CHECK (only_row = 1),
    current     INTEGER NOT NULL,
    previous    INTEGER,
    configured  INTEGER NOT NULL,
    rolled_back INTEGER NOT NULL
) STRICT;

-- Commands as they were decided, for replays. As JSON: the command, its decision, and the values
-- that the command replaced, from which a past state is reconstructed.
CREATE TABLE command (
    command_no     INTEGER PRIMARY KEY,
    at             INTEGER NOT NULL,
    component_id   INTEGER NOT NULL,
    -- The sequence of the command's first event, if it has events, and their number.
    first_sequence INTEGER,
    event_count    INTEGER NOT NULL,
    command        TEXT    NOT NULL,
    decision       TEXT    NOT NULL,
    replaced       TEXT
) STRICT;

CREATE INDEX command_by_sequence ON command (first_sequence) WHERE first_sequence IS NOT NULL;
