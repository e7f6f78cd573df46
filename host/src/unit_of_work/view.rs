use crate::{
    component::World,
    model::{DeficitScan, Ended, Event, Fault, Stock, StockKey, StockScan, StoreFailure},
    store::Snapshot,
};

/// The world of a query: what is committed, and nothing to be written.
pub struct ReadView<S> {
    snapshot: S,
}

impl<S: Snapshot> ReadView<S> {
    /// A view of this snapshot.
    pub fn new(snapshot: S) -> Self {
        Self { snapshot }
    }

    /// Makes all reads until [`ReadView::end`] see the same commit.
    ///
    /// # Errors
    /// Where the store fails.
    pub fn begin(&mut self) -> Result<(), StoreFailure> {
        self.snapshot.begin()
    }

    /// Lets reads see the latest commit again.
    pub fn end(&mut self) {
        self.snapshot.end();
    }
}

impl<S: Snapshot> World for ReadView<S> {
    fn stock(&mut self, key: &StockKey) -> Result<Option<Stock>, Ended> {
        Ok(self.snapshot.stock(key)?.map(|stored| stored.stock))
    }

    fn put_stock(&mut self, _: StockKey, _: Stock) -> Result<(), Ended> {
        Err(Fault("it wrote a stock in a query".to_owned()).into())
    }

    fn scan_stocks(&mut self, scan: &StockScan) -> Result<Vec<(StockKey, Stock)>, Ended> {
        Ok(self.snapshot.scan_stocks(scan)?)
    }

    fn scan_deficits(&mut self, scan: &DeficitScan) -> Result<Vec<(StockKey, Stock)>, Ended> {
        Ok(self.snapshot.scan_deficits(scan)?)
    }

    fn publish(&mut self, _: Vec<Event>) -> Result<(), Ended> {
        Err(Fault("it published events in a query".to_owned()).into())
    }
}
