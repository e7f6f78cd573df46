use super::Trial;
use crate::model::{Command, Timestamp};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// The most kinds of differences that are told apart.
const KINDS_MAX: usize = 256;

/// A command of which two components make different things.
#[derive(Clone, Debug, Serialize)]
pub struct Difference {
    /// Its number among the recorded commands, where it is one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub number: Option<u64>,
    /// As of when it was decided.
    pub at: Timestamp,
    /// The command.
    pub command: Command,
    /// What the component that decided made of it.
    pub decided: Trial,
    /// What the candidate makes of it.
    pub candidate: Trial,
}

/// How often a kind of command was decided so by the one and so by the other.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Count {
    /// The command, such as `reserve`.
    pub command: String,
    /// `accepted`, `fault` or a code of refusal.
    pub decided: String,
    /// What the candidate makes of it.
    pub candidate: String,
    /// How often.
    pub count: u64,
}

/// Differences, counted by kind, the first of them in full.
#[derive(Clone, Default, Debug)]
pub struct Comparison {
    compared: u64,
    differing: u64,
    kinds: BTreeMap<(&'static str, String, String), u64>,
    shown: Vec<Difference>,
    shown_max: usize,
}

impl Comparison {
    /// Shows up to so many differences in full.
    #[must_use]
    pub fn showing(shown_max: usize) -> Self {
        Self { shown_max, ..Self::default() }
    }

    /// Takes a command that both decided.
    pub fn take(
        &mut self,
        command: &Command,
        decided: &Trial,
        candidate: &Trial,
        difference: impl FnOnce() -> Difference,
    ) {
        self.compared += 1;
        if decided.agrees_with(candidate) {
            return;
        }
        self.differing += 1;
        let kind = (
            command.action.name(),
            decided.decision.code().to_owned(),
            candidate.decision.code().to_owned(),
        );
        // A candidate that invents a code for each command is shown, not told apart.
        if self.kinds.len() < KINDS_MAX || self.kinds.contains_key(&kind) {
            *self.kinds.entry(kind).or_default() += 1;
        }
        if self.shown.len() < self.shown_max {
            self.shown.push(difference());
        }
    }

    /// How many commands were compared.
    #[must_use]
    pub fn compared(&self) -> u64 {
        self.compared
    }

    /// How many of them were decided differently.
    #[must_use]
    pub fn differing(&self) -> u64 {
        self.differing
    }

    /// The kinds of differences, the most frequent first.
    #[must_use]
    pub fn counts(&self) -> Vec<Count> {
        let mut counts: Vec<_> = self
            .kinds
            .iter()
            .map(|((command, decided, candidate), count)| Count {
                command: (*command).to_owned(),
                decided: decided.clone(),
                candidate: candidate.clone(),
                count: *count,
            })
            .collect();
        counts.sort_by_key(|it| std::cmp::Reverse(it.count));
        counts
    }

    /// The first differences, in full.
    #[must_use]
    pub fn shown(&self) -> &[Difference] {
        &self.shown
    }
}
