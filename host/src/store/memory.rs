//! A store in memory: for conformance checks of candidates, and for tests.

use super::{
    Batch, BatchKeys, CommitError, Committed, Decidable, FoundStocks, IdempotencyKey,
    IdempotencyRecord, Lane, LogEnd, LookAhead, Read, Snapshot, Stored, StoredReservation,
    batch::number_recorded, deficit, deficit_order, deficit_scan_matches, scan_matches,
};
use crate::model::{
    DeficitScan, Installed, LogEntry, Reservation, ReservationPage, ReservationScan, Stock,
    StockKey, StockScan, StoreFailure, Timestamp,
};
use std::collections::BTreeMap;

/// Stocks, reservations and a log in memory. Idempotency records and the installed component are
/// not kept.
#[derive(Clone, Default, Debug)]
pub struct MemoryLane {
    /// The stocks, by key.
    pub stocks: BTreeMap<StockKey, Stock>,
    /// The reservations, by id. The number is their order of creation, from 1.
    pub reservations: BTreeMap<String, (u64, Reservation)>,
    /// The event log.
    pub log: Vec<LogEntry>,
    /// Whether every commit fails until [`Lane::recover`] is called.
    pub failing: bool,
}

fn found(stock: &Stock) -> Stored<()> {
    Stored { handle: (), stock: *stock }
}

fn most(limit: u32) -> usize {
    usize::try_from(limit).unwrap_or(usize::MAX)
}

impl MemoryLane {
    /// The held reservations that can expire, the earliest expiry first.
    fn by_expiry(&self) -> Vec<(Timestamp, &str)> {
        let held = self.reservations.iter();
        let mut all: Vec<_> =
            held.filter_map(|(id, (_, it))| Some((it.due_at()?, id.as_str()))).collect();
        all.sort_unstable();
        all
    }
}

/// Handles are empty: the maps are searched by key.
impl Read for MemoryLane {
    type StockHandle = ();
    type ReservationHandle = ();

    fn stock(&mut self, key: &StockKey) -> Result<Option<Stored<()>>, StoreFailure> {
        Ok(self.stocks.get(key).map(found))
    }

    fn scan_stocks(&mut self, scan: &StockScan) -> Result<FoundStocks<()>, StoreFailure> {
        let all = self.stocks.iter().filter(|(key, stock)| scan_matches(scan, key, stock));
        Ok(all.take(most(scan.limit)).map(|(key, stock)| (key.clone(), found(stock))).collect())
    }

    fn scan_deficits(&mut self, scan: &DeficitScan) -> Result<FoundStocks<()>, StoreFailure> {
        let all = self.stocks.iter().filter(|(key, stock)| deficit_scan_matches(scan, key, stock));
        let mut all: Vec<_> = all.map(|(key, stock)| (key.clone(), *stock)).collect();
        all.sort_by(|(a, first), (b, second)| {
            deficit_order(deficit(first), a).cmp(&deficit_order(deficit(second), b))
        });
        all.truncate(most(scan.limit));
        Ok(all.into_iter().map(|(key, stock)| (key, found(&stock))).collect())
    }

    fn reservation(&mut self, id: &str) -> Result<Option<StoredReservation<()>>, StoreFailure> {
        let found = self.reservations.get(id);
        Ok(found.map(|(_, it)| StoredReservation { handle: (), reservation: it.clone() }))
    }

    fn scan_reservations(
        &mut self,
        scan: &ReservationScan,
    ) -> Result<ReservationPage, StoreFailure> {
        let matching = self.reservations.iter().filter(|(_, (number, it))| {
            scan.after.is_none_or(|after| *number < after) && scan.filter.matches(it, scan.now)
        });
        let mut all: Vec<_> = matching.collect();
        all.sort_by_key(|(_, (number, _))| std::cmp::Reverse(*number));
        let more = all.len() > most(scan.limit);
        all.truncate(most(scan.limit));
        let next = all.last().filter(|_| more).map(|(_, (number, _))| *number);
        let items = all.into_iter().map(|(id, (_, it))| (id.clone(), it.clone()));
        Ok(ReservationPage { items: items.collect(), next })
    }
}

