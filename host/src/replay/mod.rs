//! The past, decided again: recorded commands on the state as it was.
//!
//! Each command meets what was really there, not what the candidate made of the commands before
//! it: so one difference does not drag others behind it.

mod explain;
mod traced;

pub use explain::{Explanation, explain};
pub use traced::Call;

use crate::{
    component::{Compiled, Deciding, GuestRunner, Refused},
    model::{Decision, Recorded, State, StoreFailure},
    store::{EventScan, Log, PastState, Read, Snapshot},
    trial::{Comparison, Difference, Trial},
    unit_of_work::UnitOfWork,
};
use std::time::{Duration, Instant};

/// Recorded commands that are read at once.
const PAGE: u32 = 1_000;

/// Which recorded commands to replay: those whose events lie here, and the refusals between them.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Range {
    /// The first event.
    pub from: u64,
    /// The last event.
    pub to: u64,
}

impl Default for Range {
    fn default() -> Self {
        Self { from: 0, to: u64::MAX }
    }
}

/// What came of a replay.
#[derive(Clone, Debug)]
pub struct Replayed {
    /// Differences, counted and shown.
    pub comparison: Comparison,
    /// How long it took.
    pub took: Duration,
}

/// Why a replay has no result.
#[derive(Debug, thiserror::Error)]
pub enum ReplayError {
    /// The candidate does not fit.
    #[error(transparent)]
    Refused(#[from] Refused),
    /// The store fails.
    #[error(transparent)]
    Store(#[from] StoreFailure),
    /// There is nothing to replay.
    #[error(
        "no recorded command {0}: commands are recorded where RECORDED_COMMANDS_MAX says how many"
    )]
    NotRecorded(String),
    /// A panic lost the state.
    #[error("the state was lost by a panic")]
    Lost,
}

/// Replays recorded commands on a candidate.
///
/// # Errors
/// [`ReplayError`].
pub fn replay<S: Snapshot, G: Log>(
    candidate: &Compiled,
    mut snapshot: S,
    log: &mut G,
    range: Range,
    shown_max: usize,
) -> Result<Replayed, ReplayError> {
    let begun = Instant::now();
    let deciding: Deciding<UnitOfWork<PastState<S>>> = candidate.fit()?;
    let end = log.last_recorded()?;
    // First the present, then what led to it and on from it: what a command wrote is either what
    // a later one replaced, or there. So those up to `end` can be told, whatever goes on meanwhile.
    snapshot.begin()?;
    log.pin()?;
    let mut past = rewound(snapshot, log, 0)?;
    let mut runner = GuestRunner::default();
    let mut comparison = Comparison::showing(shown_max);
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
                past.pass(&recorded.replaced);
                continue;
            }
            if sequence > range.to {
                return finished(comparison, begun);
            }
            let (back, candidate) = decided_again(past, &deciding, &mut runner, &recorded)?;
            past = back;
            past.pass(&recorded.replaced);
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

/// The state as it was behind the recorded command of number `after`.
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
            past.before(recorded.replaced);
        }
    }
}

/// What the candidate makes of a command, on the state as it was.
fn decided_again<S: Snapshot>(
    past: PastState<S>,
    deciding: &Deciding<UnitOfWork<PastState<S>>>,
    runner: &mut GuestRunner<UnitOfWork<PastState<S>>>,
    recorded: &Recorded,
) -> Result<(PastState<S>, Trial), ReplayError> {
    let mut unit = Some(Box::new(UnitOfWork::new(past)?));
    let decided = runner.execute(deciding, &mut unit, &recorded.command, recorded.at);
    let unit = unit.ok_or(ReplayError::Lost)?;
    let trial = unit.trial(&recorded.command, decided);
    Ok((unit.into_state(), trial))
}

/// What was made of it: the events are in the log, and what it wrote is what is there behind it.
fn as_decided<S: Snapshot, G: Log>(
    recorded: &Recorded,
    behind: &mut PastState<S>,
    log: &mut G,
) -> Result<Trial, StoreFailure> {
    if !matches!(recorded.decision, Decision::Accepted(_)) {
        return Ok(Trial::declined(recorded.decision.clone()));
    }
    let mut trial = Trial::declined(recorded.decision.clone());
    let State { stocks, reservations } = &recorded.replaced;
    for (key, _) in stocks {
        if let Some(stored) = behind.stock(key)? {
            trial.stocks.push((key.clone(), stored.stock));
        }
    }
    for (id, _) in reservations {
        if let Some(stored) = behind.reservation(id)? {
            trial.reservations.push((id.clone(), stored.reservation));
        }
    }
    if let Some(first) = recorded.first_sequence {
        let limit = u32::try_from(recorded.event_count).unwrap_or(u32::MAX);
        let scan = EventScan { after: first.saturating_sub(1), limit, ..EventScan::default() };
        trial.events = log.events(&scan)?.items.into_iter().map(|entry| entry.event).collect();
    }
    Ok(trial.sorted())
}
