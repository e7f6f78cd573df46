//! The past, seen from the present: what is there now, but where a recorded command wrote later,
//! what it replaced.

use super::{
    Ahead, Answered, Batch, Handle, Lane, LogEnd, RequestKey, ReservationHandle, Snapshot, Stored,
    StoredReservation,
};
use crate::model::{
    DeficitScan, Installed, Map, Reservation, ReservationPage, ReservationScan, StateBefore, Stock,
    StockKey, StockScan, StoreFailure, Timestamp,
};
use std::collections::VecDeque;

/// A store as it was before a recorded command, that moves on from command to command.
///
/// Nothing is due in it: holds that were due on what a command met were expired by recorded
/// commands of their own, before it. On a stock that no recorded command touched, a hold that was
/// due counts as held.
pub struct AsOf<S> {
    present: S,
    /// What each later command replaced, in their order.
    stocks: Map<StockKey, VecDeque<Option<Stock>>>,
    reservations: Map<String, VecDeque<Option<Reservation>>>,
}

impl<S: Snapshot> AsOf<S> {
    /// The present. What came before is told by [`AsOf::before`].
    pub fn new(present: S) -> Self {
        Self { present, stocks: Map::default(), reservations: Map::default() }
    }

    /// Tells of a command: all from the first that matters to the last, in their order.
    pub fn before(&mut self, replaced: StateBefore) {
        for (key, stock) in replaced.stocks {
            self.stocks.entry(key).or_default().push_back(stock);
        }
        for (id, reservation) in replaced.reservations {
            self.reservations.entry(id).or_default().push_back(reservation);
        }
    }

    /// Moves on behind a command: the first of those that are still to come.
    pub fn pass(&mut self, replaced: &StateBefore) {
        for (key, _) in &replaced.stocks {
            if let Some(later) = self.stocks.get_mut(key) {
                later.pop_front();
                if later.is_empty() {
                    self.stocks.remove(key);
                }
            }
        }
        for (id, _) in &replaced.reservations {
            if let Some(later) = self.reservations.get_mut(id) {
                later.pop_front();
                if later.is_empty() {
                    self.reservations.remove(id);
                }
            }
        }
    }

    fn known_reservation(&self, id: &str) -> Option<Option<&Reservation>> {
        self.reservations.get(id).and_then(|later| later.front()).map(Option::as_ref)
    }

    fn correct(&self, found: &mut Vec<(StockKey, Stored)>) {
        let now = |key: &StockKey| self.stocks.get(key).and_then(|later| later.front());
        found.retain_mut(|(key, stored)| match now(key) {
            None => true,
            Some(None) => false,
            Some(Some(then)) => {
                stored.stock = *then;
                true
            }
        });
    }
}

fn stored(reservation: &Reservation) -> StoredReservation {
    // Nothing is ever written through it.
    let handle = ReservationHandle { number: 0, last_event: None };
    StoredReservation { handle, reservation: reservation.clone() }
}

impl<S: Snapshot> Snapshot for AsOf<S> {
    fn begin(&mut self) -> Result<(), StoreFailure> {
        Ok(())
    }

    fn end(&mut self) {}

    fn stock(&mut self, key: &StockKey) -> Result<Option<Stored>, StoreFailure> {
        match self.stocks.get(key).and_then(|later| later.front()) {
            None => self.present.stock(key),
            Some(then) => Ok(then.map(|stock| Stored {
                handle: Handle { stock_id: 0, event_count: 0, last_event: 0 },
                stock,
            })),
        }
    }

    /// Stocks that have gone since are not found: there are none, stocks are never removed.
    fn scan_stocks(&mut self, scan: &StockScan) -> Result<Vec<(StockKey, Stored)>, StoreFailure> {
        let mut found = self.present.scan_stocks(scan)?;
        self.correct(&mut found);
        Ok(found)
    }

    fn scan_deficits(
        &mut self,
        scan: &DeficitScan,
    ) -> Result<Vec<(StockKey, Stored)>, StoreFailure> {
        let mut found = self.present.scan_deficits(scan)?;
        self.correct(&mut found);
        Ok(found)
    }

    fn reservation(&mut self, id: &str) -> Result<Option<StoredReservation>, StoreFailure> {
        match self.known_reservation(id) {
            None => self.present.reservation(id),
            Some(then) => Ok(then.map(stored)),
        }
    }

    fn nothing_due(&self, _: Timestamp) -> bool {
        true
    }

    fn due_units(&self, _: &StockKey, _: &Stored, _: Timestamp) -> u64 {
        0
    }

    fn exact_until(&self) -> Timestamp {
        Timestamp::MAX
    }

    fn scan_reservations(
        &mut self,
        scan: &ReservationScan,
    ) -> Result<ReservationPage, StoreFailure> {
        self.present.scan_reservations(scan)
    }
}

impl<S: Snapshot> Lane for AsOf<S> {
    fn begin_batch(&mut self) -> Result<(), StoreFailure> {
        Ok(())
    }

    fn first_due(&mut self, _: u32) -> Result<Vec<(String, Timestamp)>, StoreFailure> {
        Ok(Vec::new())
    }

    fn due_on(
        &mut self,
        _: &StockKey,
        _: &Handle,
        _: Timestamp,
        _: u32,
    ) -> Result<Vec<String>, StoreFailure> {
        Ok(Vec::new())
    }

    fn look_ahead(&mut self, _: Timestamp) -> Result<Ahead, StoreFailure> {
        Ok(Ahead::Known(Timestamp::MAX))
    }

    fn log_end(&mut self) -> Result<LogEnd, StoreFailure> {
        Ok(LogEnd::default())
    }

    fn installed(&mut self) -> Result<Option<Installed>, StoreFailure> {
        Ok(None)
    }

    fn commit(&mut self, _: Batch<'_, '_>) -> Result<Vec<ReservationHandle>, StoreFailure> {
        let cause = std::io::Error::other("the past cannot be changed");
        Err(StoreFailure::new("committing a batch", cause))
    }

    fn answered(&mut self, _: &RequestKey, _: Timestamp) -> Result<Option<Answered>, StoreFailure> {
        Ok(None)
    }

    fn forget_answers(&mut self, _: Timestamp, _: u32) -> Result<bool, StoreFailure> {
        Ok(false)
    }

    fn recover(&mut self) -> Result<(), StoreFailure> {
        Ok(())
    }

    fn close(&mut self) -> Result<(), StoreFailure> {
        Ok(())
    }
}
