use super::*;
use crate::{
    model::{Level, Stock, StockKey},
    store::{
        Batch, BatchKeys, CommitError, Lane, StockWrite, Store,
        sqlite::{SqliteLane, SqliteStore, StockHandle, connection},
    },
};
use tempfile::TempDir;

/// Bounds of four records of [`SIZE`] for one caller, and of six for all callers.
const BOUNDS: IdempotencyBounds =
    IdempotencyBounds { caller_bytes_max: 4 * SIZE + SIZE / 2, bytes_max: 6 * SIZE + SIZE / 2 };

/// The bytes of a record, with a caller of one character and a key of two.
const SIZE: u64 = 20_000;

fn name(caller: &str, key: &str) -> IdempotencyKey {
    IdempotencyKey { caller: caller.to_owned(), key: key.to_owned() }
}

/// A store, tested through its lane.
struct RecordStore {
    folder: TempDir,
    store: Option<SqliteStore>,
    lane: Option<SqliteLane>,
    now: Timestamp,
}

impl RecordStore {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let mut kept = Self { folder, store: None, lane: None, now: 0 };
        kept.open();
        kept
    }

    fn file(&self) -> std::path::PathBuf {
        self.folder.path().join("inventory.db")
    }

    fn open(&mut self) {
        (self.lane, self.store) = (None, None);
        let store = SqliteStore::open(&self.file()).unwrap();
        self.lane = Some(store.lane().unwrap());
        self.store = Some(store);
    }

    fn lane(&mut self) -> &mut SqliteLane {
        self.lane.as_mut().unwrap()
    }

    fn connection(&self) -> Connection {
        connection::readable(&self.file()).unwrap()
    }

    /// One commit with these records.
    fn commit(
        &mut self,
        records: &[(IdempotencyKey, u64)],
        stocks: &mut [StockWrite<'_, StockHandle>],
        idempotency_bounds: IdempotencyBounds,
    ) -> Result<(), CommitError> {
        self.now += 1;
        let written = records.iter().map(|(key, bytes)| {
            let besides = OVERHEAD_BYTES + (key.caller.len() + key.key.len()) as u64;
            let response = vec![b'x'; usize::try_from(bytes - besides).unwrap()];
            (key.clone(), IdempotencyRecord { fingerprint: [1; 32], response })
        });
        let batch = Batch {
            stocks,
            reservations: &[],
            log: &[],
            idempotency_records: &written.collect(),
            idempotency_bounds,
            installed: None,
            recorded: &mut [],
            recorded_max: 0,
            now: self.now,
        };
        self.lane().begin_batch(&BatchKeys::NONE).unwrap();
        self.lane().commit(batch).map(|_| ())
    }

    fn keep(&mut self, caller: &str, key: &str, bytes: u64) {
        self.commit(&[(name(caller, key), bytes)], &mut [], BOUNDS).unwrap();
        self.check();
    }

    /// A commit with this record that fails when the record is written.
    fn fail_to_keep(&mut self, caller: &str, key: &str, bytes: u64) {
        // More is reserved than there is.
        let level = Level { total: 1, reserved: 2, unattributed: 0, minimum: 0, version: 1 };
        let stock = Stock { level, due: 0, created_at: 1, updated_at: 1 };
        let stock_key = StockKey::parse("a".to_owned(), "default".to_owned()).unwrap();
        let mut handle = None;
        let write =
            StockWrite { key: &stock_key, handle: &mut handle, before: None, stock: &stock };
        self.commit(&[(name(caller, key), bytes)], &mut [write], BOUNDS).unwrap_err();
        self.check();
    }

    fn delete_expired(&mut self, before: Timestamp, limit: u32) -> bool {
        self.lane().begin_batch(&BatchKeys::NONE).unwrap();
        let more = self.lane().delete_idempotency_records(before, limit).unwrap();
        let nothing = Batch::empty(self.now);
        self.lane().commit(nothing).unwrap();
        self.check();
        more
    }

    fn has(&mut self, caller: &str, key: &str) -> bool {
        self.lane().idempotency_record(&name(caller, key), 0).unwrap().is_some()
    }

    /// Which of these keys are kept.
    fn which(&mut self, caller: &str, keys: &str) -> String {
        keys.split(' ').filter(|key| self.has(caller, key)).collect::<Vec<_>>().join(" ")
    }

    /// Checks the sums against the table.
    fn check(&mut self) {
        let select = "SELECT caller, count(*), sum(length(response) + length(key) + \
             length(caller) + 128) FROM answer WHERE length(response) + length(key) + length(caller) + 128 >= 16384 \
             GROUP BY caller";
        let connection = self.connection();
        let mut statement = connection.prepare(select).unwrap();
        let rows = statement.query_map([], |row| {
            Ok((row.get(0)?, Sum { records: unsigned(row, 1)?, bytes: unsigned(row, 2)? }))
        });
        let callers: HashMap<String, Sum> = rows.unwrap().map(Result::unwrap).collect();
        let bytes: u64 = callers.values().map(|sum| sum.bytes).sum();
        let sums = self.lane().idempotency();
        assert_eq!(sums.callers, callers);
        assert_eq!(sums.all.bytes, bytes);
        assert_eq!(sums.all.records, callers.values().map(|sum| sum.records).sum::<u64>());
        assert_eq!(self.lane().large_records().bytes, bytes);
    }

    fn early(&mut self) -> u64 {
        self.lane().large_records().forgotten_early
    }
}

