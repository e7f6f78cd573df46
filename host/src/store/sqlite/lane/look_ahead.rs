//! Reads ahead the holds that come due soon, between batches.

use super::SqliteLane;
use crate::{
    model::Timestamp,
    store::{
        LookAhead,
        sqlite::{
            due::{self, DueIndex, DueSums},
            reservations,
        },
    },
};

impl SqliteLane {
    /// Reads ahead by one step, unless the lane knows every hold of the next half horizon. The
    /// first step begins with the holds that are due already.
    pub(super) fn read_ahead(&mut self, now: Timestamp) -> rusqlite::Result<LookAhead> {
        let known_before = self.due.known_before();
        if known_before > now.saturating_add(due::HORIZON_MS / 2) {
            return Ok(LookAhead::Known(known_before));
        }
        if known_before == 0 {
            self.published.publish_due(DueSums::folded(now));
        }
        let step = self.due.read_ahead(&self.connection, now)?;
        self.published.extend_due(&step);
        self.publish_first_due();
        Ok(if step.more {
            LookAhead::More(step.known_before)
        } else {
            LookAhead::Known(step.known_before)
        })
    }

    /// Reads again all holds up to the time that the lane knew before.
    pub(super) fn reread_due(&self) -> rusqlite::Result<(DueIndex, DueSums)> {
        let now = self.due.known_before().saturating_sub(due::HORIZON_MS);
        let (mut index, mut sums) = (DueIndex::default(), DueSums::folded(now));
        loop {
            let step = index.read_ahead(&self.connection, now)?;
            sums.extend(&step);
            if !step.more {
                return Ok((index, sums));
            }
        }
    }

    /// Publishes to readers the time at which the first hold comes due.
    pub(super) fn publish_first_due(&self) {
        let first = reservations::first_due(&self.connection, 1);
        let at = match first.as_deref() {
            Ok([]) => Timestamp::MAX,
            Ok([(_, at), ..]) => *at,
            // With 0, readers look up due units themselves.
            Err(error) => {
                tracing::warn!(%error, "the time at which the next hold comes due is not known");
                0
            }
        };
        self.published.set_first_due(at);
    }
}
