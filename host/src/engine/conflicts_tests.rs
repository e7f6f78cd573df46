//! Batches whose commits meet conflicts with another writer.

use super::*;
use crate::{
    component::{Compiled, EMBEDDED, Limits, Runtime},
    engine::{self, Engine, Request, StartComponents, Work, WriterHandle},
    model::{
        Action, Command, DeficitScan, Digest, Identity, Installed, Level, LogEntry, Origin,
        Outcome, QueryDeadline, Recorded, ReservationPage, ReservationScan, Stock, StockKey,
        StockScan,
    },
    store::{
        Batch, Committed, Decidable, EventPage, EventScan, FoundStocks, IdempotencyBounds,
        IdempotencyKey, IdempotencyRecord, Log, LogEnd, LookAhead, MemoryLane, Order, Read, Stored,
        StoredReservation,
    },
};
use std::sync::{
    Arc, Mutex,
    atomic::{AtomicU32, Ordering},
};
use uuid::Uuid;

/// A lane whose next commits end in conflicts. With each conflict another writer sets the total of
/// the stock.
struct Contested {
    inner: MemoryLane,
    /// The number of commits that still end in a conflict.
    conflicts: Arc<AtomicU32>,
    /// The total that the other writer sets.
    total: u64,
    /// The keys that the batches announced.
    announced: Arc<Mutex<Vec<String>>>,
}

fn key() -> StockKey {
    StockKey::parse("a".to_owned(), "default".to_owned()).unwrap()
}

fn stock(total: u64) -> Stock {
    let level = Level { total, reserved: 0, unattributed: 0, minimum: 0, version: 1 };
    Stock { level, due: 0, created_at: 1, updated_at: 1 }
}

#[rustfmt::skip]
impl Read for Contested {
    type StockHandle = ();
    type ReservationHandle = ();
    fn stock(&mut self, key: &StockKey) -> Result<Option<Stored<()>>, StoreFailure> {
        self.inner.stock(key)
    }
    fn scan_stocks(&mut self, scan: &StockScan) -> Result<FoundStocks<()>, StoreFailure> {
        self.inner.scan_stocks(scan)
    }
    fn scan_deficits(&mut self, scan: &DeficitScan) -> Result<FoundStocks<()>, StoreFailure> {
        self.inner.scan_deficits(scan)
    }
    fn reservation(&mut self, id: &str) -> Result<Option<StoredReservation<()>>, StoreFailure> {
        self.inner.reservation(id)
    }
    fn scan_reservations(&mut self, scan: &ReservationScan) -> Result<ReservationPage, StoreFailure> {
        self.inner.scan_reservations(scan)
    }
}

#[rustfmt::skip]
impl Decidable for Contested {
    fn first_due(&mut self, limit: u32) -> Result<Vec<(String, Timestamp)>, StoreFailure> {
        self.inner.first_due(limit)
    }
    fn due_on(&mut self, key: &StockKey, handle: &(), until: Timestamp, limit: u32)
        -> Result<Vec<String>, StoreFailure> {
        self.inner.due_on(key, handle, until, limit)
    }
}

