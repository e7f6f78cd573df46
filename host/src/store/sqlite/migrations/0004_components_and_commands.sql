-- Which component decides is in the log, too.
ALTER TABLE event ADD COLUMN component_from INTEGER;

-- Which decides now, which decided before, and which one the server was last started with by its
-- settings.
CREATE TABLE installed (
    only_row    INTEGER PRIMARY KEY CHECK (only_row = 1),
    current     INTEGER NOT NULL,
    previous    INTEGER,
    configured  INTEGER NOT NULL,
    rolled_back INTEGER NOT NULL
) STRICT;

-- Commands as they were decided, for replays: what was asked, what came of it, and what was there
-- before in the place of what it wrote, so that the past can be seen from the present. JSON.
CREATE TABLE command (
    command_no     INTEGER PRIMARY KEY,
    at             INTEGER NOT NULL,
    component_id   INTEGER NOT NULL,
    -- Its events, where it had some: the first, and how many.
    first_sequence INTEGER,
    event_count    INTEGER NOT NULL,
    command        TEXT    NOT NULL,
    decision       TEXT    NOT NULL,
    replaced       TEXT
) STRICT;

CREATE INDEX command_by_sequence ON command (first_sequence) WHERE first_sequence IS NOT NULL;
