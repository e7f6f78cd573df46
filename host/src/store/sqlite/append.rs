//! Appends events to the log, and to the chains of the stocks and reservations that they name.

use super::{
    chain::ANCHOR_SPACING,
    handles::StockHandle,
    rows::{EventRow, Unsigned},
};
use crate::store::NewEntry;
use rusqlite::{CachedStatement, Connection, ToSql, params};
use uuid::Uuid;

const INSERT_EVENT: &str = "INSERT INTO event_row (sequence, kind, at, component_id, command_id, \
     caller, reason, reference, reservation_id, expires_at, stock_id, quantity, counterpart_id, \
     total, reserved, unattributed, minimum, version, version_span, total_from, reserved_from, \
     unattributed_from, minimum_from, state, state_from, expires_at_from, ordinal, previous, \
     reservation_previous, component_from, origin) \
     VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18, \
     ?19, ?20, ?21, ?22, ?23, ?24, ?25, ?26, ?27, ?28, ?29, ?30, ?31)";

const INSERT_ANCHOR: &str =
    "INSERT INTO ledger_anchor (stock_id, ordinal, sequence) VALUES (?1, ?2, ?3)";

/// The numbers of the components that a log entry names.
pub(super) struct EntryComponents {
    /// The component that decided the command.
    pub(super) by: i64,
    /// The component that decided before; `None` unless the event is one of the domain component.
    pub(super) from: Option<i64>,
}

/// A writer of rows of the log.
pub(super) struct Appender<'c> {
    connection: &'c Connection,
    insert: Insert<'c>,
    /// The command of the previous entry, and the sequence of the first event of that command.
    command: Option<(Uuid, u64)>,
}

impl<'c> Appender<'c> {
    pub(super) fn new(connection: &'c Connection) -> rusqlite::Result<Self> {
        let insert = Insert { statement: connection.prepare_cached(INSERT_EVENT)?, column: 0 };
        Ok(Self { connection, insert, command: None })
    }

    /// The sequence of the first event of the entry's command; `None` where the entry is that event
    /// or has no caller, reason and reference. Caller, reason and reference are stored only with
    /// the first event, because they can be long and a command can have many events.
    fn origin(&mut self, sequence: u64, entry: &NewEntry) -> Option<u64> {
        match self.command {
            Some((command, first)) if command == entry.command_id => {
                let has_texts = entry.caller.is_some() || entry.reason.is_some();
                (has_texts || entry.reference.is_some()).then_some(first)
            }
            _ => {
                self.command = Some((entry.command_id, sequence));
                None
            }
        }
    }

    /// Appends an event. `handle` and `reservation_end` are the ends of the chains of the event's
    /// stock and of its reservation; both are moved to the event.
    pub(super) fn append(
        &mut self,
        sequence: u64,
        entry: &NewEntry,
        components: EntryComponents,
        handle: Option<&mut StockHandle>,
        reservation_end: Option<&mut Option<u64>>,
    ) -> rusqlite::Result<()> {
        let reservation_previous = reservation_end.and_then(|end| end.replace(sequence));
        let (mut stock_id, mut ordinal, mut previous) = (None, None, None);
        if let Some(handle) = handle {
            handle.event_count += 1;
            stock_id = Some(handle.stock_id);
            ordinal = Some(handle.event_count);
            previous = (handle.event_count > 1).then_some(handle.last_event);
            handle.last_event = sequence;
            if handle.event_count.is_multiple_of(ANCHOR_SPACING) {
                self.connection.prepare_cached(INSERT_ANCHOR)?.execute(params![
                    stock_id,
                    Unsigned(handle.event_count),
                    Unsigned(sequence)
                ])?;
            }
        }
        let row = EventRow::of(&entry.event);
        let origin = self.origin(sequence, entry);
        let insert = &mut self.insert;
        insert.begin();
        insert.number(Some(sequence))?;
        insert.bind(row.kind)?;
        insert.number(Some(entry.at))?;
        insert.bind(Some(components.by))?;
        insert.bind(Some(entry.command_id.as_bytes()))?;
        let (caller, reason, reference) = match origin {
            None => (entry.caller.as_deref(), entry.reason.as_deref(), entry.reference.as_deref()),
            Some(_) => (None, None, None),
        };
        insert.bind(caller)?;
        insert.bind(reason)?;
        insert.bind(reference)?;
        insert.bind(row.reservation_id)?;
        insert.number(row.expires_at)?;
        insert.bind(stock_id)?;
        insert.number(row.quantity)?;
        insert.bind(row.counterpart_id)?;
        insert.numbers(row.level)?;
        insert.number(Some(row.version))?;
        insert.number(row.version_span)?;
        insert.numbers(row.level_from)?;
        insert.bind(row.state)?;
        insert.bind(row.state_from)?;
        insert.number(row.expires_at_from)?;
        insert.number(ordinal)?;
        insert.number(previous)?;
        insert.number(reservation_previous)?;
        insert.bind(components.from)?;
        insert.number(origin)?;
        insert.run()
    }
}

/// The statement that inserts one row. Its parameters are bound column by column. Most columns are
/// NULL and cost nothing, because a parameter that is not bound is NULL.
struct Insert<'c> {
    statement: CachedStatement<'c>,
    column: usize,
}

impl Insert<'_> {
    fn begin(&mut self) {
        self.statement.clear_bindings();
        self.column = 0;
    }

    fn bind(&mut self, value: Option<impl ToSql>) -> rusqlite::Result<()> {
        self.column += 1;
        match value {
            Some(value) => self.statement.raw_bind_parameter(self.column, value),
            None => Ok(()),
        }
    }

    fn number(&mut self, value: Option<u64>) -> rusqlite::Result<()> {
        self.bind(value.map(Unsigned))
    }

    fn numbers(&mut self, values: [Option<u64>; 4]) -> rusqlite::Result<()> {
        values.into_iter().try_for_each(|value| self.number(value))
    }

    fn run(&mut self) -> rusqlite::Result<()> {
        self.statement.raw_execute().map(|_| ())
    }
}
