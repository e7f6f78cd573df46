//! The differences between two components.

use super::effect::Effect;
use crate::model::{Command, Timestamp};
use std::collections::BTreeMap;

/// The bound on the kinds of differences that are counted separately.
const KINDS_MAX: usize = 256;

/// A command that has different effects under two components.
#[derive(Clone, Debug)]
pub struct Difference {
    /// The command's number among the recorded commands; `None` where it is not recorded.
    pub number: Option<u64>,
    /// The time of the decision.
    pub at: Timestamp,
    /// The command.
    pub command: Command,
    /// The effect under the component that decides, or that decided when the command was recorded.
    pub decided: Effect,
    /// The effect under the candidate.
    pub candidate: Effect,
}

/// The number of differences of one kind.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Count {
    /// The name of the command, such as `reserve`.
    pub command: &'static str,
    /// The decision of the component that decides: `accepted`, `fault` or the code of a rejection.
    pub decided: String,
    /// The decision of the candidate, in the same form.
    pub candidate: String,
    /// The number of differences.
    pub count: u64,
}

/// Differences between two components: all of them counted by kind, the first of them in full.
#[derive(Clone, Default, Debug)]
pub struct Comparison {
    compared: u64,
    differing: u64,
    kinds: BTreeMap<(&'static str, String, String), u64>,
    examples: Vec<Difference>,
    examples_max: usize,
}

impl Comparison {
    /// Creates an empty comparison, which will keep the first `examples_max` differences in full.
    #[must_use]
    pub fn new(examples_max: usize) -> Self {
        Self { examples_max, ..Self::default() }
    }

    /// Compares the effects that a command has under two components. `difference` is called where
    /// the effects differ and the difference is to be kept in full.
    pub fn take(
        &mut self,
        command: &Command,
        decided: &Effect,
        candidate: &Effect,
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
        // The bound limits memory where a candidate uses a new code for each command.
        if self.kinds.len() < KINDS_MAX || self.kinds.contains_key(&kind) {
            *self.kinds.entry(kind).or_default() += 1;
        }
        if self.examples.len() < self.examples_max {
            self.examples.push(difference());
        }
    }

    /// The number of commands that were compared.
    #[must_use]
    pub fn compared(&self) -> u64 {
        self.compared
    }

    /// The number of commands that have different effects.
    #[must_use]
    pub fn differing(&self) -> u64 {
        self.differing
    }

    /// The differences by kind, the most frequent first. Kinds beyond the first 256 are not
    /// counted.
    #[must_use]
    pub fn counts(&self) -> Vec<Count> {
        let mut counts: Vec<_> = self
            .kinds
            .iter()
            .map(|((command, decided, candidate), count)| Count {
                command,
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
    pub fn examples(&self) -> &[Difference] {
        &self.examples
    }
}
