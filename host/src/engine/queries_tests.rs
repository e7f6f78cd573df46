use super::*;
use crate::model::{IdentityKind, ListStocks, Rejection, Scopes, StockKey, Subject};
use std::{
    sync::{
        Mutex,
        atomic::{AtomicBool, Ordering},
        mpsc,
    },
    time::Duration,
};

/// The callers that asked, and whether each was answered on the thread of its request.
type Seen = Arc<Mutex<Vec<(Option<String>, bool)>>>;

/// Queries without a store: they note who asks, and answer that there is nothing.
struct Nothing {
    permits: Arc<Semaphore>,
    within: Duration,
    stopping: Arc<AtomicBool>,
    /// Whether all readers are busy.
    busy: bool,
    seen: Seen,
}

impl Nothing {
    fn within(within: Duration) -> (Arc<Semaphore>, Arc<dyn Queries>) {
        let permits = Arc::new(Semaphore::new(1));
        let queries = Self {
            permits: Arc::clone(&permits),
            within,
            stopping: Arc::default(),
            busy: false,
            seen: Arc::default(),
        };
        (permits, Arc::new(queries))
    }

    fn note(&self, caller: Option<&str>, at_once: bool) {
        self.seen.lock().unwrap().push((caller.map(str::to_owned), at_once));
    }

    fn rejected() -> Result<Answer, Error> {
        let (code, message) = ("product-not-found".to_owned(), String::new());
        Err(Error::Rejected(Rejection { code, message, details: Vec::new() }))
    }
}

#[rustfmt::skip]
impl Queries for Nothing {
    fn permits(&self) -> &Arc<Semaphore> { &self.permits }
    fn deadline(&self) -> (QueryDeadline, QueryGuard) {
        QueryDeadline::new(self.within, Arc::clone(&self.stopping))
    }
    fn stop(&self) { self.stopping.store(true, Ordering::Relaxed); }
    fn may_block(&self) -> bool { false }
    fn try_query(&self, caller: Option<&str>, _: Query<'_>) -> Option<Result<Answer, Error>> {
        if self.busy { return None; }
        self.note(caller, true);
        Some(Self::rejected())
    }
    fn query(&self, _: &QueryDeadline, caller: Option<&str>, _: Query<'_>) -> Result<Answer, Error> {
        self.note(caller, false);
        Self::rejected()
    }
    fn stock_as_of(&self, _: &QueryDeadline, _: Option<&str>, _: &GetStock, _: PointInTime)
        -> Result<Option<StockView>, Error> { Err(Error::Fault) }
    fn ledger(&self, _: &QueryDeadline, _: &LedgerScan) -> Result<Option<LedgerPage>, Error> {
        Err(Error::Fault)
    }
    fn events(&self, _: &QueryDeadline, _: &EventScan) -> Result<EventPage, Error> { Err(Error::Fault) }
}

/// A query that reads on until it is told to stop.
fn endless(deadline: &QueryDeadline) -> Result<(), Error> {
    while !deadline.is_over() {
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
        blocking(&queries, move |_, deadline| {
            let _ = begun.send(());
            let ended = endless(deadline);
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
    let ended = blocking(&queries, |_, deadline| endless(deadline)).await;
    let Err(error @ Error::QueryTimeout { .. }) = ended else { panic!("{ended:?}") };
    assert_eq!(error.to_string(), "the query was stopped after 20 ms: ask for less, or later");
}

#[tokio::test]
async fn a_server_that_stops_waits_for_no_query() {
    let (_, queries) = Nothing::within(Duration::from_secs(3600));
    let asked = tokio::spawn({
        let queries = Arc::clone(&queries);
        async move { blocking(&queries, |_, deadline| endless(deadline)).await }
    });
    queries.stop();
    assert!(matches!(asked.await.expect("an end"), Err(Error::Stopping)));
}

#[tokio::test]
async fn a_query_says_who_asks_on_whatever_thread_it_is_answered() {
    let subject = Subject::parse("web-7").unwrap();
    let web = Identity::new(subject, IdentityKind::TrustedHeader, Scopes::ALL_BUT_ADMIN);
    let one = GetStock { key: StockKey::parse("a".into(), "north".into()).unwrap() };
    let list = ListStocks::default();
    for (identity, name) in [(web, Some("web-7".to_owned())), (Identity::ANONYMOUS, None)] {
        for busy in [false, true] {
            let seen = Seen::default();
            let queries: Arc<dyn Queries> = Arc::new(Nothing {
                permits: Arc::new(Semaphore::new(1)),
                within: Duration::from_secs(3600),
                stopping: Arc::default(),
                busy,
                seen: Arc::clone(&seen),
            });
            assert!(matches!(ask(&queries, &identity, &one).await, Err(Error::Rejected(_))));
            assert!(matches!(ask(&queries, &identity, &list).await, Err(Error::Rejected(_))));
            assert_eq!(*seen.lock().unwrap(), [(name.clone(), !busy), (name.clone(), false)]);
        }
    }
}
