use super::*;
use std::{
    sync::{
        atomic::{AtomicBool, Ordering},
        mpsc,
    },
    time::Duration,
};

/// Of queries only what a query needs that asks for nothing.
struct Nothing {
    permits: Arc<Semaphore>,
    within: Duration,
    stopping: Arc<AtomicBool>,
}

impl Nothing {
    fn within(within: Duration) -> (Arc<Semaphore>, Arc<dyn Queries>) {
        let permits = Arc::new(Semaphore::new(1));
        let queries = Self { permits: Arc::clone(&permits), within, stopping: Arc::default() };
        (permits, Arc::new(queries))
    }
}

type Answer<T> = Result<T, Error>;

#[rustfmt::skip]
impl Queries for Nothing {
    fn permits(&self) -> &Arc<Semaphore> { &self.permits }
    fn patience(&self) -> (Patience, Waiting) {
        Patience::new(self.within, Arc::clone(&self.stopping))
    }
    fn stop(&self) { self.stopping.store(true, Ordering::Relaxed); }
    fn may_block(&self) -> bool { false }
    fn try_stock(&self, _: &StockKey) -> Option<Answer<StockView>> { None }
    fn stock(&self, _: &Patience, _: &StockKey) -> Answer<StockView> { Err(Error::Fault) }
    fn stocks(&self, _: &Patience, _: &[StockKey]) -> Answer<Vec<Option<StockView>>> {
        Err(Error::Fault)
    }
    fn list_stocks(&self, _: &Patience, _: &StockFilter, _: Option<&StockKey>, _: u32)
        -> Answer<StockPage> { Err(Error::Fault) }
    fn low_stock(&self, _: &Patience, _: Option<&LocationId>, _: Option<&DeficitPosition>, _: u32)
        -> Answer<LowStockPage> { Err(Error::Fault) }
    fn ledger(&self, _: &Patience, _: &StockKey, _: Order, _: Option<u64>, _: u32)
        -> Answer<Option<LedgerPage>> { Err(Error::Fault) }
    fn stock_as_of(&self, _: &Patience, _: &StockKey, _: AsOf) -> Answer<Option<StockView>> {
        Err(Error::Fault)
    }
    fn reservation(&self, _: &Patience, _: &str) -> Answer<Reservation> { Err(Error::Fault) }
    fn list_reservations(&self, _: &Patience, _: &ReservationScan) -> Answer<ReservationPage> {
        Err(Error::Fault)
    }
    fn events(&self, _: &Patience, _: &EventScan) -> Answer<EventPage> { Err(Error::Fault) }
}

/// A query that reads on until it is told to stop.
fn endless(patience: &Patience) -> Answer<()> {
    while !patience.is_over() {
        std::thread::yield_now();
    }
    Err(Error::Stopping)
}

#[tokio::test]
async fn a_query_whose_client_has_gone_ends_and_keeps_its_permit_until_then() {
    let (permits, queries) = Nothing::within(Duration::from_secs(3600));
    let (may_end, end) = mpsc::channel();
    let (begun, has_begun) = tokio::sync::oneshot::channel();
    let asked = tokio::spawn(async move {
        blocking(&queries, move |_, patience| {
            let _ = begun.send(());
            let ended = endless(patience);
            end.recv().expect("a word");
            ended
        })
        .await
    });
    has_begun.await.expect("a beginning");
    asked.abort();
    assert!(asked.await.is_err(), "nobody waits any more");
    assert_eq!(permits.available_permits(), 0, "it still runs");
    may_end.send(()).expect("it has noticed that nobody waits");
    let _permit = permits.acquire().await.expect("its permit");
}

#[tokio::test]
async fn a_query_that_takes_too_long_is_told_how_long_it_may_take() {
    let (_, queries) = Nothing::within(Duration::from_millis(20));
    let ended = blocking(&queries, |_, patience| endless(patience)).await;
    let Err(error @ Error::QueryTimeout { .. }) = ended else { panic!("{ended:?}") };
    assert_eq!(error.to_string(), "the query was stopped after 20 ms: ask for less, or later");
}

#[tokio::test]
async fn a_server_that_stops_waits_for_no_query() {
    let (_, queries) = Nothing::within(Duration::from_secs(3600));
    let asked = tokio::spawn({
        let queries = Arc::clone(&queries);
        async move { blocking(&queries, |_, patience| endless(patience)).await }
    });
    queries.stop();
    assert!(matches!(asked.await.expect("an end"), Err(Error::Stopping)));
}
