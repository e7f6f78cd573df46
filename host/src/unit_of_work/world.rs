//! The world of a command: the command's own writes, over the batch, over the store.

use super::{Touched, TouchedReservation, UnitOfWork, earlier};
use crate::{
    component::World,
    model::{
        DeficitScan, DueHolds, Ended, Event, Fault, Map, Reservation, ReservationPage,
        ReservationScan, Stock, StockKey, StockScan, StoreFailure, Timestamp,
    },
    store::{self, Lane, Stored},
};

/// The most stocks that one command may write.
pub(super) const STOCKS_PER_COMMAND_MAX: usize = 16_384;

/// The most reservations that one command may write.
const RESERVATIONS_PER_COMMAND_MAX: usize = 1_024;

/// The most facts that one command may publish.
const EVENTS_PER_COMMAND_MAX: usize = 32_768;

impl<L: Lane> UnitOfWork<L> {
    /// The stock as the command at hand sees it, loaded where it is touched first.
    fn load(&mut self, key: &StockKey) -> Result<Option<Stock>, StoreFailure> {
        if let Some((_, stock)) = self.writes.iter().rev().find(|(written, _)| written == key) {
            return Ok(Some(*stock));
        }
        if let Some(touched) = self.stocks.get(key) {
            return Ok(touched.stock);
        }
        let stored = self.lane.stock(key)?;
        let (handle, stock) = match stored {
            Some(Stored { handle, stock }) => (Some(handle), Some(stock)),
            None => (None, None),
        };
        self.stocks.insert(key.clone(), Touched { handle, before: stock, stock, dirty: false });
        Ok(stock)
    }

    fn load_reservation(&mut self, id: &str) -> Result<Option<Reservation>, StoreFailure> {
        let written = self.reservation_writes.iter().find(|(written, _)| written == id);
        if let Some((_, reservation)) = written {
            return Ok(Some(reservation.clone()));
        }
        if let Some(touched) = self.reservations.get(id) {
            return Ok(touched.current().cloned());
        }
        let stored = match self.recent.get(id) {
            Some(recent) => Some(recent.clone()),
            None => self.lane.reservation(id)?,
        };
        let found = stored.as_ref().map(|stored| stored.reservation.clone());
        self.reservations.insert(id.to_owned(), TouchedReservation { stored, changed: None });
        Ok(found)
    }

    /// What is written but not committed, in this batch and by the command at hand.
    fn uncommitted(&self) -> Map<&StockKey, &Stock> {
        let batch = self.stocks.iter().filter(|(_, touched)| touched.dirty);
        let batch = batch.filter_map(|(key, touched)| Some((key, touched.stock.as_ref()?)));
        batch.chain(self.writes.iter().map(|(key, stock)| (key, stock))).collect()
    }

    fn uncommitted_reservations(&self) -> Map<&str, &Reservation> {
        let batch = self.reservations.iter();
        let batch =
            batch.filter_map(|(id, touched)| Some((id.as_str(), touched.changed.as_ref()?)));
        let own = self.reservation_writes.iter();
        batch.chain(own.map(|(id, reservation)| (id.as_str(), reservation))).collect()
    }

    /// Puts what is uncommitted over what the store found. The store was asked for as many
    /// more as there are uncommitted stocks, so that enough remain.
    fn overlay(
        &self,
        mut found: Vec<(StockKey, Stock)>,
        matches: impl Fn(&StockKey, &Stock) -> bool,
    ) -> Vec<(StockKey, Stock)> {
        let uncommitted = self.uncommitted();
        found.retain(|(key, _)| !uncommitted.contains_key(key));
        let written = uncommitted.into_iter().filter(|(key, stock)| matches(key, stock));
        found.extend(written.map(|(key, stock)| (key.clone(), *stock)));
        found
    }

    fn widened(&self, limit: u32) -> u32 {
        let uncommitted = self.stocks.len() + self.writes.len();
        limit.saturating_add(u32::try_from(uncommitted).unwrap_or(u32::MAX))
    }

    /// After a sweep: looks when the next hold comes due.
    ///
    /// # Errors
    /// Where the store fails.
    pub fn look_for_next_due(&mut self) -> Result<(), StoreFailure> {
        // What the batch has changed is not in the store yet: look past it.
        let changed = u32::try_from(self.reservations.len()).unwrap_or(u32::MAX);
        let stored = self.lane.first_due(changed.saturating_add(1))?;
        let touched = |id: &str| self.reservations.get(id).is_some_and(|it| it.changed.is_some());
        let unchanged = stored.into_iter().filter(|(id, _)| !touched(id)).map(|(_, at)| at);
        let changed = self.reservations.values().filter_map(|it| it.changed.as_ref());
        self.next_due = unchanged.chain(changed.filter_map(Reservation::due_at)).min();
        Ok(())
    }

