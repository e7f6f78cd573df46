//! The world of a command: reads see the command's own draft first, then the batch, then the store.

use super::{TouchedReservation, TouchedStock, UnitOfWork};
use crate::{
    component::{Purpose, World},
    model::{
        DeficitScan, Due, Ended, Event, Fault, Map, Reservation, ReservationPage, ReservationScan,
        Stock, StockKey, StockScan, StoreFailure, Timestamp,
    },
    store::{self, Decidable, FoundStocks, Stored},
};

/// The most stocks that one command may write.
pub(super) const STOCKS_PER_COMMAND_MAX: usize = 16_384;

/// The most reservations that one command may write.
const RESERVATIONS_PER_COMMAND_MAX: usize = 1_024;

/// The most events that one command may publish.
const EVENTS_PER_COMMAND_MAX: usize = 32_768;

impl<R: Decidable> UnitOfWork<R> {
    /// The stock as the current command sees it. The first access in the batch loads it from the
    /// store.
    pub(super) fn load(&mut self, key: &StockKey) -> Result<Option<Stock>, StoreFailure> {
        if let Some(stock) = self.writes.get(key) {
            return Ok(Some(*stock));
        }
        if let Some(touched) = self.stocks.get(key) {
            return Ok(touched.stock);
        }
        let stored = self.state.stock(key)?;
        let (handle, stock) = match stored {
            Some(Stored { handle, stock }) => (Some(handle), Some(stock)),
            None => (None, None),
        };
        self.stocks
            .insert(key.clone(), TouchedStock { handle, before: stock, stock, dirty: false });
        Ok(stock)
    }

    /// The reservation as the current command sees it. The first access in the batch loads it from
    /// the store.
    pub(super) fn load_reservation(
        &mut self,
        id: &str,
    ) -> Result<Option<Reservation>, StoreFailure> {
        let written = self.reservation_writes.iter().find(|(written, _)| written == id);
        if let Some((_, reservation)) = written {
            return Ok(Some(reservation.clone()));
        }
        if let Some(touched) = self.reservations.get(id) {
            return Ok(touched.current().cloned());
        }
        let stored = match self.recent.get(id) {
            Some(recent) => Some(recent.clone()),
            None => self.state.reservation(id)?,
        };
        let found = stored.as_ref().map(|stored| stored.reservation.clone());
        self.reservations.insert(id.to_owned(), TouchedReservation { stored, changed: None });
        Ok(found)
    }

    /// The uncommitted stocks: those that the batch has changed, and those of the current draft.
    fn uncommitted(&self) -> Map<&StockKey, &Stock> {
        let batch = self.stocks.iter().filter(|(_, touched)| touched.dirty);
        let batch = batch.filter_map(|(key, touched)| Some((key, touched.stock.as_ref()?)));
        batch.chain(self.writes.as_slice().iter().map(|(key, stock)| (key, stock))).collect()
    }

    /// Replaces and completes the result of a scan with the uncommitted stocks that match. The
    /// store was asked for as many more items as there are uncommitted stocks, so that enough
    /// remain.
    fn overlay(
        &self,
        found: FoundStocks<R::StockHandle>,
        matches: impl Fn(&StockKey, &Stock) -> bool,
    ) -> Vec<(StockKey, Stock)> {
        let uncommitted = self.uncommitted();
        let found = found.into_iter().filter(|(key, _)| !uncommitted.contains_key(key));
        let mut found: Vec<_> = found.map(|(key, stored)| (key, stored.stock)).collect();
        let written = uncommitted.into_iter().filter(|(key, stock)| matches(key, stock));
        found.extend(written.map(|(key, stock)| (key.clone(), *stock)));
        found
    }

    /// The limit of a scan of the store, which leaves room for uncommitted stocks.
    fn widened(&self, limit: u32) -> u32 {
        let uncommitted = self.stocks.len() + self.writes.as_slice().len();
        limit.saturating_add(u32::try_from(uncommitted).unwrap_or(u32::MAX))
    }
}

