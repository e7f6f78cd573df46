//! What a batch of commands writes, in memory until it is committed: the world of the guest
//! while it decides, on top of what the store holds.
//!
//! Each command writes aside. Accepted, its writes join the batch, where the next command
//! sees them; rejected or failed, they are dropped, and there is nothing to undo.

mod invariants;
mod view;

pub use view::ReadView;

use crate::{
    component::World,
    model::{
        Command, DeficitScan, Digest, Ended, Event, Fault, LogEntry, Stock, StockKey, StockScan,
        StoreFailure, Timestamp,
    },
    store::{self, Handle, Lane, LogEnd, StockWrite, Stored},
};
use std::collections::HashMap;

/// The most stocks that one command may write.
const STOCKS_PER_COMMAND_MAX: usize = 1_024;

/// The most facts that one command may publish.
const EVENTS_PER_COMMAND_MAX: usize = 4_096;

/// A batch in the making, over the lane that will commit it.
pub struct UnitOfWork<L> {
    lane: L,
    log_end: LogEnd,
    /// Every stock that the batch has touched.
    stocks: HashMap<StockKey, Touched>,
    /// What accepted commands say.
    log: Vec<LogEntry>,
    /// What the command at hand writes and says.
    writes: Vec<(StockKey, Stock)>,
    facts: Vec<Event>,
}

struct Touched {
    handle: Option<Handle>,
    stock: Option<Stock>,
    dirty: bool,
}

impl<L: Lane> UnitOfWork<L> {
    /// An empty batch.
    ///
    /// # Errors
    /// Where the store fails to say how its log ends.
    pub fn new(mut lane: L) -> Result<Self, StoreFailure> {
        let log_end = lane.log_end()?;
        Ok(Self {
            lane,
            log_end,
            stocks: HashMap::new(),
            log: Vec::new(),
            writes: Vec::new(),
            facts: Vec::new(),
        })
    }

    /// Begins a batch.
    ///
    /// # Errors
    /// Where the store fails; there is no batch then.
    pub fn begin(&mut self) -> Result<(), StoreFailure> {
        self.lane.begin_batch()
    }

    /// The log as of the last commit.
    #[must_use]
    pub fn log_end(&self) -> LogEnd {
        self.log_end
    }

    /// Lets the writes of the command at hand join the batch.
    ///
    /// # Errors
    /// [`Fault`]: they break an invariant, and are dropped.
    pub fn accept(
        &mut self,
        command: &Command,
        now: Timestamp,
        decided_by: Digest,
    ) -> Result<(), Fault> {
        let before =
            |key: &StockKey| self.stocks.get(key).and_then(|touched| touched.stock.as_ref());
        if let Err(broken) = invariants::check(&self.writes, &self.facts, before) {
            self.abandon();
            return Err(Fault(format!("it broke an invariant: {broken}")));
        }
        for (key, stock) in self.writes.drain(..) {
            let touched = self.stocks.entry(key).or_insert(Touched {
                handle: None,
                stock: None,
                dirty: true,
            });
            touched.stock = Some(stock);
            touched.dirty = true;
        }
        let committed = self.log_end.sequence + self.log.len() as u64;
        let origin = &command.origin;
        self.log.extend((committed + 1..).zip(self.facts.drain(..)).map(|(sequence, event)| {
            LogEntry {
                sequence,
                at: now,
                command_id: command.id,
                caller: origin.caller.clone(),
                reason: origin.reason.clone(),
                reference: origin.reference.clone(),
                component: decided_by,
                event,
            }
        }));
        Ok(())
    }

    /// Drops what the command at hand has written.
    pub fn abandon(&mut self) {
        self.writes.clear();
        self.facts.clear();
    }

    /// Makes the batch durable and ends it. After a failure nothing of the
    /// batch remains.
    ///
    /// # Errors
    /// Where the store fails; nothing is written then.
    pub fn commit(&mut self) -> Result<(), StoreFailure> {
        self.abandon();
        let result = self.commit_dirty();
        if let (Ok(()), Some(last)) = (&result, self.log.last()) {
            self.log_end = LogEnd { sequence: last.sequence, at: last.at };
        }
        self.stocks.clear();
        self.log.clear();
        result
    }

    fn commit_dirty(&mut self) -> Result<(), StoreFailure> {
        let dirty = self.stocks.iter_mut().filter(|(_, touched)| touched.dirty);
        let mut writes: Vec<_> = dirty
            .filter_map(|(key, Touched { handle, stock, .. })| {
                stock.as_ref().map(|stock| StockWrite { key, handle, stock })
            })
            .collect();
        if writes.is_empty() && self.log.is_empty() {
            return self.lane.end_batch();
        }
        // In key order: neighbours share pages.
        writes.sort_unstable_by_key(|write| write.key);
        self.lane.commit(&mut writes, &self.log)
    }

