//! One decision, made again by the component that made it, and watched.

use super::{
    ReplayError, as_decided, rewound,
    traced::{Call, Traced},
};
use crate::{
    component::{Compiled, Guest},
    model::{Command, Digest, Event, LogEntry, Recorded, Timestamp},
    store::{EventScan, Log, Snapshot},
    trial::Trial,
    unit_of_work::UnitOfWork,
};
use serde::Serialize;

/// The decision behind an event.
#[derive(Clone, Debug, Serialize)]
pub struct Explanation {
    /// The event's number.
    pub sequence: u64,
    /// The event.
    pub event: Event,
    /// The component that decided.
    pub component: Digest,
    /// As of when.
    pub at: Timestamp,
    /// What was asked.
    pub command: Command,
    /// What the component asked the host, in order.
    pub calls: Vec<Call>,
    /// What it makes of the command now.
    pub decided: Trial,
    /// Whether that is what it made of it then.
    pub as_recorded: bool,
}

/// Makes the decision behind an event again.
///
/// # Errors
/// [`ReplayError`]: above all, that the command was not recorded.
pub fn explain<S: Snapshot, G: Log, E: From<ReplayError>>(
    sequence: u64,
    snapshot: S,
    log: &mut G,
    component: impl FnOnce(&Digest) -> Result<Compiled, E>,
) -> Result<Explanation, E> {
    let (number, recorded, entry) = found(sequence, log)?;
    let compiled = component(&recorded.component)?;
    Ok(watched(sequence, number, recorded, entry, snapshot, log, &compiled)?)
}

fn found<G: Log>(sequence: u64, log: &mut G) -> Result<(u64, Recorded, LogEntry), ReplayError> {
    let not_recorded = || ReplayError::NotRecorded(format!("has event {sequence}"));
    let number = log.recorded_with_event(sequence)?.ok_or_else(not_recorded)?;
    let (_, recorded) = log.recorded(number - 1, 1)?.pop().ok_or_else(not_recorded)?;
    let scan = EventScan { after: sequence - 1, limit: 1, ..EventScan::default() };
    let entry = log.events(&scan)?.items.pop().ok_or_else(not_recorded)?;
    Ok((number, recorded, entry))
}

fn watched<S: Snapshot, G: Log>(
    sequence: u64,
    number: u64,
    recorded: Recorded,
    entry: LogEntry,
    mut snapshot: S,
    log: &mut G,
    compiled: &Compiled,
) -> Result<Explanation, ReplayError> {
    snapshot.begin()?;
    log.pin()?;
    let past = rewound(snapshot, log, number - 1)?;
    let world = Traced::new(UnitOfWork::new(past)?);
    let guest = Guest::new(&compiled.fit()?, world);
    let (decided, world) = match guest {
        Ok(mut guest) => {
            let decided = guest.execute(&recorded.command, recorded.at);
            (decided, guest.into_world())
        }
        Err((fault, world)) => (Err(fault.into()), world),
    };
    let (unit, calls) = world.into_parts();
    let decided = unit.trial(&recorded.command, decided);
    let mut past = unit.into_state();
    past.pass(&recorded.replaced);
    let then = as_decided(&recorded, &mut past, log)?;
    Ok(Explanation {
        sequence,
        event: entry.event,
        component: recorded.component,
        at: recorded.at,
        command: recorded.command,
        calls,
        as_recorded: then.agrees_with(&decided),
        decided,
    })
}
