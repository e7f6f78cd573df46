//! Several commands that are accepted together or not at all.

use super::{UnitOfWork, earlier};
use crate::{
    model::{Reservation, Stock, StockKey, Timestamp},
    store::Decidable,
};

/// What the batch was like before commands that are not sure to stay.
#[derive(Default)]
pub(super) struct Undo {
    log: usize,
    recorded: usize,
    next_due: Option<Timestamp>,
    /// Each stock as it was before each write, and whether the batch had changed it.
    pub(super) stocks: Vec<(StockKey, Option<Stock>, bool)>,
    /// Each reservation as the batch had changed it, if it had, before each write.
    pub(super) reservations: Vec<(String, Option<Reservation>)>,
}

impl<R: Decidable> UnitOfWork<R> {
    /// From here on, until [`UnitOfWork::keep`] or [`UnitOfWork::undo`], accepted commands
    /// stand or fall together.
    pub fn begin_together(&mut self) {
        self.undo = Some(Undo {
            log: self.log.len(),
            recorded: self.recorded.len(),
            next_due: self.next_due,
            ..Undo::default()
        });
    }

    /// Lets them stand.
    pub fn keep(&mut self) {
        self.undo = None;
    }

    /// Lets none of them have happened.
    pub fn undo(&mut self) {
        let Some(undo) = self.undo.take() else { return };
        for (key, stock, dirty) in undo.stocks.into_iter().rev() {
            if let Some(touched) = self.stocks.get_mut(&key) {
                touched.stock = stock;
                touched.dirty = dirty;
            }
        }
        for (id, changed) in undo.reservations.into_iter().rev() {
            if let Some(touched) = self.reservations.get_mut(&id) {
                touched.changed = changed;
            }
        }
        self.log.truncate(undo.log);
        self.recorded.truncate(undo.recorded);
        self.next_due = earlier(self.next_due, undo.next_due);
    }
}