#[rustfmt::skip]
impl Lane for Contested {
    fn begin_batch(&mut self, keys: &BatchKeys<'_>) -> Result<(), StoreFailure> {
        let mut announced = self.announced.lock().unwrap();
        keys.for_each(|key| announced.push(match key {
            BatchKey::Stock(key) => format!("stock {}", key.product_id.as_str()),
            BatchKey::Reservation(id) => format!("reservation {id}"),
            BatchKey::Idempotency(key) => format!("request {}", key.key),
        }));
        self.inner.begin_batch(keys)
    }
    fn commit(&mut self, batch: Batch<'_, '_, Self>) -> Result<Committed<()>, CommitError> {
        let left = |left: u32| left.checked_sub(1);
        if self.conflicts.fetch_update(Ordering::SeqCst, Ordering::SeqCst, left).is_ok() {
            self.inner.stocks.insert(key(), stock(self.total));
            return Err(CommitError::Conflict);
        }
        let Batch {
            stocks, reservations, log, idempotency_records, idempotency_bounds, installed, recorded, recorded_max, now
        } = batch;
        self.inner.commit(Batch {
            stocks, reservations, log, idempotency_records, idempotency_bounds, installed, recorded, recorded_max, now
        })
    }
    fn look_ahead(&mut self, now: Timestamp) -> Result<LookAhead, StoreFailure> {
        self.inner.look_ahead(now)
    }
    fn next_due(&self) -> Option<Timestamp> { self.inner.next_due() }
    fn log_end(&mut self) -> Result<LogEnd, StoreFailure> { self.inner.log_end() }
    fn installed(&mut self) -> Result<Option<Installed>, StoreFailure> { self.inner.installed() }
    fn idempotency_record(&mut self, key: &IdempotencyKey, since: Timestamp) -> Result<Option<IdempotencyRecord>, StoreFailure> {
        self.inner.idempotency_record(key, since)
    }
    fn delete_idempotency_records(&mut self, before: Timestamp, limit: u32) -> Result<bool, StoreFailure> {
        self.inner.delete_idempotency_records(before, limit)
    }
    fn recover(&mut self) -> Result<(), StoreFailure> {
        panic!("a conflict is no failure: there is nothing to recover from")
    }
    fn close(&mut self) -> Result<(), StoreFailure> { self.inner.close() }
}

/// A log that nobody reads.
struct Unread;

#[rustfmt::skip]
impl Log for Unread {
    fn stock_events(&mut self, _: &StockKey, _: Order, _: Option<u64>, _: u32)
        -> Result<Option<Vec<LogEntry>>, StoreFailure> { unreachable!() }
    fn last_stock_event(&mut self, _: &StockKey, _: u64)
        -> Result<Option<(LogEntry, Timestamp)>, StoreFailure> { unreachable!() }
    fn sequence_at(&mut self, _: Timestamp) -> Result<u64, StoreFailure> { unreachable!() }
    fn events(&mut self, _: &EventScan) -> Result<EventPage, StoreFailure> { unreachable!() }
    fn limit(&mut self, _: Option<&QueryDeadline>) {}
    fn pin(&mut self) -> Result<(), StoreFailure> { unreachable!() }
    fn last_recorded(&mut self) -> Result<u64, StoreFailure> { unreachable!() }
    fn recorded(&mut self, _: u64, _: u32) -> Result<Vec<(u64, Recorded)>, StoreFailure> { unreachable!() }
    fn recorded_with_event(&mut self, _: u64) -> Result<Option<u64>, StoreFailure> { unreachable!() }
}

fn settings() -> Settings {
    let long = Duration::from_secs(600);
    Settings {
        queue_commands_max: 100,
        queue_lines_max: 1_000,
        batch_commands_max: 100,
        batch_lines_max: 1_000,
        request_lines_max: 100,
        answer_within: long,
        readers_max: 1,
        query_within: long,
        sweep_interval_ms: 0,
        answers_kept_ms: 1_000,
        idempotency_bounds: IdempotencyBounds::NONE,
        recorded_commands_max: 0,
        faults_per_minute_max: 0,
        clock_step_ms_max: 1_000,
        accept_clock: true,
    }
}

/// An engine over a stock of 5, and everything that must live as long as the engine.
struct Shop {
    engine: Engine,
    writer: WriterHandle,
    conflicts: Arc<AtomicU32>,
    announced: Arc<Mutex<Vec<String>>>,
    _runtime: Runtime,
}

