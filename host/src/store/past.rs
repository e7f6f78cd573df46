//! The past, seen from the present: what is there now, but where a recorded command wrote later,
//! what that command replaced.

use super::{Decidable, FoundStocks, Read, Stored, StoredReservation};
use crate::model::{
    DeficitScan, Map, Reservation, ReservationPage, ReservationScan, StateBefore, Stock, StockKey,
    StockScan, StoreFailure, Timestamp,
};
use std::collections::VecDeque;

/// A store as it was before a recorded command; it moves on from command to command. Commands can
/// be decided on it, and nothing can be written to it.
///
/// Nothing is due in it: holds that were due on what a command met were expired by recorded
/// commands of their own, before it. On a stock that no recorded command touched, a hold that was
/// due counts as held.
pub struct PastState<R> {
    present: R,
    /// What each later command replaced, in their order.
    stocks: Map<StockKey, VecDeque<Option<Stock>>>,
    reservations: Map<String, VecDeque<Option<Reservation>>>,
}

impl<R: Read> PastState<R> {
    /// The present. What came before is told by [`PastState::add_replaced`].
    pub fn new(present: R) -> Self {
        Self { present, stocks: Map::default(), reservations: Map::default() }
    }

    /// Tells of a command: all from the first that matters to the last, in their order.
    pub fn add_replaced(&mut self, replaced: StateBefore) {
        for (key, stock) in replaced.stocks {
            self.stocks.entry(key).or_default().push_back(stock);
        }
        for (id, reservation) in replaced.reservations {
            self.reservations.entry(id).or_default().push_back(reservation);
        }
    }

    /// Moves on behind a command: the first of those that are still to come.
    pub fn advance(&mut self, replaced: &StateBefore) {
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

    fn known_stock(&self, key: &StockKey) -> Option<Option<Stock>> {
        self.stocks.get(key).and_then(|later| later.front()).copied()
    }

    fn known_reservation(&self, id: &str) -> Option<Option<&Reservation>> {
        self.reservations.get(id).and_then(|later| later.front()).map(Option::as_ref)
    }

    fn corrected(&self, found: FoundStocks<R::StockHandle>) -> FoundStocks<Option<R::StockHandle>> {
        let corrected = |(key, stored): (StockKey, Stored<_>)| {
            let stored = match self.known_stock(&key) {
                None => Stored { handle: Some(stored.handle), stock: stored.stock },
                Some(then) => Stored { handle: None, stock: then? },
            };
            Some((key, stored))
        };
        found.into_iter().filter_map(corrected).collect()
    }
}

impl<R: Read> Read for PastState<R> {
    /// `None` for a stock that a later command changed: the store has no handle of the past.
    type StockHandle = Option<R::StockHandle>;
    /// `None` for a reservation that a later command changed.
    type ReservationHandle = Option<R::ReservationHandle>;

    fn stock(&mut self, key: &StockKey) -> Result<Option<Stored<Self::StockHandle>>, StoreFailure> {
        Ok(match self.known_stock(key) {
            None => self
                .present
                .stock(key)?
                .map(|Stored { handle, stock }| Stored { handle: Some(handle), stock }),
            Some(then) => then.map(|stock| Stored { handle: None, stock }),
        })
    }

    /// The scan finds every stock that there was, because stocks are never removed.
    fn scan_stocks(
        &mut self,
        scan: &StockScan,
    ) -> Result<FoundStocks<Self::StockHandle>, StoreFailure> {
        self.present.scan_stocks(scan).map(|found| self.corrected(found))
    }

    fn scan_deficits(
        &mut self,
        scan: &DeficitScan,
    ) -> Result<FoundStocks<Self::StockHandle>, StoreFailure> {
        self.present.scan_deficits(scan).map(|found| self.corrected(found))
    }

    fn reservation(
        &mut self,
        id: &str,
    ) -> Result<Option<StoredReservation<Self::ReservationHandle>>, StoreFailure> {
        Ok(match self.known_reservation(id) {
            None => {
                self.present.reservation(id)?.map(|StoredReservation { handle, reservation }| {
                    StoredReservation { handle: Some(handle), reservation }
                })
            }
            Some(then) => then.map(|reservation| StoredReservation {
                handle: None,
                reservation: reservation.clone(),
            }),
        })
    }

    fn scan_reservations(
        &mut self,
        scan: &ReservationScan,
    ) -> Result<ReservationPage, StoreFailure> {
        self.present.scan_reservations(scan)
    }
}

impl<R: Read> Decidable for PastState<R> {
    fn first_due(&mut self, _: u32) -> Result<Vec<(String, Timestamp)>, StoreFailure> {
        Ok(Vec::new())
    }

    fn due_on(
        &mut self,
        _: &StockKey,
        _: &Self::StockHandle,
        _: Timestamp,
        _: u32,
    ) -> Result<Vec<String>, StoreFailure> {
        Ok(Vec::new())
    }
}
