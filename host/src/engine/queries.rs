//! What can be asked, whatever store is behind it, and how long the answer may take.

use super::Error;
use crate::{
    model::{
        DeficitPosition, LocationId, LogEntry, LowStockPage, Patience, Reservation,
        ReservationPage, ReservationScan, StockFilter, StockKey, StockPage, StockView, Timestamp,
        Waiting,
    },
    store::{EventPage, EventScan, Order},
};
use std::sync::Arc;
use tokio::sync::Semaphore;

/// A point in the past.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum AsOf {
    /// Behind the event of this number.
    Sequence(u64),
    /// At this time.
    Time(Timestamp),
}

/// A page of a ledger.
#[derive(Clone, Debug)]
pub struct LedgerPage {
    /// The entries.
    pub items: Vec<LogEntry>,
    /// The sequence behind which to read on; none at the end.
    pub next: Option<u64>,
}

/// The queries, whatever store is behind them. They block for as long as the store does.
#[allow(clippy::missing_errors_doc, missing_docs, reason = "as the engine's, which call them")]
pub trait Queries: Send + Sync {
    fn permits(&self) -> &Arc<Semaphore>;
    /// For a query that begins now.
    fn patience(&self) -> (Patience, Waiting);
    /// From now on queries end without an answer, those under way too.
    fn stop(&self);
    /// Whether answering one may block on something else than a page of the database.
    fn may_block(&self) -> bool;
    /// None: all readers are busy.
    fn try_stock(&self, key: &StockKey) -> Option<Result<StockView, Error>>;
    fn stock(&self, patience: &Patience, key: &StockKey) -> Result<StockView, Error>;
    fn stocks(
        &self,
        patience: &Patience,
        keys: &[StockKey],
    ) -> Result<Vec<Option<StockView>>, Error>;
    fn list_stocks(
        &self,
        patience: &Patience,
        filter: &StockFilter,
        after: Option<&StockKey>,
        limit: u32,
    ) -> Result<StockPage, Error>;
    fn low_stock(
        &self,
        patience: &Patience,
        location_id: Option<&LocationId>,
        after: Option<&DeficitPosition>,
        limit: u32,
    ) -> Result<LowStockPage, Error>;
    fn ledger(
        &self,
        patience: &Patience,
        key: &StockKey,
        order: Order,
        after: Option<u64>,
        limit: u32,
    ) -> Result<Option<LedgerPage>, Error>;
    fn stock_as_of(
        &self,
        patience: &Patience,
        key: &StockKey,
        as_of: AsOf,
    ) -> Result<Option<StockView>, Error>;
    fn reservation(&self, patience: &Patience, id: &str) -> Result<Reservation, Error>;
    fn list_reservations(
        &self,
        patience: &Patience,
        scan: &ReservationScan,
    ) -> Result<ReservationPage, Error>;
    fn events(&self, patience: &Patience, scan: &EventScan) -> Result<EventPage, Error>;
}

/// One stock. A page of the database and a microsecond of the component: less than handing
/// the work to another thread would take.
pub(super) async fn stock(queries: &Arc<dyn Queries>, key: &StockKey) -> Result<StockView, Error> {
    if !queries.may_block()
        && let Some(answer) = queries.try_stock(key)
    {
        return answer;
    }
    let key = key.clone();
    blocking(queries, move |queries, patience| queries.stock(patience, &key)).await
}

/// A query that can take longer, on a thread that may wait. It keeps its permit until it has really
/// ended, and it ends soon after whoever asked has gone.
pub(super) async fn blocking<T: Send + 'static>(
    queries: &Arc<dyn Queries>,
    query: impl FnOnce(&dyn Queries, &Patience) -> Result<T, Error> + Send + 'static,
) -> Result<T, Error> {
    let permit = Arc::clone(queries.permits()).acquire_owned().await;
    let permit = permit.map_err(|_| Error::Stopping)?;
    let (patience, _waiting) = queries.patience();
    let queries = Arc::clone(queries);
    let asked = tokio::task::spawn_blocking(move || {
        let _permit = permit;
        match query(&*queries, &patience) {
            Err(Error::Stopping) if patience.time_is_over() => {
                Err(Error::QueryTimeout { within: patience.within() })
            }
            result => result,
        }
    });
    match asked.await {
        Ok(result) => result,
        Err(error) => {
            tracing::error!(%error, "a query panicked");
            Err(Error::Fault)
        }
    }
}

#[cfg(test)]
#[path = "queries_tests.rs"]
mod tests;
