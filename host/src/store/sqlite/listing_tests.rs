use super::*;
use crate::model::{LocationId, ReservationState, ReservationStatus, StockKey};
use std::collections::BTreeMap;

fn line(product: u64, location: &str) -> ReservationLine {
    ReservationLine {
        key: StockKey::parse(format!("p{product}"), location.to_owned()).unwrap(),
        quantity: 1,
        fulfilled: 0,
        released: 0,
        expired: 0,
    }
}

fn reservation(lines: Vec<ReservationLine>) -> Reservation {
    let status = ReservationStatus { state: ReservationState::Held, expires_at: None, version: 1 };
    Reservation { status, lines, ttl_seconds: None, reference: None, created_at: 1, updated_at: 1 }
}

fn database() -> Connection {
    let connection = Connection::open_in_memory().unwrap();
    let tables = include_str!("migrations/0007_lists.sql");
    let (tables, _) = tables.split_once("-- Caller, reason").unwrap();
    connection.execute_batch(tables).unwrap();
    connection
}

/// An index whose runs are written early, and the reservations that it indexes.
struct Indexed {
    connection: Connection,
    recent: Recent,
    reservations: BTreeMap<i64, Reservation>,
}

impl Indexed {
    fn new() -> Self {
        let reservations = BTreeMap::new();
        Self { connection: database(), recent: Recent::after(0), reservations }
    }

    /// One commit that writes a reservation.
    fn write(&mut self, number: i64, lines: Vec<ReservationLine>, run: bool) {
        let after = reservation(lines);
        let before = self.reservations.insert(number, after.clone());
        let mut index_update = IndexUpdate::default();
        let connection = &self.connection;
        index_update.add(connection, &self.recent, number, before.as_ref(), &after).unwrap();
        if run {
            let next = write_run(connection, &self.recent).unwrap();
            index_update.begin_after(connection, next).unwrap();
        }
        if let Some(recent) = index_update.apply(&self.recent) {
            self.recent = recent;
        }
    }

    /// All numbers that a filter finds, page by page.
    fn found(&self, filter: &ReservationFilter, most: usize) -> Vec<i64> {
        let term = term_of(filter).unwrap();
        let (mut all, mut before) = (Vec::new(), i64::MAX);
        loop {
            let found = find(&self.connection, &self.recent, term, before, most).unwrap();
            let matching = |number: &i64| filter.matches_lines(&self.reservations[number]);
            all.extend(found.numbers.iter().copied().filter(matching));
            match found.more_below {
                Some(below) => {
                    assert!(below < before, "each page goes further back");
                    before = below;
                }
                None => return all,
            }
        }
    }

    fn check(&self, filter: &ReservationFilter) {
        let matching = self.reservations.iter().rev();
        let matching = matching.filter(|(_, it)| filter.matches_lines(it));
        let expected: Vec<i64> = matching.map(|(number, _)| *number).collect();
        for most in [1, 3, 1_000] {
            assert_eq!(self.found(filter, most), expected, "{filter:?} by {most}");
        }
    }
}

fn filters() -> Vec<ReservationFilter> {
    let mut filters = Vec::new();
    for product in [None, Some("p0"), Some("p1"), Some("p5"), Some("nothing")] {
        for location in [None, Some("north"), Some("south")] {
            if product.is_some() || location.is_some() {
                filters.push(ReservationFilter {
                    product_id: product.map(|id| ProductId::parse(id.to_owned()).unwrap()),
                    location_id: location.map(|id| LocationId::parse(id.to_owned()).unwrap()),
                    ..ReservationFilter::default()
                });
            }
        }
    }
    filters
}

#[test]
fn every_reservation_is_found_once_wherever_its_entries_are() {
    let mut indexed = Indexed::new();
    let mut random = 99_u64;
    let mut next = |below: u64| {
        random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        (random >> 33) % below
    };
    for number in 1..=600 {
        let mut lines = Vec::new();
        for _ in 0..=next(3) {
            let location = if next(2) == 0 { "north" } else { "south" };
            lines.push(line(next(7), location));
        }
        indexed.write(number, lines, next(100) == 0);
        // Replaces the lines of a reservation that a run covers or not.
        if next(3) == 0 {
            let number = 1 + i64::try_from(next(u64::try_from(number).unwrap())).unwrap();
            let location = if next(2) == 0 { "north" } else { "south" };
            indexed.write(number, vec![line(next(7), location)], next(10) == 0);
        }
    }
    let runs: i64 = indexed
        .connection
        .query_row("SELECT count(*) FROM listing_run", [], |row| row.get(0))
        .unwrap();
    assert!(runs > 2, "{runs} runs");
    for filter in filters() {
        indexed.check(&filter);
    }
}

#[test]
fn a_term_that_fills_many_blocks_is_found_whole() {
    let mut indexed = Indexed::new();
    for number in 1..=2_000 {
        indexed.write(number, vec![line(number.cast_unsigned() % 2, "north")], number % 900 == 0);
    }
    for filter in filters() {
        indexed.check(&filter);
    }
}

