//! Access to recorded commands and events, for any store.

use super::AdminError;
use crate::{
    component::Compiled,
    model::{Digest, Integrity},
    replay::{self, Explanation, Range, ReplayError, Replayed},
    store::Store,
};

/// The recorded commands and events of a store. The trait hides the type of the store from the rest
/// of this room.
pub(super) trait RecordedHistory: Send + Sync {
    /// The result of the integrity check of the store's files so far.
    fn integrity(&self) -> Integrity;

    /// Replays recorded commands on a candidate.
    fn replay(
        &self,
        candidate: &Compiled,
        range: Range,
        examples_max: usize,
    ) -> Result<Replayed, ReplayError>;

    /// Makes the decision behind an event again, by the component that made it.
    fn explain(
        &self,
        sequence: u64,
        component: &dyn Fn(&Digest) -> Result<Compiled, AdminError>,
    ) -> Result<Explanation, AdminError>;
}

impl<S: Store> RecordedHistory for S {
    fn integrity(&self) -> Integrity {
        Store::integrity(self)
    }

    fn replay(
        &self,
        candidate: &Compiled,
        range: Range,
        examples_max: usize,
    ) -> Result<Replayed, ReplayError> {
        replay::replay(candidate, self.snapshot()?, &mut self.log()?, range, examples_max)
    }

    fn explain(
        &self,
        sequence: u64,
        component: &dyn Fn(&Digest) -> Result<Compiled, AdminError>,
    ) -> Result<Explanation, AdminError> {
        let snapshot = self.snapshot().map_err(ReplayError::from)?;
        let mut log = self.log().map_err(ReplayError::from)?;
        replay::explain(sequence, snapshot, &mut log, component)
    }
}