    /// After a failed commit: gets the store ready to write again.
    ///
    /// # Errors
    /// Where it is not.
    pub fn recover(&mut self) -> Result<(), StoreFailure> {
        self.lane.recover()?;
        self.log_end = self.lane.log_end()?;
        Ok(())
    }

    /// Leaves the store as compact as it can be, before the process ends.
    ///
    /// # Errors
    /// Where the store fails.
    pub fn close(&mut self) -> Result<(), StoreFailure> {
        self.lane.close()
    }

    /// The stock as the command at hand sees it, loaded where it is touched first.
    fn load(&mut self, key: &StockKey) -> Result<Option<Stock>, StoreFailure> {
        if let Some((_, stock)) = self.writes.iter().rev().find(|(written, _)| written == key) {
            return Ok(Some(*stock));
        }
        if let Some(touched) = self.stocks.get(key) {
            return Ok(touched.stock);
        }
        let stored = self.lane.stock(key)?;
        let (handle, stock) = match stored {
            Some(Stored { handle, stock }) => (Some(handle), Some(stock)),
            None => (None, None),
        };
        self.stocks.insert(key.clone(), Touched { handle, stock, dirty: false });
        Ok(stock)
    }

    /// What is written but not committed, in this batch and by the command at hand.
    fn uncommitted(&self) -> HashMap<&StockKey, &Stock> {
        let batch = self.stocks.iter().filter(|(_, touched)| touched.dirty);
        let batch = batch.filter_map(|(key, touched)| Some((key, touched.stock.as_ref()?)));
        batch.chain(self.writes.iter().map(|(key, stock)| (key, stock))).collect()
    }

    /// Puts what is uncommitted over what the store found. The store was asked for as many
    /// more as there are uncommitted stocks, so that enough remain.
    fn overlay(
        &self,
        mut found: Vec<(StockKey, Stock)>,
        matches: impl Fn(&StockKey, &Stock) -> bool,
    ) -> Vec<(StockKey, Stock)> {
        let uncommitted = self.uncommitted();
        found.retain(|(key, _)| !uncommitted.contains_key(key));
        let written = uncommitted.into_iter().filter(|(key, stock)| matches(key, stock));
        found.extend(written.map(|(key, stock)| (key.clone(), *stock)));
        found
    }

    fn widened(&self, limit: u32) -> u32 {
        let uncommitted = self.stocks.len() + self.writes.len();
        limit.saturating_add(u32::try_from(uncommitted).unwrap_or(u32::MAX))
    }
}

fn cut(found: &mut Vec<(StockKey, Stock)>, limit: u32) {
    found.truncate(usize::try_from(limit).unwrap_or(usize::MAX));
}

impl<L: Lane> World for UnitOfWork<L> {
    fn stock(&mut self, key: &StockKey) -> Result<Option<Stock>, Ended> {
        Ok(self.load(key)?)
    }

    fn put_stock(&mut self, key: StockKey, stock: Stock) -> Result<(), Ended> {
        // What was there before is needed to check the write, whether the guest looked or not.
        self.load(&key)?;
        if let Some((_, written)) = self.writes.iter_mut().find(|(written, _)| *written == key) {
            *written = stock;
            return Ok(());
        }
        if self.writes.len() == STOCKS_PER_COMMAND_MAX {
            let most = STOCKS_PER_COMMAND_MAX;
            return Err(Fault(format!("it wrote more than {most} stocks in one command")).into());
        }
        self.writes.push((key, stock));
        Ok(())
    }

    fn scan_stocks(&mut self, scan: &StockScan) -> Result<Vec<(StockKey, Stock)>, Ended> {
        let wider = StockScan { limit: self.widened(scan.limit), ..scan.clone() };
        let found = self.lane.scan_stocks(&wider)?;
        let mut found = self.overlay(found, |key, stock| store::scan_matches(scan, key, stock));
        found.sort_unstable_by(|(a, _), (b, _)| a.cmp(b));
        cut(&mut found, scan.limit);
        Ok(found)
    }

    fn scan_deficits(&mut self, scan: &DeficitScan) -> Result<Vec<(StockKey, Stock)>, Ended> {
        let wider = DeficitScan { limit: self.widened(scan.limit), ..scan.clone() };
        let found = self.lane.scan_deficits(&wider)?;
        let mut found =
            self.overlay(found, |key, stock| store::deficit_scan_matches(scan, key, stock));
        found.sort_unstable_by(|(a, first), (b, second)| {
            let order = store::deficit_order(store::deficit(first), a);
            order.cmp(&store::deficit_order(store::deficit(second), b))
        });
        cut(&mut found, scan.limit);
        Ok(found)
    }

    fn publish(&mut self, events: Vec<Event>) -> Result<(), Ended> {
        if self.facts.len() + events.len() > EVENTS_PER_COMMAND_MAX {
            let most = EVENTS_PER_COMMAND_MAX;
            return Err(
                Fault(format!("it published more than {most} events in one command")).into()
            );
        }
        if self.facts.is_empty() {
            self.facts = events;
        } else {
            self.facts.extend(events);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;
