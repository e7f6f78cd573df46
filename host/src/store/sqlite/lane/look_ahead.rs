//! What comes due soon, read ahead between batches.

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
    /// Reads ahead by one step, unless enough is known; the first step begins with what is due
    /// already.
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
        self.note_first_due();
        Ok(if step.more {
            LookAhead::More(step.known_before)
        } else {
            LookAhead::Known(step.known_before)
        })
    }

    /// Reads again everything that is known to come due.
    pub(super) fn read_due_anew(&self) -> rusqlite::Result<(DueIndex, DueSums)> {
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

    /// Lets readers know when the first hold comes due.
    pub(super) fn note_first_due(&self) {
        let first = reservations::first_due(&self.connection, 1);
        let at = match first.as_deref() {
            Ok([]) => Timestamp::MAX,
            Ok([(_, at), ..]) => *at,
            // Readers look for themselves.
            Err(_) => 0,
        };
        self.published.note_first_due(at);
    }
}
