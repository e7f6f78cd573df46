//! Explains a decision: the component that made the decision decides again, and its calls are
//! traced.

use super::{
    ReplayError, as_decided, rewound,
    traced::{Call, Traced},
};
use crate::{
    comparison::Effect,
    component::{Compiled, Guest},
    model::{Command, Digest, Event, LogEntry, Recorded, Timestamp},
    store::{EventScan, Log, Snapshot},
    unit_of_work::UnitOfWork,
};

/// The decision behind an event.
#[derive(Clone, Debug)]
pub struct Explanation {
    /// The sequence of the event.
    pub sequence: u64,
    /// The event.
    pub event: Event,
    /// The component that decided.
    pub component: Digest,
    /// The time of the decision.
    pub at: Timestamp,
    /// The command.
    pub command: Command,
    /// The calls of the host by the component, in order; at most 1,000.
    pub calls: Vec<Call>,
    /// The effect of the command when the component decides it now.
    pub decided: Effect,
    /// Whether that effect is the recorded one.
    pub as_recorded: bool,
}

/// Makes the decision behind an event again. `component` provides the component that made the
/// decision, by its digest.
///
/// # Errors
/// [`ReplayError`], such as where the command was not recorded, or the error of `component`.
pub fn explain<S: Snapshot, G: Log, E: From<ReplayError>>(
    sequence: u64,
    snapshot: S,
    log: &mut G,
    component: impl FnOnce(&Digest) -> Result<Compiled, E>,
) -> Result<Explanation, E> {
    let (number, recorded, entry) = found(sequence, log)?;
    let compiled = component(&recorded.component)?;
    Ok(trace(sequence, number, recorded, entry, snapshot, log, &compiled)?)
}

fn found<G: Log>(sequence: u64, log: &mut G) -> Result<(u64, Recorded, LogEntry), ReplayError> {
    let not_recorded = || ReplayError::NotRecorded(format!("has event {sequence}"));
    let number = log.recorded_with_event(sequence)?.ok_or_else(not_recorded)?;
    let (_, recorded) = log.recorded(number - 1, 1)?.pop().ok_or_else(not_recorded)?;
    let scan = EventScan { after: sequence - 1, limit: 1, ..EventScan::default() };
    let entry = log.events(&scan)?.items.pop().ok_or_else(not_recorded)?;
    Ok((number, recorded, entry))
}

fn trace<S: Snapshot, G: Log>(
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
    let decided = unit.effect(&recorded.command, decided);
    let mut past = unit.into_state();
    past.advance(&recorded.replaced);
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
