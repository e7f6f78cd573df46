//! A past state of a store. Each recorded command keeps the values that it replaced. A past state
//! is the present state, with the replaced values in place of those that later commands wrote.

use super::{Decidable, FoundStocks, Read, Stored, StoredReservation};
use crate::model::{
    DeficitScan, Map, Reservation, ReservationPage, ReservationScan, StateBefore, Stock, StockKey,
    StockScan, StoreFailure, Timestamp,
};
use std::collections::VecDeque;

/// A store as it was before a recorded command. [`PastState::advance`] moves it from one recorded
/// command to the next. Commands can be decided on a past state, and nothing can be written to it.
///
/// A past state reports no hold as due. The due holds on a command's stocks had been expired by
/// recorded commands before it. On other stocks a hold that was due then counts as held.
pub struct PastState<R> {
    present: R,
    /// For each stock, the values that later commands replaced, in the order of these commands.
    stocks: Map<StockKey, VecDeque<Option<Stock>>>,
    /// The same for each reservation.
    reservations: Map<String, VecDeque<Option<Reservation>>>,
}

impl<R: Read> PastState<R> {
    /// The present state. [`PastState::add_replaced`] takes it back into the past.
    pub fn new(present: R) -> Self {
        Self { present, stocks: Map::default(), reservations: Map::default() }
    }

    /// Adds the values that a command replaced. Call it for every recorded command from the first
    /// one of interest to the last one in the store, in their order.
    pub fn add_replaced(&mut self, replaced: StateBefore) {
        for (key, stock) in replaced.stocks {
            self.stocks.entry(key).or_default().push_back(stock);
        }
        for (id, reservation) in replaced.reservations {
            self.reservations.entry(id).or_default().push_back(reservation);
        }
    }

    /// Moves the state from before a command to after it. The command must be the earliest one that
    /// was added and not passed yet.
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
    /// `None` for a stock that a later command changed: the store has no handles for past values.
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

    /// Scans the present stocks and puts the past values in their place. Stocks are never removed, so
    /// none is missed. With `below_minimum`, the present values choose the stocks.
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
