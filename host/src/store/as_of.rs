//! The past, seen from the present: what is there now, but where a recorded command wrote later,
//! what it replaced.

use super::{
    Answered, Batch, Handle, Lane, LogEnd, RequestKey, ReservationHandle, Snapshot, Stored,
    StoredDue, StoredReservation,
};
use crate::model::{
    DeficitScan, Installed, Map, Reservation, ReservationPage, ReservationScan, State, Stock,
    StockKey, StockScan, StoreFailure, Timestamp,
};
use std::collections::{BTreeSet, VecDeque};

/// How many more holds are looked at where some of those found were not there yet.
const WIDER: u32 = 64;

/// A store as it was before a recorded command, that moves on from command to command.
pub struct AsOf<S> {
    present: S,
    /// What each later command replaced, in their order.
    stocks: Map<StockKey, VecDeque<Option<Stock>>>,
    reservations: Map<String, VecDeque<Option<Reservation>>>,
    /// When the reservations that are written later come due, as they are now.
    due: BTreeSet<(Timestamp, String)>,
}

impl<S: Snapshot> AsOf<S> {
    /// The present. What came before is told by [`AsOf::before`].
    pub fn new(present: S) -> Self {
        Self { present, stocks: Map::default(), reservations: Map::default(), due: BTreeSet::new() }
    }

    /// Tells of a command: all from the first that matters to the last, in their order.
    pub fn before(&mut self, replaced: State) {
        for (key, stock) in replaced.stocks {
            self.stocks.entry(key).or_default().push_back(stock);
        }
        for (id, reservation) in replaced.reservations {
            let known = self.reservations.entry(id.clone()).or_default();
            if known.is_empty() {
                self.due.extend(due(&id, reservation.as_ref()));
            }
            known.push_back(reservation);
        }
    }

    /// Moves on behind a command: the first of those that are still to come.
    pub fn pass(&mut self, replaced: &State) {
        for (key, _) in &replaced.stocks {
            if let Some(later) = self.stocks.get_mut(key) {
                later.pop_front();
                if later.is_empty() {
                    self.stocks.remove(key);
                }
            }
        }
        for (id, _) in &replaced.reservations {
            let Some(later) = self.reservations.get_mut(id) else { continue };
            if let Some(gone) = later.pop_front().and_then(|it| due(id, it.as_ref())) {
                self.due.remove(&gone);
            }
            match later.front() {
                Some(next) => self.due.extend(due(id, next.as_ref())),
                None => {
                    self.reservations.remove(id);
                }
            }
        }
    }

    fn known_reservation(&self, id: &str) -> Option<Option<&Reservation>> {
        self.reservations.get(id).and_then(|later| later.front()).map(Option::as_ref)
    }

    fn correct(&self, found: &mut Vec<(StockKey, Stock)>) {
        let now = |key: &StockKey| self.stocks.get(key).and_then(|later| later.front());
        found.retain_mut(|(key, stock)| match now(key) {
            None => true,
            Some(None) => false,
            Some(Some(then)) => {
                *stock = *then;
                true
            }
        });
    }
}

fn due(id: &str, it: Option<&Reservation>) -> Option<(Timestamp, String)> {
    it.and_then(Reservation::due_at).map(|at| (at, id.to_owned()))
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
    fn scan_stocks(&mut self, scan: &StockScan) -> Result<Vec<(StockKey, Stock)>, StoreFailure> {
        let mut found = self.present.scan_stocks(scan)?;
        self.correct(&mut found);
        Ok(found)
    }

    fn scan_deficits(
        &mut self,
        scan: &DeficitScan,
    ) -> Result<Vec<(StockKey, Stock)>, StoreFailure> {
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

    fn due_holds(
        &mut self,
        key: Option<&StockKey>,
        until: Timestamp,
        limit: u32,
    ) -> Result<StoredDue, StoreFailure> {
        let mut wider = limit.saturating_add(WIDER);
        let (mut items, mut next_due) = loop {
            let found = self.present.due_holds(key, until, wider)?;
            let all = u32::try_from(found.items.len()).is_ok_and(|count| count < wider);
            let mut items = found.items;
            items.retain(|(id, _)| self.known_reservation(id).is_none());
            let enough = u32::try_from(items.len()).is_ok_and(|count| count >= limit);
            if all || enough || wider == u32::MAX {
                break (items, found.next_due);
            }
            wider = wider.saturating_mul(2);
        };
        for (at, id) in &self.due {
            if *at > until {
                next_due = Some(next_due.map_or(*at, |next| next.min(*at)));
                break;
            }
            let then = self.known_reservation(id).flatten();
            if let Some(then) = then.filter(|it| key.is_none_or(|key| it.holds(key) > 0)) {
                items.push((id.clone(), stored(then)));
            }
        }
        let order =
            |(id, it): &(String, StoredReservation)| (it.reservation.status.expires_at, id.clone());
        items.sort_by_key(order);
        let most = usize::try_from(limit).unwrap_or(usize::MAX);
        if items.len() > most {
            next_due = items.get(most).and_then(|(_, it)| it.reservation.status.expires_at);
            items.truncate(most);
        }
        Ok(StoredDue { items, next_due })
    }

    /// Nothing is known of the past but that something may have been due.
    fn first_due(&mut self, _: u32) -> Result<Vec<(String, Timestamp)>, StoreFailure> {
        Ok(vec![(String::new(), 0)])
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

    fn forget_answers(&mut self, _: Timestamp, _: u32) -> Result<usize, StoreFailure> {
        Ok(0)
    }

    fn recover(&mut self) -> Result<(), StoreFailure> {
        Ok(())
    }

    fn close(&mut self) -> Result<(), StoreFailure> {
        Ok(())
    }
}