    /// The same for holds that are due.
    fn overlay_due(
        &self,
        key: Option<&StockKey>,
        until: Timestamp,
        limit: u32,
        found: DueHolds,
    ) -> DueHolds {
        let uncommitted = self.uncommitted_reservations();
        let DueHolds { mut items, mut next_due } = found;
        items.retain(|(id, _)| !uncommitted.contains_key(id.as_str()));
        for (id, reservation) in uncommitted {
            if !reservation.is_due(until) {
                next_due = earlier(next_due, reservation.due_at());
            } else if key.is_none_or(|key| reservation.holds(key) > 0) {
                items.push((id.to_owned(), reservation.clone()));
            }
        }
        items.sort_by(|(a, first), (b, second)| {
            (first.status.expires_at, a).cmp(&(second.status.expires_at, b))
        });
        let most = usize::try_from(limit).unwrap_or(usize::MAX);
        if items.len() > most {
            next_due = items.get(most).and_then(|(_, first_left)| first_left.status.expires_at);
            items.truncate(most);
        }
        DueHolds { items, next_due }
    }
}

fn cut(found: &mut Vec<(StockKey, Stock)>, limit: u32) {
    found.truncate(usize::try_from(limit).unwrap_or(usize::MAX));
}

impl<L: Lane> World for UnitOfWork<L> {
    fn stock(&mut self, key: &StockKey) -> Result<Option<Stock>, Ended> {
        Ok(self.load(key)?)
    }

    fn put_stock(&mut self, key: StockKey, stock: Stock) -> Result<(), Ended> {
        // What was there before is needed to check the write, whether the guest looked or not.
        self.load(&key)?;
        if let Some((_, written)) = self.writes.iter_mut().find(|(written, _)| *written == key) {
            *written = stock;
            return Ok(());
        }
        within("wrote", self.writes.len() + 1, STOCKS_PER_COMMAND_MAX, "stocks")?;
        self.writes.push((key, stock));
        Ok(())
    }

    fn scan_stocks(&mut self, scan: &StockScan) -> Result<Vec<(StockKey, Stock)>, Ended> {
        let wider = StockScan { limit: self.widened(scan.limit), ..scan.clone() };
        let found = self.lane.scan_stocks(&wider)?;
        let mut found = self.overlay(found, |key, stock| store::scan_matches(scan, key, stock));
        found.sort_unstable_by(|(a, _), (b, _)| a.cmp(b));
        cut(&mut found, scan.limit);
        Ok(found)
    }

    fn scan_deficits(&mut self, scan: &DeficitScan) -> Result<Vec<(StockKey, Stock)>, Ended> {
        let wider = DeficitScan { limit: self.widened(scan.limit), ..scan.clone() };
        let found = self.lane.scan_deficits(&wider)?;
        let mut found =
            self.overlay(found, |key, stock| store::deficit_scan_matches(scan, key, stock));
        found.sort_unstable_by(|(a, first), (b, second)| {
            let order = store::deficit_order(store::deficit(first), a);
            order.cmp(&store::deficit_order(store::deficit(second), b))
        });
        cut(&mut found, scan.limit);
        Ok(found)
    }

    fn reservation(&mut self, id: &str) -> Result<Option<Reservation>, Ended> {
        Ok(self.load_reservation(id)?)
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

    fn due_holds(
        &mut self,
        key: Option<&StockKey>,
        until: Timestamp,
        limit: u32,
    ) -> Result<DueHolds, Ended> {
        if self.next_due.is_none_or(|at| at > until) {
            return Ok(DueHolds { items: Vec::new(), next_due: self.next_due });
        }
        let uncommitted = self.reservations.len() + self.reservation_writes.len();
        let wider = limit.saturating_add(u32::try_from(uncommitted).unwrap_or(u32::MAX));
        let found = self.lane.due_holds(key, until, wider)?;
        // What is found is about to be expired: it need not be read again for that.
        for (id, stored) in &found.items {
            if !self.reservations.contains_key(id) {
                let touched = TouchedReservation { stored: Some(stored.clone()), changed: None };
                self.reservations.insert(id.clone(), touched);
            }
        }
        Ok(self.overlay_due(key, until, limit, found.into()))
    }

    fn scan_reservations(&mut self, _: &ReservationScan) -> Result<ReservationPage, Ended> {
        Err(Fault("it listed reservations in a command".to_owned()).into())
    }

    fn publish(&mut self, events: Vec<Event>) -> Result<(), Ended> {
        let count = self.facts.len() + events.len();
        within("published", count, EVENTS_PER_COMMAND_MAX, "events")?;
        if self.facts.is_empty() {
            self.facts = events;
        } else {
            self.facts.extend(events);
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