#[test]
fn a_block_fits_one_page() {
    // A row of up to the page size less 35 bytes has no overflow page.
    const { assert!(ENTRIES_PER_BLOCK * ENTRY_BYTES + 40 <= 4096 - 35) };
}

/// A store of 100 products, and commits of reservations that name all of them.
mod in_a_store {
    use super::{line, reservation};
    use crate::{
        model::{
            Digest, DomainEvent, DomainEventKind, Event, Level, ReservationFilter, ReservationScan,
            Stock, StockKey,
        },
        store::{
            Batch, BatchKeys, Lane, NewEntry, Read, ReservationWrite, Snapshot, StockWrite, Store,
            sqlite::{SqliteLane, SqliteStore, StockHandle, connection, mark},
        },
    };
    use uuid::Uuid;

    struct Shop {
        lane: SqliteLane,
        handles: Vec<(StockKey, Option<StockHandle>)>,
    }

    impl Shop {
        fn commit(&mut self, ids: &[String]) {
            let lines: Vec<_> = (0..100).map(|product| line(product, "default")).collect();
            let held: Vec<_> = ids.iter().map(|id| (id, reservation(lines.clone()))).collect();
            let held: Vec<_> = held
                .iter()
                .map(|(id, reservation)| ReservationWrite { id, stored: None, reservation })
                .collect();
            let level = Level { total: 1, reserved: 0, unattributed: 0, minimum: 0, version: 1 };
            let stock = Stock { level, due: 0, created_at: 1, updated_at: 1 };
            let new = self.handles.iter_mut().filter(|(_, handle)| handle.is_none());
            let mut stocks: Vec<_> = new
                .map(|(key, handle)| StockWrite { key, handle, before: None, stock: &stock })
                .collect();
            let (kind, from, to) =
                (DomainEventKind::DomainSwapped, Digest([7; 32]), Digest([7; 32]));
            let log = [NewEntry {
                at: 1,
                command_id: Uuid::from_u128(1),
                caller: None,
                reason: None,
                reference: None,
                component: to,
                event: Event::Domain(DomainEvent { kind, from, to }),
            }];
            let batch =
                Batch { stocks: &mut stocks, reservations: &held, log: &log, ..Batch::empty(1) };
            self.lane.begin_batch(&BatchKeys::NONE).unwrap();
            self.lane.commit(batch).unwrap();
        }
    }

    /// The ids of all reservations of a product, the newest first.
    fn listed(snapshot: &mut impl Read) -> Vec<String> {
        let product = line(7, "default").key.product_id;
        let filter = ReservationFilter { product_id: Some(product), ..Default::default() };
        let (mut all, mut after) = (Vec::new(), None);
        loop {
            let scan = ReservationScan { filter: filter.clone(), after, limit: 100, now: 1 };
            let page = snapshot.scan_reservations(&scan).unwrap();
            all.extend(page.items.into_iter().map(|(id, _)| id));
            after = page.next;
            if after.is_none() {
                return all;
            }
        }
    }

    #[test]
    fn nothing_is_missed_when_a_run_is_written_nor_after_reopening() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("inventory.db");
        let store = SqliteStore::open(&file).unwrap();
        let handles = (0..100).map(|product| (line(product, "default").key, None)).collect();
        let mut shop = Shop { lane: store.lane().unwrap(), handles };
        let ids: Vec<_> = (0..400).map(|i| format!("r-{i:03}")).collect();
        let expected =
            |count: usize| -> Vec<String> { ids.iter().take(count).rev().cloned().collect() };
        let mut made = 0;
        let mut held_back = store.snapshot().unwrap();
        // Each reservation has 201 terms, so a run is written on the way.
        for some in ids.chunks(20) {
            if made == 320 {
                held_back.begin().unwrap();
            }
            shop.commit(some);
            made += some.len();
            assert_eq!(listed(&mut store.snapshot().unwrap()), expected(made));
        }
        assert_eq!(listed(&mut held_back), expected(320), "as of its commit");
        held_back.end();
        let runs = || {
            let connection = connection::writable(&file).unwrap();
            let count = "SELECT count(*) FROM listing_run";
            connection.query_row(count, [], |row| row.get::<_, i64>(0)).unwrap()
        };
        drop((shop, held_back, store));
        assert_eq!(runs(), 1);
        let store = SqliteStore::open(&file).unwrap();
        assert_eq!(listed(&mut store.snapshot().unwrap()), expected(400));
        drop(store);

        // Makes the database look as if it came from a schema without runs.
        let mut connection = connection::writable(&file).unwrap();
        let transaction = connection.transaction().unwrap();
        transaction.execute_batch("DELETE FROM listing_run; DELETE FROM listing_block").unwrap();
        mark::renew(&transaction, mark::FileState::NeedsLog).unwrap();
        transaction.commit().unwrap();
        drop(connection);
        let store = SqliteStore::open(&file).unwrap();
        assert_eq!(listed(&mut store.snapshot().unwrap()), expected(400));
        drop(store);
        assert_eq!(runs(), 1, "written when it is opened");
    }
}
