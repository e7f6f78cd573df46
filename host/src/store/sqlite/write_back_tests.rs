use super::{
    super::{
        connection,
        handles::StockHandle,
        listing::{IndexUpdate, Recent},
        published::RowChange,
        rows::unsigned,
    },
    *,
};
use crate::{
    model::{DeficitScan, Digest, Event, StockEvent, StockEventKind, StockScan, StoreFailure},
    store::{
        Batch, BatchKeys, Lane, Log, NewEntry, Order, Read, Snapshot, Store,
        sqlite::{SqliteLane, SqliteStore},
    },
};
use std::collections::BTreeMap;
use tempfile::TempDir;
use uuid::Uuid;

fn key(name: &str) -> StockKey {
    StockKey::parse(name.to_owned(), "default".to_owned()).unwrap()
}

/// A store, and the stocks that it should have.
struct Shop {
    folder: TempDir,
    store: Option<SqliteStore>,
    lane: Option<SqliteLane>,
    stocks: BTreeMap<StockKey, (Option<StockHandle>, Stock)>,
    sequence: u64,
}

impl Shop {
    fn new(minimum: u64) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let mut shop =
            Self { folder, store: None, lane: None, stocks: BTreeMap::new(), sequence: 0 };
        shop.open();
        for name in ["a", "b", "c"] {
            let level = Level { total: 100, reserved: 0, unattributed: 0, minimum, version: 0 };
            let stock = Stock { level, due: 0, created_at: 1, updated_at: 1 };
            shop.stocks.insert(key(name), (None, stock));
        }
        shop.change(&["a", "b", "c"], |stock| stock.level.total = 100);
        shop
    }

    fn file(&self) -> std::path::PathBuf {
        self.folder.path().join("inventory.db")
    }

    fn open(&mut self) {
        self.lane = None;
        self.store = None;
        let store = SqliteStore::open(&self.file()).unwrap();
        self.lane = Some(store.lane().unwrap());
        self.store = Some(store);
    }

    fn lane(&mut self) -> &mut SqliteLane {
        self.lane.as_mut().unwrap()
    }

    fn store(&self) -> &SqliteStore {
        self.store.as_ref().unwrap()
    }

    /// Commits a change of each stock, with an event for each.
    fn change(&mut self, names: &[&str], change: impl Fn(&mut Stock)) {
        let now = self.sequence + 1_000;
        let mut log = Vec::new();
        let mut changed = Vec::new();
        for name in names {
            let (handle, before) = self.stocks[&key(name)];
            let mut after = before;
            change(&mut after);
            after.level.version += 1;
            after.updated_at = now;
            let event = StockEvent {
                kind: StockEventKind::InventoryReserved,
                key: key(name),
                quantity: Some(1),
                reservation_id: None,
                expires_at: None,
                counterpart_id: None,
                from: Some(before.level),
                to: after.level,
            };
            log.push(NewEntry {
                at: now,
                command_id: Uuid::from_u128(1),
                caller: None,
                reason: None,
                reference: None,
                component: Digest([7; 32]),
                event: Event::Stock(event),
            });
            changed.push((key(name), handle, before, after));
        }
        self.sequence += log.len() as u64;
        let mut writes: Vec<_> = changed
            .iter_mut()
            .map(|(key, handle, before, stock)| {
                let before = handle.is_some().then_some(&*before);
                StockWrite { key, handle, before, stock }
            })
            .collect();
        let batch = Batch { stocks: &mut writes, log: &log, ..Batch::empty(now) };
        let lane = self.lane.as_mut().unwrap();
        lane.begin_batch(&BatchKeys::NONE).unwrap();
        lane.commit(batch).unwrap();
        for (key, handle, _, stock) in changed {
            self.stocks.insert(key, (handle, stock));
        }
    }

    fn reserve(&mut self, names: &[&str]) {
        self.change(names, |stock| stock.level.reserved += 1);
    }

    /// The reserved quantity in the row itself.
    fn row(&self, name: &str) -> u64 {
        let connection = connection::readable(&self.file()).unwrap();
        let select = "SELECT reserved FROM stock WHERE product_id = ?1";
        connection.query_row(select, [name], |row| unsigned(row, 0)).unwrap()
    }

    fn stock(&self, name: &str) -> Stock {
        self.stocks[&key(name)].1
    }
}

