//! Undoing accepted commands within a batch, for all-or-nothing requests and dry runs.

use super::{UnitOfWork, earlier};
use crate::{
    model::{Reservation, Stock, StockKey, Timestamp},
    store::Decidable,
};

/// What is needed to undo the commands since [`UnitOfWork::begin_undoable`].
#[derive(Default)]
pub(super) struct Undo {
    /// The number of entries in the log at that time.
    log: usize,
    /// The number of recorded commands at that time.
    recorded: usize,
    next_due: Option<Timestamp>,
    /// For each write of a stock: the stock before the write, and whether the batch had changed it
    /// already.
    pub(super) stocks: Vec<(StockKey, Option<Stock>, bool)>,
    /// For each write of a reservation: the reservation as the batch had left it before the write;
    /// `None` where the batch had not changed it.
    pub(super) reservations: Vec<(String, Option<Reservation>)>,
}

impl<R: Decidable> UnitOfWork<R> {
    /// Accepted commands can be undone together from now on, until [`UnitOfWork::keep`] or
    /// [`UnitOfWork::undo`].
    pub fn begin_undoable(&mut self) {
        self.undo = Some(Undo {
            log: self.log.len(),
            recorded: self.recorded.len(),
            next_due: self.next_due,
            ..Undo::default()
        });
    }

    /// Keeps the commands since [`UnitOfWork::begin_undoable`].
    pub fn keep(&mut self) {
        self.undo = None;
    }

    /// Undoes the commands since [`UnitOfWork::begin_undoable`].
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
