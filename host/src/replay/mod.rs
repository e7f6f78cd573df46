//! Replays: a candidate decides recorded commands again, on the state that each command met when it
//! was decided. The candidate's own decisions do not change that state, so that one difference does
//! not cause others.

mod explain;
mod traced;

pub use explain::{Explanation, explain};
pub use traced::Call;

use crate::{
    comparison::{Comparison, Difference, Effect},
    component::{CommandDomain, Compiled, GuestRunner, Refused},
    model::{Decided, Recorded, StateBefore, StoreFailure},
    store::{EventScan, Log, PastState, Read, Snapshot},
    unit_of_work::UnitOfWork,
};
use std::time::{Duration, Instant};

/// The number of recorded commands that are read at once.
const PAGE: u32 = 1_000;

/// The recorded commands to replay: those with events in this range of sequences, and the rejected
/// ones between them.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Range {
    /// The sequence of the first event.
    pub from: u64,
    /// The sequence of the last event.
    pub to: u64,
}

impl Default for Range {
    fn default() -> Self {
        Self { from: 0, to: u64::MAX }
    }
}

/// The result of a replay.
#[derive(Clone, Debug)]
pub struct Replayed {
    /// The differences between the recorded decisions and the candidate's.
    pub comparison: Comparison,
    /// The time that the replay took.
    pub took: Duration,
}

/// The reason why a replay has no result.
#[derive(Debug, thiserror::Error)]
pub enum ReplayError {
    /// The candidate does not fit the contract.
    #[error(transparent)]
    Refused(#[from] Refused),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreFailure),
    /// There is no recorded command to replay. The text describes the command that was requested.
    #[error(
        "no recorded command {0}: commands are recorded only where RECORDED_COMMANDS_MAX is above 0"
    )]
    NotRecorded(String),
    /// A panic lost the unit of work with the state in it.
    #[error("a panic lost the state of the replay")]
    Lost,
}

/// Replays the recorded commands in a range on a candidate. The result shows the first
/// `examples_max` differences in full.
///
/// # Errors
/// [`ReplayError`] says why there is no result.
pub fn replay<S: Snapshot, G: Log>(
    candidate: &Compiled,
    mut snapshot: S,
    log: &mut G,
    range: Range,
    examples_max: usize,
) -> Result<Replayed, ReplayError> {
    let begun = Instant::now();
    let domain: CommandDomain<UnitOfWork<PastState<S>>> = candidate.fit()?;
    let end = log.last_recorded()?;
    // The pin of the snapshot is taken before the pin of the log. So the value that a command up to
    // `end` wrote is known whatever is committed meanwhile: either a later command in the log
    // records it as replaced, or the snapshot still has it.
    snapshot.begin()?;
    log.pin()?;
    let mut past = rewound(snapshot, log, 0)?;
    let mut runner = GuestRunner::default();
    let mut comparison = Comparison::new(examples_max);
    let (mut after, mut sequence) = (0, 0);
    loop {
        let page = log.recorded(after, PAGE)?;
        let Some((last, _)) = page.last() else { break };
        after = *last;
        for (number, recorded) in page {
            if number > end {
                return finished(comparison, begun);
            }
            sequence = recorded.first_sequence.map_or(sequence, |first| {
                first.saturating_add(recorded.event_count).saturating_sub(1)
            });
            if sequence < range.from {
                past.advance(&recorded.replaced);
                continue;
            }
            if sequence > range.to {
                return finished(comparison, begun);
            }
            let (back, candidate) = decided_again(past, &domain, &mut runner, &recorded)?;
            past = back;
            past.advance(&recorded.replaced);
            let decided = as_decided(&recorded, &mut past, log)?;
            comparison.take(&recorded.command, &decided, &candidate, || Difference {
                number: Some(number),
                at: recorded.at,
                command: recorded.command.clone(),
                decided: decided.clone(),
                candidate: candidate.clone(),
            });
        }
    }
    finished(comparison, begun)
}

fn finished(comparison: Comparison, begun: Instant) -> Result<Replayed, ReplayError> {
    if comparison.compared() == 0 {
        return Err(ReplayError::NotRecorded("in this range".to_owned()));
    }
    Ok(Replayed { comparison, took: begun.elapsed() })
}

/// The state after the recorded command of number `after`.
fn rewound<S: Snapshot, G: Log>(
    present: S,
    log: &mut G,
    mut after: u64,
) -> Result<PastState<S>, StoreFailure> {
    let mut past = PastState::new(present);
    loop {
        let page = log.recorded(after, PAGE)?;
        let Some((last, _)) = page.last() else { return Ok(past) };
        after = *last;
        for (_, recorded) in page {
            past.add_replaced(recorded.replaced);
        }
    }
}

/// Lets the candidate decide a recorded command on the state that the command met.
fn decided_again<S: Snapshot>(
    past: PastState<S>,
    domain: &CommandDomain<UnitOfWork<PastState<S>>>,
    runner: &mut GuestRunner<UnitOfWork<PastState<S>>>,
    recorded: &Recorded,
) -> Result<(PastState<S>, Effect), ReplayError> {
    let mut unit = Some(Box::new(UnitOfWork::new(past)?));
    let decided = runner.execute(domain, &mut unit, &recorded.command, recorded.at);
    let unit = unit.ok_or(ReplayError::Lost)?;
    let effect = unit.effect(&recorded.command, decided);
    Ok((unit.into_state(), effect))
}

/// The effect that a recorded command had. Its events are in the log, and its writes are in the
/// state after the command.
fn as_decided<S: Snapshot, G: Log>(
    recorded: &Recorded,
    after: &mut PastState<S>,
    log: &mut G,
) -> Result<Effect, StoreFailure> {
    if !matches!(recorded.decision, Decided::Accepted(_)) {
        return Ok(Effect::without_writes(recorded.decision.clone()));
    }
    let mut effect = Effect::without_writes(recorded.decision.clone());
    let StateBefore { stocks, reservations } = &recorded.replaced;
    for (key, _) in stocks {
        if let Some(stored) = after.stock(key)? {
            effect.stocks.push((key.clone(), stored.stock));
        }
    }
    for (id, _) in reservations {
        if let Some(stored) = after.reservation(id)? {
            effect.reservations.push((id.clone(), stored.reservation));
        }
    }
    if let Some(first) = recorded.first_sequence {
        let limit = u32::try_from(recorded.event_count).unwrap_or(u32::MAX);
        let scan = EventScan { after: first.saturating_sub(1), limit, ..EventScan::default() };
        effect.events = log.events(&scan)?.items.into_iter().map(|entry| entry.event).collect();
    }
    Ok(effect.sorted())
}
