//! The handlers over a world in memory.

mod expiry;
mod properties;
mod queries;
mod reservations;
mod stocks;
mod transfers;

use crate::{
    Context, DeficitPosition, DeficitScan, Event, Movement, Precondition, Quantity, RawKey,
    RawLine, Reservation, ReservationScan, Stock, StockKey, StockScan, World, commands::*, deficit,
    is_low,
};
use alloc::{
    collections::BTreeMap,
    format,
    string::{String, ToString},
    vec::Vec,
};
use core::cmp::Reverse;

/// Stocks, reservations and events in memory.
#[derive(Default, Clone, PartialEq, Debug)]
struct Memory {
    stocks: BTreeMap<StockKey, Stock>,
    reservations: BTreeMap<String, Reservation>,
    /// The ids of the reservations in the order of their creation.
    created: Vec<String>,
    events: Vec<Event>,
}

impl World for Memory {
    fn stock(&mut self, key: &StockKey) -> Option<Stock> {
        self.stocks.get(key).cloned()
    }

    fn scan_stocks(&mut self, scan: StockScan) -> Vec<Stock> {
        let prefix = scan.product_prefix.unwrap_or_default();
        let found = self.stocks.values().filter(|stock| {
            let key = &stock.key;
            scan.location_id.as_ref().is_none_or(|location| key.location_id() == location)
                && key.product_id().starts_with(&prefix)
                && (!scan.below_minimum || is_low(&stock.level()))
                && scan.after.as_ref().is_none_or(|after| key > after)
        });
        found.take(scan.limit as usize).cloned().collect()
    }

    fn scan_deficits(&mut self, scan: DeficitScan) -> Vec<Stock> {
        let place = |deficit, key: &StockKey| (Reverse(deficit), key.clone());
        let after = scan.after.map(|DeficitPosition { deficit, key }| place(deficit, &key));
        let found = self.stocks.values().filter(|stock| {
            is_low(&stock.level())
                && scan.location_id.as_ref().is_none_or(|at| stock.key.location_id() == at)
        });
        let mut found: Vec<_> = found
            .map(|stock| (place(deficit(&stock.level()), &stock.key), stock.clone()))
            .filter(|(place, _)| after.as_ref().is_none_or(|after| place > after))
            .collect();
        found.sort_by(|(a, _), (b, _)| a.cmp(b));
        found.into_iter().map(|(_, stock)| stock).take(scan.limit as usize).collect()
    }

    fn save(&mut self, stock: &Stock) {
        self.stocks.insert(stock.key.clone(), stock.clone());
    }

    fn reservation(&mut self, id: &str) -> Option<Reservation> {
        self.reservations.get(id).cloned()
    }

    fn scan_reservations(&mut self, scan: ReservationScan) -> (Vec<Reservation>, Option<u64>) {
        let in_order = self.created.iter().map(|id| self.reservations[id].clone());
        let mut found: Vec<(u64, Reservation)> = (0..)
            .zip(in_order)
            .filter(|(position, found)| {
                let wants = |wanted: &Option<String>, has: &str| {
                    wanted.as_ref().is_none_or(|wanted| wanted == has)
                };
                let line = found.lines.iter().any(|line| {
                    wants(&scan.product_id, line.key.product_id())
                        && wants(&scan.location_id, line.key.location_id())
                });
                let reference = found.reference.as_deref().unwrap_or_default();
                line && wants(&scan.reference, reference)
                    && scan.state.is_none_or(|state| found.status.state == state)
                    && scan.expires_before.is_none_or(|before| {
                        found.status.expires_at.is_some_and(|expiry| expiry < before)
                    })
                    && scan.after.is_none_or(|after| *position < after)
            })
            .collect();
        found.reverse();
        let more = found.len() > scan.limit as usize;
        found.truncate(scan.limit as usize);
        let next = found.last().filter(|_| more).map(|(position, _)| *position);
        (found.into_iter().map(|(_, found)| found).collect(), next)
    }

    fn save_reservation(&mut self, reservation: Reservation) {
        if !self.reservations.contains_key(&reservation.id) {
            self.created.push(reservation.id.clone());
        }
        self.reservations.insert(reservation.id.clone(), reservation);
    }

    fn publish(&mut self, events: Vec<Event>) {
        assert!(!events.is_empty(), "a command that has no events publishes nothing");
        self.events.extend(events);
    }
}

fn at(now: u64) -> Context {
    Context { now, ..Context::default() }
}

/// A context that demands a version.
fn at_version(now: u64, version: u64) -> Context {
    Context { precondition: Some(Precondition::VersionIn([version].to_vec())), ..at(now) }
}

fn raw(product: &str) -> RawKey {
    (product.to_string(), "default".to_string())
}

fn key(product: &str) -> StockKey {
    let (product, location) = raw(product);
    StockKey::parse(product, location).unwrap()
}

fn lines(of: &[(&str, u64)]) -> Vec<RawLine> {
    of.iter().map(|(product, quantity)| (raw(product), *quantity)).collect()
}

/// A world with stocks of 10 units of "a" and of "b", each low below 5.
fn memory() -> Memory {
    let mut memory = Memory::default();
    for product in ["a", "b"] {
        adjust_set(&mut memory, &at(1), raw(product), 10, Some(5)).unwrap();
    }
    memory.events.clear();
    memory
}

fn create_hold(memory: &mut Memory, id: &str, of: &[(&str, u64)], ttl: Option<u32>) {
    assert!(hold(memory, &at(1_000), id.to_string(), lines(of), ttl).unwrap().created);
}

/// The total, reserved and unattributed units of a stock, and its version.
fn numbers(memory: &Memory, product: &str) -> (u64, u64, u64, u64) {
    let level = memory.stocks[&key(product)].level();
    let [total, reserved, unattributed] =
        [level.total(), level.reserved(), level.unattributed()].map(Quantity::get);
    (total, reserved, unattributed, level.version())
}

/// Takes the events out of the world. Returns a few words on each.
fn take_events(memory: &mut Memory) -> Vec<String> {
    let short = |event: &Event| match event {
        Event::InventoryAdjusted { key, .. } => format!("adjusted {}", key.product_id()),
        Event::InventoryMoved { movement, key, quantity, .. } => {
            let verb = match movement {
                Movement::Reserved => "reserved",
                Movement::Released => "released",
                Movement::Fulfilled => "fulfilled",
            };
            format!("{verb} {} {}", quantity.get(), key.product_id())
        }
        Event::InventoryTransferred { incoming, quantity, .. } => {
            format!("{} {}", if *incoming { "in" } else { "out" }, quantity.get())
        }
        Event::ReservationChanged { change, id, .. } => format!("{change:?} {id}"),
        Event::LowStockChanged { detected, key, .. } => {
            format!("{} {}", if *detected { "low" } else { "fine" }, key.product_id())
        }
    };
    memory.events.drain(..).map(|event| short(&event)).collect()
}