#[test]
fn the_oldest_records_of_a_caller_are_evicted_when_its_bound_is_exceeded() {
    let mut kept = RecordStore::new();
    for key in ["k1", "k2", "k3", "k4"] {
        kept.keep("a", key, SIZE);
    }
    kept.keep("b", "k1", SIZE);
    assert_eq!((kept.which("a", "k1 k2 k3 k4").as_str(), kept.early()), ("k1 k2 k3 k4", 0));
    kept.keep("a", "k5", SIZE);
    assert_eq!((kept.which("a", "k1 k2 k3 k4 k5").as_str(), kept.early()), ("k2 k3 k4 k5", 1));
    kept.keep("a", "k6", 3 * SIZE);
    assert_eq!(kept.which("a", "k2 k3 k4 k5 k6"), "k5 k6");
    assert!(kept.has("b", "k1"), "a record of another caller");
}

#[test]
fn the_oldest_records_of_all_callers_are_evicted_when_the_total_bound_is_exceeded() {
    let mut kept = RecordStore::new();
    for (caller, key) in [("a", "k1"), ("b", "k1"), ("c", "k1"), ("a", "k2"), ("b", "k2")] {
        kept.keep(caller, key, SIZE);
    }
    kept.keep("d", "k1", SIZE);
    assert_eq!(kept.early(), 0);
    kept.keep("d", "k2", SIZE);
    assert_eq!((kept.has("a", "k1"), kept.has("b", "k1"), kept.early()), (false, true, 1));
    kept.keep("c", "k2", 2 * SIZE);
    assert_eq!((kept.has("b", "k1"), kept.has("c", "k1"), kept.early()), (false, false, 3));
    assert_eq!(kept.which("a", "k1 k2"), "k2");
}

#[test]
fn a_record_larger_than_the_bounds_is_kept_alone() {
    let mut kept = RecordStore::new();
    kept.keep("a", "k1", SIZE);
    kept.keep("a", "k2", 5 * SIZE);
    assert_eq!(kept.which("a", "k1 k2"), "k2");
    kept.keep("b", "k1", 10 * SIZE);
    assert!(!kept.has("a", "k2") && kept.has("b", "k1"));
    kept.keep("a", "k3", SIZE);
    assert!(kept.has("a", "k3") && !kept.has("b", "k1"));
}

#[test]
fn a_small_record_is_neither_counted_nor_evicted() {
    let mut kept = RecordStore::new();
    kept.keep("a", "s1", LARGE_BYTES_MIN - 1);
    assert_eq!(kept.lane().large_records().bytes, 0);
    kept.keep("a", "k0", LARGE_BYTES_MIN);
    assert_eq!(kept.lane().large_records().bytes, LARGE_BYTES_MIN);
    for key in ["k1", "k2", "k3", "k4", "k5"] {
        kept.keep("a", key, SIZE);
    }
    assert_eq!(kept.which("a", "s1 k0 k1 k2"), "s1 k2");
}

#[test]
fn several_records_of_one_commit_keep_the_bounds() {
    let mut kept = RecordStore::new();
    let many: Vec<_> = (0..300).map(|n| (name("a", &format!("{n:03}")), SIZE)).collect();
    kept.commit(&many, &mut [], BOUNDS).unwrap();
    kept.check();
    assert_eq!(kept.lane().large_records().bytes / SIZE, 4);
}