fn scan() -> StockScan {
    let (location_id, product_prefix, after) = (None, None, None);
    StockScan { location_id, product_prefix, below_minimum: false, after, limit: 10 }
}

fn stocks(found: Result<Vec<(StockKey, Stored)>, StoreFailure>) -> Vec<(StockKey, Stock)> {
    found.unwrap().into_iter().map(|(key, stored)| (key, stored.stock)).collect()
}

#[test]
fn every_reader_sees_changes_that_the_row_lacks() {
    let mut shop = Shop::new(0);
    shop.reserve(&["a", "b"]);
    assert_eq!(shop.row("a"), 0, "the row lags");
    let expected =
        vec![(key("a"), shop.stock("a")), (key("b"), shop.stock("b")), (key("c"), shop.stock("c"))];
    let mut snapshot = shop.store().snapshot().unwrap();
    assert_eq!(snapshot.stock(&key("a")).unwrap().unwrap().stock, shop.stock("a"));
    assert_eq!(stocks(snapshot.scan_stocks(&scan())), expected);
    snapshot.begin().unwrap();
    assert_eq!(snapshot.stock(&key("a")).unwrap().unwrap().stock, shop.stock("a"));
    assert_eq!(stocks(snapshot.scan_stocks(&scan())), expected);
    snapshot.end();
    assert_eq!(stocks(shop.lane().scan_stocks(&scan())), expected);
    let stored = shop.lane().stock(&key("a")).unwrap().unwrap();
    assert_eq!((stored.handle.event_count, stored.handle.last_event), (2, 4));
    let mut log = shop.store().log().unwrap();
    let ledger = log.stock_events(&key("a"), Order::NewestFirst, None, 10).unwrap().unwrap();
    assert_eq!(ledger.iter().map(|entry| entry.sequence).collect::<Vec<_>>(), [4, 1]);
}

#[test]
fn a_snapshot_stays_at_its_commit() {
    let mut shop = Shop::new(0);
    shop.reserve(&["a", "b"]);
    let then = shop.stock("a");
    let mut snapshot = shop.store().snapshot().unwrap();
    snapshot.begin().unwrap();
    shop.reserve(&["a"]);
    assert_eq!(snapshot.stock(&key("a")).unwrap().unwrap().stock, then);
    assert_eq!(snapshot.scan_stocks(&scan()).unwrap()[0].1.stock, then);
    snapshot.end();
    assert_eq!(snapshot.stock(&key("a")).unwrap().unwrap().stock, shop.stock("a"));
}

#[test]
fn after_a_crash_the_rows_are_brought_up_to_date_from_the_log() {
    let mut shop = Shop::new(0);
    shop.reserve(&["a", "b"]);
    shop.reserve(&["a"]);
    shop.open();
    assert_eq!((shop.row("a"), shop.row("b"), shop.row("c")), (2, 1, 0));
    for name in ["a", "b", "c"] {
        let (handle, stock) = shop.stocks[&key(name)];
        let found = shop.lane().stock(&key(name)).unwrap().unwrap();
        assert_eq!((Some(found.handle), found.stock), (handle, stock));
    }
    shop.reserve(&["a"]);
    assert_eq!(shop.row("a"), 2);
}

#[test]
fn after_a_clean_stop_no_row_lags() {
    let mut shop = Shop::new(0);
    shop.reserve(&["a"]);
    shop.lane().close().unwrap();
    assert_eq!(shop.row("a"), 1);
}

#[test]
fn values_that_scans_search_by_never_lag() {
    let mut shop = Shop::new(100);
    shop.reserve(&["b"]);
    shop.reserve(&["b", "c"]);
    assert_eq!((shop.row("b"), shop.row("c")), (2, 1));
    let scan = DeficitScan { location_id: None, after: None, limit: 10 };
    let mut snapshot = shop.store().snapshot().unwrap();
    let low = stocks(snapshot.scan_deficits(&scan));
    assert_eq!(low, [(key("b"), shop.stock("b")), (key("c"), shop.stock("c"))]);
    shop.change(&["a"], |stock| stock.level.minimum = 0);
    assert_eq!(shop.row("a"), 0);
}

