//! The world of queries.

use crate::{
    component::{Purpose, World},
    model::{
        DeficitScan, Ended, Event, Fault, QueryDeadline, Reservation, ReservationPage,
        ReservationScan, Stock, StockKey, StockScan, StoreFailure, Timestamp,
    },
    store::{FoundStocks, Snapshot, Stored},
};

/// The world of a query: it reads the committed state, and every write is a fault.
pub struct ReadView<S> {
    snapshot: S,
    /// Whether all reads see the same commit: a snapshot pin is held.
    bound: bool,
    /// Whether a query without a snapshot pin made reads that may be of different commits.
    torn: bool,
    /// The time as of which the query is answered, in milliseconds since the epoch.
    now: Timestamp,
    /// A stock as it was at a point in time, which replaces the current stock for reads.
    pinned: Option<(StockKey, Stock)>,
}

impl<S: Snapshot> ReadView<S> {
    /// Creates a view of this snapshot.
    pub fn new(snapshot: S) -> Self {
        Self { snapshot, bound: false, torn: false, now: 0, pinned: None }
    }

    /// Takes a snapshot pin: all reads until [`ReadView::end`] see the same commit.
    ///
    /// # Errors
    /// The store fails.
    pub fn begin(&mut self) -> Result<(), StoreFailure> {
        self.snapshot.begin()?;
        self.bound = true;
        Ok(())
    }

    /// Releases the snapshot pin: reads see the latest commit again.
    pub fn end(&mut self) {
        self.bound = false;
        self.snapshot.end();
    }

    /// Lets reads fail once this deadline is over; `None` sets no deadline.
    pub fn limit(&mut self, deadline: Option<&QueryDeadline>) {
        self.snapshot.limit(deadline);
    }

    /// Whether the last query must be asked again with a snapshot pin, because its reads may be of
    /// different commits.
    pub fn take_torn(&mut self) -> bool {
        std::mem::take(&mut self.torn)
    }

    /// The latest time as of which queries can be answered.
    #[must_use]
    pub fn exact_until(&self) -> Timestamp {
        self.snapshot.exact_until()
    }

    /// The stock with its due units. Without a snapshot pin the number is 0: either nothing is due,
    /// or the query is asked again with a pin.
    fn with_due(&self, key: &StockKey, stored: &Stored<S::StockHandle>) -> Stock {
        let due = if self.bound { self.snapshot.due_units(key, stored, self.now) } else { 0 };
        Stock { due, ..stored.stock }
    }

    fn all_with_due(&self, found: FoundStocks<S::StockHandle>) -> Vec<(StockKey, Stock)> {
        let with_due = |(key, stored): (StockKey, Stored<_>)| {
            let stock = self.with_due(&key, &stored);
            (key, stock)
        };
        found.into_iter().map(with_due).collect()
    }

    /// Replaces one stock for reads, by the stock as it was at a point in time; `None` ends that.
    pub fn pin(&mut self, pinned: Option<(StockKey, Stock)>) {
        self.pinned = pinned;
    }
}

impl<S: Snapshot> World for ReadView<S> {
    fn begin_call(&mut self, _: Purpose, now: Timestamp) {
        self.now = now;
    }

    fn stock(&mut self, key: &StockKey) -> Result<Option<Stock>, Ended> {
        if let Some((_, stock)) = self.pinned.as_ref().filter(|(pinned, _)| pinned == key) {
            return Ok(Some(*stock));
        }
        // Due units belong to one commit. Where no hold at all is due, the commit does not matter.
        // The question is asked before and after the read, because a commit can come in between.
        let nothing_due = self.snapshot.nothing_due(self.now);
        let found = self.snapshot.stock(key)?;
        if !(nothing_due && self.snapshot.nothing_due(self.now)) {
            self.torn |= !self.bound;
        }
        Ok(found.map(|stored| self.with_due(key, &stored)))
    }

    fn put_stock(&mut self, _: StockKey, _: Stock) -> Result<(), Ended> {
        Err(Fault("it wrote a stock in a query".to_owned()).into())
    }

    fn scan_stocks(&mut self, scan: &StockScan) -> Result<Vec<(StockKey, Stock)>, Ended> {
        self.torn |= !self.bound;
        let found = self.snapshot.scan_stocks(scan)?;
        Ok(self.all_with_due(found))
    }

    fn scan_deficits(&mut self, scan: &DeficitScan) -> Result<Vec<(StockKey, Stock)>, Ended> {
        self.torn |= !self.bound;
        let found = self.snapshot.scan_deficits(scan)?;
        Ok(self.all_with_due(found))
    }

    fn reservation(&mut self, id: &str) -> Result<Option<Reservation>, Ended> {
        self.torn |= !self.bound;
        Ok(self.snapshot.reservation(id)?.map(|stored| stored.reservation))
    }

    fn put_reservation(&mut self, _: String, _: Reservation) -> Result<(), Ended> {
        Err(Fault("it wrote a reservation in a query".to_owned()).into())
    }

    fn scan_reservations(&mut self, scan: &ReservationScan) -> Result<ReservationPage, Ended> {
        self.torn |= !self.bound;
        let scan = ReservationScan { now: self.now, ..scan.clone() };
        Ok(self.snapshot.scan_reservations(&scan)?)
    }

    fn publish(&mut self, _: Vec<Event>) -> Result<(), Ended> {
        Err(Fault("it published events in a query".to_owned()).into())
    }
}
