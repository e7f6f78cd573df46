use crate::{
    component::World,
    model::{
        DeficitScan, DueHolds, Ended, Event, Fault, Reservation, ReservationPage, ReservationScan,
        Stock, StockKey, StockScan, StoreFailure, Timestamp,
    },
    store::Snapshot,
};

/// The world of a query: what is committed, and nothing to be written.
pub struct ReadView<S> {
    snapshot: S,
    /// Whether all reads see the same commit.
    bound: bool,
    /// Whether a query that was not bound read more than one thing.
    torn: bool,
    /// A stock as it once was, to be read in place of what it is.
    pinned: Option<(StockKey, Stock)>,
}

impl<S: Snapshot> ReadView<S> {
    /// A view of this snapshot.
    pub fn new(snapshot: S) -> Self {
        Self { snapshot, bound: false, torn: false, pinned: None }
    }

    /// Makes all reads until [`ReadView::end`] see the same commit.
    ///
    /// # Errors
    /// Where the store fails.
    pub fn begin(&mut self) -> Result<(), StoreFailure> {
        self.snapshot.begin()?;
        self.bound = true;
        Ok(())
    }

    /// Lets reads see the latest commit again.
    pub fn end(&mut self) {
        self.bound = false;
        self.snapshot.end();
    }

    /// Whether the last query must be asked again, bound to one commit: it read more than one
    /// thing.
    pub fn take_torn(&mut self) -> bool {
        std::mem::take(&mut self.torn)
    }

    /// Lets a stock be read as it once was, until told otherwise.
    pub fn pin(&mut self, pinned: Option<(StockKey, Stock)>) {
        self.pinned = pinned;
    }
}

impl<S: Snapshot> World for ReadView<S> {
    fn stock(&mut self, key: &StockKey) -> Result<Option<Stock>, Ended> {
        if let Some((_, stock)) = self.pinned.as_ref().filter(|(pinned, _)| pinned == key) {
            return Ok(Some(*stock));
        }
        Ok(self.snapshot.stock(key)?.map(|stored| stored.stock))
    }

    fn put_stock(&mut self, _: StockKey, _: Stock) -> Result<(), Ended> {
        Err(Fault("it wrote a stock in a query".to_owned()).into())
    }

    fn scan_stocks(&mut self, scan: &StockScan) -> Result<Vec<(StockKey, Stock)>, Ended> {
        self.torn |= !self.bound;
        Ok(self.snapshot.scan_stocks(scan)?)
    }

    fn scan_deficits(&mut self, scan: &DeficitScan) -> Result<Vec<(StockKey, Stock)>, Ended> {
        self.torn |= !self.bound;
        Ok(self.snapshot.scan_deficits(scan)?)
    }

    fn reservation(&mut self, id: &str) -> Result<Option<Reservation>, Ended> {
        self.torn |= !self.bound;
        Ok(self.snapshot.reservation(id)?.map(|stored| stored.reservation))
    }

    fn put_reservation(&mut self, _: String, _: Reservation) -> Result<(), Ended> {
        Err(Fault("it wrote a reservation in a query".to_owned()).into())
    }

    fn due_holds(
        &mut self,
        key: Option<&StockKey>,
        until: Timestamp,
        limit: u32,
    ) -> Result<DueHolds, Ended> {
        self.torn |= !self.bound;
        Ok(self.snapshot.due_holds(key, until, limit)?.into())
    }

    fn scan_reservations(&mut self, scan: &ReservationScan) -> Result<ReservationPage, Ended> {
        self.torn |= !self.bound;
        Ok(self.snapshot.scan_reservations(scan)?)
    }

    fn publish(&mut self, _: Vec<Event>) -> Result<(), Ended> {
        Err(Fault("it published events in a query".to_owned()).into())
    }
}