#[test]
fn a_row_does_not_lag_in_values_that_the_log_lacks() {
    let level = Level { total: 9, reserved: 0, unattributed: 0, minimum: 0, version: 1 };
    let before = Stock { level, due: 0, created_at: 1, updated_at: 1 };
    let after = Stock { level: Level { reserved: 1, ..level }, updated_at: 2, ..before };
    let lags = |last| {
        let (key, mut handle) = (key("a"), None);
        let (key, handle) = (&key, &mut handle);
        may_lag(&StockWrite { key, handle, before: Some(&before), stock: &after }, last)
    };
    assert!(lags(Some((2, after.level))));
    assert!(!lags(Some((3, after.level))), "another time");
    assert!(!lags(Some((2, before.level))), "another level");
    assert!(!lags(None));
}

#[test]
fn every_row_is_current_to_the_recorded_sequence_and_lags_for_two_rounds_at_most() {
    // Bounds that let only few rows lag; all rows, but not for long; all rows, for longer than it
    // takes to change all of them.
    for (stocks, events) in [(16, 200), (1_000, 200), (1_000, 1_000), (60, 400)] {
        many_commits(Bounds { stocks, events });
    }
}

/// Tests the write-back without a database. Each row is only a number: the last sequence it shows.
fn many_commits(bounds: Bounds) {
    let names: Vec<_> = (0..100).map(|i| Arc::new(key(&format!("p{i:02}")))).collect();
    let mut rows: BTreeMap<_, u64> = names.iter().map(|name| (Arc::clone(name), 0)).collect();
    let mut latest = rows.clone();
    let published = Published::all_current(0, Recent::after(0));
    let mut write_back = WriteBack { bounds, ..WriteBack::new(0) };
    let (mut sequence, mut current_to, mut random) = (0, 0, 12_345_u64);
    for _ in 0..5_000 {
        random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        let events = random >> 60;
        let next = write_back.next_rows(&published, events);
        let mut changes = Vec::new();
        for event in 0..events {
            // Now and then only one stock changes, as on a hot product.
            let spread = if random.is_multiple_of(3) { 1 } else { names.len() as u64 };
            let name =
                &names[usize::try_from((random >> 20).wrapping_add(event * 7) % spread).unwrap()];
            let at = sequence + event + 1;
            latest.insert(Arc::clone(name), at);
            let handle = StockHandle { stock_id: 1, event_count: 1, last_event: at };
            let level = Level { total: 0, reserved: 0, unattributed: 0, minimum: 0, version: 1 };
            let stock = Stock { level, due: 0, created_at: 1, updated_at: 1 };
            if next.includes(name) {
                rows.insert(Arc::clone(name), at);
                changes.push(RowChange::Written(Arc::clone(name)));
            } else {
                changes.push(RowChange::Lags(Arc::clone(name), Stored { handle, stock }));
            }
        }
        for (name, stored) in &next.rows {
            if latest[name] <= sequence {
                rows.insert(Arc::clone(name), stored.handle.last_event);
                changes.push(RowChange::Written(Arc::clone(name)));
            }
        }
        sequence += events;
        published.begin_round(next.after_commit.began_at());
        published.publish(sequence, changes, &[], IndexUpdate::default());
        current_to = next.current_to.unwrap_or(current_to);
        write_back = next.after_commit;
        for (name, row) in &rows {
            let latest = latest[name];
            let lags = published.get(name).map(|stored| stored.handle.last_event);
            assert_eq!(lags.unwrap_or(*row), latest, "{name}");
            assert!(*row == latest || latest > current_to, "{name} at {sequence}");
        }
        assert!(published.lagging_counts().0 <= bounds.stocks + 16);
        assert!(sequence - current_to < 2 * bounds.events, "at {sequence}");
    }
    assert!(current_to > 0);
}