#[test]
fn the_sums_are_right_after_a_commit_that_failed() {
    let mut kept = RecordStore::new();
    for key in ["k1", "k2", "k3", "k4"] {
        kept.keep("a", key, SIZE);
    }
    kept.fail_to_keep("a", "k5", SIZE);
    kept.fail_to_keep("b", "k1", 20 * SIZE);
    assert_eq!((kept.which("a", "k1 k2 k3 k4 k5").as_str(), kept.early()), ("k1 k2 k3 k4", 0));
    kept.lane().recover().unwrap();
    kept.check();
    kept.keep("a", "k5", SIZE);
    assert_eq!((kept.which("a", "k1 k2 k3 k4 k5").as_str(), kept.early()), ("k2 k3 k4 k5", 1));
}

#[test]
fn the_sums_are_right_after_reopening() {
    let mut kept = RecordStore::new();
    for (caller, key) in [("a", "k1"), ("a", "k2"), ("b", "k1"), ("a", "k3"), ("a", "k4")] {
        kept.keep(caller, key, SIZE);
    }
    kept.keep("a", "s1", 1_000);
    kept.open();
    kept.check();
    kept.keep("a", "k5", SIZE);
    assert_eq!(kept.which("a", "k1 k2 k3 k4 k5 s1"), "k2 k3 k4 k5 s1");
}

#[test]
fn a_lowered_bound_is_enforced_in_steps() {
    let mut kept = RecordStore::new();
    let many: Vec<_> = (0..20).map(|n| (name("a", &format!("{n:02}")), 1024 * 1024)).collect();
    kept.commit(&many, &mut [], IdempotencyBounds::NONE).unwrap();
    kept.keep("a", "k1", SIZE);
    let left = kept.lane().large_records().bytes;
    assert!(left > 10 * 1024 * 1024, "{left} bytes are left");
    for key in ["k2", "k3", "k4", "k5"] {
        kept.keep("a", key, SIZE);
    }
    assert_eq!(kept.which("a", "k1 k2 k3 k4 k5"), "k2 k3 k4 k5");
}

#[test]
fn the_key_of_an_expired_record_can_be_reused_and_counts_once() {
    let mut kept = RecordStore::new();
    kept.keep("a", "k1", SIZE);
    kept.keep("a", "k2", SIZE);
    kept.keep("a", "k1", 2 * SIZE);
    kept.keep("a", "k3", SIZE);
    kept.keep("a", "k4", SIZE);
    assert_eq!(kept.which("a", "k1 k2 k3 k4"), "k1 k3 k4", "the older key goes first");
    kept.keep("a", "k1", 1_000);
}

#[test]
fn expired_records_are_deleted_in_steps_and_do_not_count_as_evicted() {
    let mut kept = RecordStore::new();
    for key in ["k1", "k2", "k3"] {
        kept.keep("a", key, SIZE);
    }
    kept.keep("a", "s1", 1_000);
    assert!(kept.delete_expired(kept.now, 2), "there may be more");
    assert!(!kept.delete_expired(kept.now, 2));
    assert_eq!((kept.which("a", "k1 k2 k3 s1").as_str(), kept.early()), ("s1", 0));
    let many: Vec<_> = (0..20).map(|n| (name("a", &format!("{n:02}")), 1024 * 1024)).collect();
    kept.commit(&many, &mut [], IdempotencyBounds::NONE).unwrap();
    assert!(kept.delete_expired(kept.now + 1, 500), "only a few large records are deleted at once");
    assert_eq!(kept.lane().large_records().bytes, 12 * 1024 * 1024);
    assert!(kept.delete_expired(kept.now + 1, 500));
    assert!(!kept.delete_expired(kept.now + 1, 500));
    assert_eq!(kept.lane().large_records().bytes, 0);
}

#[test]
fn statements_over_large_records_read_only_the_indexes_of_large_records() {
    let kept = RecordStore::new();
    for statement in [LARGE_BY_CALLER, LARGE_BY_AGE] {
        let connection = kept.connection();
        let mut plan = connection.prepare(&format!("EXPLAIN QUERY PLAN {statement}")).unwrap();
        let steps = plan.query_map([], |row| row.get::<_, String>(3)).unwrap();
        let steps: Vec<_> = steps.map(Result::unwrap).collect();
        assert_eq!(steps.len(), 1, "a step that sorts: {steps:?}");
        assert!(steps[0].contains("USING COVERING INDEX answer_large_by"), "{steps:?}");
    }
}