impl Snapshot for MemoryLane {
    fn begin(&mut self) -> Result<(), StoreFailure> {
        Ok(())
    }

    fn end(&mut self) {}

    fn nothing_due(&self, until: Timestamp) -> bool {
        !self.reservations.values().any(|(_, it)| it.is_due(until))
    }

    fn due_units(&self, key: &StockKey, _: &Stored<()>, until: Timestamp) -> u64 {
        let due = self.reservations.values().filter(|(_, it)| it.is_due(until));
        due.map(|(_, it)| it.holds(key)).sum()
    }

    fn exact_until(&self) -> Timestamp {
        Timestamp::MAX
    }
}

impl Decidable for MemoryLane {
    fn first_due(&mut self, limit: u32) -> Result<Vec<(String, Timestamp)>, StoreFailure> {
        let mut all = self.by_expiry();
        all.truncate(most(limit));
        Ok(all.into_iter().map(|(at, id)| (id.to_owned(), at)).collect())
    }

    fn due_on(
        &mut self,
        key: &StockKey,
        (): &(),
        until: Timestamp,
        limit: u32,
    ) -> Result<Vec<String>, StoreFailure> {
        let due = self.by_expiry().into_iter().filter(|(at, id)| {
            *at <= until && self.reservations.get(*id).is_some_and(|(_, it)| it.holds(key) > 0)
        });
        Ok(due.take(most(limit)).map(|(_, id)| id.to_owned()).collect())
    }
}

impl Lane for MemoryLane {
    fn begin_batch(&mut self, _: &BatchKeys<'_>) -> Result<(), StoreFailure> {
        Ok(())
    }

    fn look_ahead(&mut self, _: Timestamp) -> Result<LookAhead, StoreFailure> {
        Ok(LookAhead::Known(Timestamp::MAX))
    }

    fn next_due(&self) -> Option<Timestamp> {
        self.reservations.values().filter_map(|(_, it)| it.due_at()).min()
    }

    fn log_end(&mut self) -> Result<LogEnd, StoreFailure> {
        let last = self.log.last();
        Ok(last.map_or(LogEnd::default(), |it| LogEnd { sequence: it.sequence, at: it.at }))
    }

    fn installed(&mut self) -> Result<Option<Installed>, StoreFailure> {
        Ok(None)
    }

    fn commit(&mut self, batch: Batch<'_, '_, Self>) -> Result<Committed<()>, CommitError> {
        if self.failing {
            let cause = std::io::Error::other("told to fail");
            return Err(StoreFailure::new("committing a batch", cause).into());
        }
        for write in batch.stocks.iter_mut() {
            *write.handle = Some(());
            self.stocks.insert(write.key.clone(), *write.stock);
        }
        for write in batch.reservations {
            let known = self.reservations.get(write.id).map(|(number, _)| *number);
            let number = known.unwrap_or(self.reservations.len() as u64 + 1);
            self.reservations.insert(write.id.to_owned(), (number, write.reservation.clone()));
        }
        let end = self.log_end()?.sequence;
        number_recorded(batch.recorded, end);
        let entries = (end + 1..).zip(batch.log);
        self.log.extend(entries.map(|(sequence, entry)| entry.clone().numbered(sequence)));
        Ok(Committed {
            first_sequence: (!batch.log.is_empty()).then_some(end + 1),
            reservation_handles: vec![(); batch.reservations.len()],
        })
    }

    fn idempotency_record(
        &mut self,
        _: &IdempotencyKey,
        _: Timestamp,
    ) -> Result<Option<IdempotencyRecord>, StoreFailure> {
        Ok(None)
    }

    fn delete_idempotency_records(&mut self, _: Timestamp, _: u32) -> Result<bool, StoreFailure> {
        Ok(false)
    }

    fn recover(&mut self) -> Result<(), StoreFailure> {
        self.failing = false;
        Ok(())
    }

    fn close(&mut self) -> Result<(), StoreFailure> {
        Ok(())
    }
}