fn cut<T>(found: &mut Vec<(StockKey, T)>, limit: u32) {
    found.truncate(usize::try_from(limit).unwrap_or(usize::MAX));
}

impl<R: Decidable> World for UnitOfWork<R> {
    fn begin_call(&mut self, purpose: Purpose, now: Timestamp) {
        (self.purpose, self.now) = (purpose, now);
    }

    fn stock(&mut self, key: &StockKey) -> Result<Option<Stock>, Ended> {
        let stock = self.load(key)?;
        self.check_nothing_due_on(key)?;
        Ok(stock)
    }

    fn put_stock(&mut self, key: StockKey, stock: Stock) -> Result<(), Ended> {
        // The check of the write needs the stock before it, whether or not the guest has read it.
        self.load(&key)?;
        if self.writes.replace(&key, stock) {
            return Ok(());
        }
        within("wrote", self.writes.as_slice().len() + 1, STOCKS_PER_COMMAND_MAX, "stocks")?;
        self.writes.push(key, stock);
        Ok(())
    }

    fn scan_stocks(&mut self, scan: &StockScan) -> Result<Vec<(StockKey, Stock)>, Ended> {
        let wider = StockScan { limit: self.widened(scan.limit), ..scan.clone() };
        let found = self.state.scan_stocks(&wider)?;
        let mut found = self.overlay(found, |key, stock| store::scan_matches(scan, key, stock));
        found.sort_unstable_by(|(a, _), (b, _)| a.cmp(b));
        cut(&mut found, scan.limit);
        self.check_nothing_due(&found)?;
        Ok(found)
    }

    fn scan_deficits(&mut self, scan: &DeficitScan) -> Result<Vec<(StockKey, Stock)>, Ended> {
        let wider = DeficitScan { limit: self.widened(scan.limit), ..scan.clone() };
        let found = self.state.scan_deficits(&wider)?;
        let mut found =
            self.overlay(found, |key, stock| store::deficit_scan_matches(scan, key, stock));
        found.sort_unstable_by(|(a, first), (b, second)| {
            let order = store::deficit_order(store::deficit(first), a);
            order.cmp(&store::deficit_order(store::deficit(second), b))
        });
        cut(&mut found, scan.limit);
        self.check_nothing_due(&found)?;
        Ok(found)
    }

    fn reservation(&mut self, id: &str) -> Result<Option<Reservation>, Ended> {
        let found = self.load_reservation(id)?;
        let due = self.purpose == Purpose::Command
            && found.as_ref().is_some_and(|it| it.is_due(self.now));
        if due {
            return Err(Ended::Due(Due::Reservation(id.to_owned())));
        }
        Ok(found)
    }

    fn put_reservation(&mut self, id: String, reservation: Reservation) -> Result<(), Ended> {
        self.load_reservation(&id)?;
        let known = self.reservation_writes.iter_mut().find(|(written, _)| *written == id);
        if let Some((_, written)) = known {
            *written = reservation;
            return Ok(());
        }
        let count = self.reservation_writes.len() + 1;
        within("wrote", count, RESERVATIONS_PER_COMMAND_MAX, "reservations")?;
        self.reservation_writes.push((id, reservation));
        Ok(())
    }

    fn scan_reservations(&mut self, _: &ReservationScan) -> Result<ReservationPage, Ended> {
        Err(Fault("it listed reservations in a command".to_owned()).into())
    }

    fn publish(&mut self, events: Vec<Event>) -> Result<(), Ended> {
        let count = self.events.len() + events.len();
        within("published", count, EVENTS_PER_COMMAND_MAX, "events")?;
        if self.events.is_empty() {
            self.events = events;
        } else {
            self.events.extend(events);
        }
        Ok(())
    }
}

fn within(did: &str, count: usize, most: usize, what: &str) -> Result<(), Fault> {
    if count <= most {
        return Ok(());
    }
    Err(Fault(format!("it {did} more than {most} {what} in one command")))
}
