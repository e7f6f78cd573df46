//! Queries: the thread on which each is answered, and the deadline of the answer. The store behind
//! them is hidden by the trait [`Queries`].

use super::{
    Error,
    logs::{LedgerPage, LedgerScan, PointInTime},
};
use crate::{
    model::{Answer, Ask, GetStock, Identity, Query, QueryDeadline, QueryGuard, StockView},
    store::{EventPage, EventScan},
};
use std::sync::Arc;
use tokio::sync::Semaphore;

/// Answers queries from the committed state. Every method but the first four blocks for as long as
/// the store does. `caller` is the caller's name; `None` for the anonymous identity.
pub(super) trait Queries: Send + Sync {
    /// One permit for each query that may run at once.
    fn permits(&self) -> &Arc<Semaphore>;

    /// The deadline of a query that begins now, and the guard that cancels the query when dropped.
    fn deadline(&self) -> (QueryDeadline, QueryGuard);

    /// Ends the queries under way, and all later ones: each returns [`Error::Stopping`].
    fn stop(&self);

    /// Whether an answer may take longer than reading a page of the database.
    fn may_block(&self) -> bool;

    /// Answers a query at once, without a deadline; `None` where all readers are busy.
    fn try_query(&self, caller: Option<&str>, query: Query<'_>) -> Option<Result<Answer, Error>>;

    /// Answers a query.
    fn query(
        &self,
        deadline: &QueryDeadline,
        caller: Option<&str>,
        query: Query<'_>,
    ) -> Result<Answer, Error>;

    /// One stock at a point in time; `None` where the stock did not exist yet.
    fn stock_as_of(
        &self,
        deadline: &QueryDeadline,
        caller: Option<&str>,
        query: &GetStock,
        as_of: PointInTime,
    ) -> Result<Option<StockView>, Error>;

    /// A page of a stock's ledger; `None` where the stock does not exist.
    fn ledger(
        &self,
        deadline: &QueryDeadline,
        scan: &LedgerScan,
    ) -> Result<Option<LedgerPage>, Error>;

    /// A page of the whole log, the oldest events first.
    fn events(&self, deadline: &QueryDeadline, scan: &EventScan) -> Result<EventPage, Error>;
}

/// Answers a query. A query for one stock reads a page of the database and takes the component a
/// microsecond, and another thread would cost more than that: the calling thread answers it where a
/// reader is free. Every other query runs on a thread that may block.
pub(super) async fn ask<Q: Ask>(
    queries: &Arc<dyn Queries>,
    identity: &Identity,
    query: &Q,
) -> Result<Q::Answer, Error> {
    let caller = identity.caller();
    if matches!(query.as_query(), Query::GetStock(_))
        && !queries.may_block()
        && let Some(answer) = queries.try_query(caller.map(|name| &**name), query.as_query())
    {
        return typed::<Q>(answer?);
    }
    let (query, caller) = (query.clone(), caller.cloned());
    let answer = blocking(queries, move |queries, deadline| {
        queries.query(deadline, caller.as_deref(), query.as_query())
    });
    typed::<Q>(answer.await?)
}

/// Converts an answer to the type of its query.
pub(super) fn typed<Q: Ask>(answer: Answer) -> Result<Q::Answer, Error> {
    Q::answer(answer).ok_or_else(|| {
        tracing::error!("a query got the answer of another kind of query");
        Error::Fault
    })
}

/// Runs a query on a thread that may block. The query keeps its permit until its thread has
/// finished, and ends soon after its client has gone.
pub(super) async fn blocking<T: Send + 'static>(
    queries: &Arc<dyn Queries>,
    query: impl FnOnce(&dyn Queries, &QueryDeadline) -> Result<T, Error> + Send + 'static,
) -> Result<T, Error> {
    let permit = Arc::clone(queries.permits()).acquire_owned().await;
    let permit = permit.map_err(|_| Error::Stopping)?;
    let (deadline, _waiting) = queries.deadline();
    let queries = Arc::clone(queries);
    let asked = tokio::task::spawn_blocking(move || {
        let _permit = permit;
        match query(&*queries, &deadline) {
            Err(Error::Stopping) if deadline.has_passed() => {
                Err(Error::QueryTimeout { within: deadline.within() })
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