/// A shop whose next `conflicts` commits end in conflicts with a writer that sets the total.
fn shop(conflicts: u32, total: u64) -> Shop {
    let (conflicts, announced) = (Arc::new(AtomicU32::new(conflicts)), Arc::default());
    let inner = MemoryLane { stocks: [(key(), stock(5))].into(), ..MemoryLane::default() };
    let lane = Contested {
        inner,
        conflicts: Arc::clone(&conflicts),
        total,
        announced: Arc::clone(&announced),
    };
    let runtime = Runtime::new(Limits::default()).unwrap();
    let start = StartComponents {
        current: Compiled::new(&runtime, EMBEDDED).unwrap(),
        previous: None,
        installed: Installed::first(Digest::of(EMBEDDED)),
        announce: None,
        limits: Limits::default(),
    };
    let (engine, writer) =
        engine::start(settings(), start, lane, || Ok(MemoryLane::default()), || Ok(Unread))
            .unwrap_or_else(|error| panic!("{error}"));
    Shop { engine, writer, conflicts, announced, _runtime: runtime }
}

impl Shop {
    async fn reserve(&self, quantity: u64) -> Result<Done, Error> {
        let action = Action::Reserve { key: key(), quantity };
        let origin = Origin::default();
        let command = Command { id: Uuid::now_v7(), origin, precondition: None, action };
        let work = Work::One(command);
        self.engine.execute(Request { work, dry_run: false, recording: None }).await
    }
}

/// The total and the reserved units in the answer to an accepted command.
fn total_and_reserved(done: Done) -> (u64, u64) {
    match done {
        Done::One(Outcome::Stock { view, .. }) => (view.stock.level.total, view.reserved),
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn a_batch_with_a_conflict_is_decided_again_on_what_the_other_writer_wrote() {
    let shop = shop(1, 9);
    assert_eq!(
        total_and_reserved(shop.reserve(7).await.unwrap()),
        (9, 7),
        "refused at first: there were 5"
    );
    assert_eq!(shop.conflicts.load(Ordering::SeqCst), 0);
    shop.writer.stop();
}

#[tokio::test]
async fn a_command_accepted_before_a_conflict_can_be_refused_after_it() {
    let shop = shop(1, 3);
    let refused = shop.reserve(4).await;
    assert!(
        matches!(&refused, Err(Error::Rejected(it)) if it.code == "insufficient-stock"),
        "{refused:?}"
    );
    assert_eq!(total_and_reserved(shop.reserve(3).await.unwrap()), (3, 3));
    shop.writer.stop();
}

#[tokio::test]
async fn a_batch_that_always_ends_in_a_conflict_is_given_up_and_the_next_one_is_served() {
    let shop = shop(CONFLICTS_MAX + 1, 9);
    let given_up = shop.reserve(1).await;
    assert!(matches!(given_up, Err(Error::StoreUnavailable)), "{given_up:?}");
    assert_eq!(shop.conflicts.load(Ordering::SeqCst), 0, "decided as often as is allowed");
    assert_eq!(shop.engine.status(), Status::Ready, "the store can be written");
    assert_eq!(
        total_and_reserved(shop.reserve(2).await.unwrap()),
        (9, 2),
        "nothing of the first was written"
    );
    shop.writer.stop();
}

#[tokio::test]
async fn a_batch_announces_the_keys_that_its_commands_name() {
    let shop = shop(0, 9);
    shop.reserve(1).await.unwrap();
    let action = Action::Confirm { id: "r".to_owned() };
    let command =
        Command { id: Uuid::now_v7(), origin: Origin::default(), precondition: None, action };
    let recording =
        engine::Recording::new(&Identity::ANONYMOUS, "k".to_owned(), [0; 32], Box::new(|_| None));
    let work = Work::One(command);
    let request = Request { work, dry_run: false, recording: Some(Box::new(recording)) };
    assert!(shop.engine.execute(request).await.is_err(), "there is no such reservation");
    assert_eq!(*shop.announced.lock().unwrap(), ["stock a", "request k", "reservation r"]);
    shop.writer.stop();
}
