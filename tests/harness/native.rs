//! The domain's own handlers over maps, with commands and outcomes of the reference model.

use super::model::{self, Key, Line, Seen};
use domain::{
    Context, DeficitScan, Event, Movement, Precondition, Quantity, RawKey, RawLine, Reservation,
    ReservationScan, Stock, StockKey, StockScan, World, commands,
};
use std::collections::BTreeMap;

#[derive(Default)]
pub struct Native {
    stocks: BTreeMap<StockKey, Stock>,
    reservations: BTreeMap<String, Reservation>,
    /// The types of the published events, in order.
    pub events: Vec<&'static str>,
}

impl World for Native {
    fn stock(&mut self, key: &StockKey) -> Option<Stock> {
        self.stocks.get(key).cloned()
    }

    fn scan_stocks(&mut self, _: StockScan) -> Vec<Stock> {
        unreachable!("commands scan nothing")
    }

    fn scan_deficits(&mut self, _: DeficitScan) -> Vec<Stock> {
        unreachable!("commands scan nothing")
    }

    fn save(&mut self, stock: &Stock) {
        self.stocks.insert(stock.key.clone(), stock.clone());
    }

    fn reservation(&mut self, id: &str) -> Option<Reservation> {
        self.reservations.get(id).cloned()
    }

    fn scan_reservations(&mut self, _: ReservationScan) -> (Vec<Reservation>, Option<u64>) {
        unreachable!("commands scan nothing")
    }

    fn save_reservation(&mut self, reservation: Reservation) {
        self.reservations.insert(reservation.id.clone(), reservation);
    }

    fn publish(&mut self, events: Vec<Event>) {
        self.events.extend(events.iter().map(|event| match event {
            Event::InventoryAdjusted { .. } => "InventoryAdjusted",
            Event::InventoryMoved { movement: Movement::Reserved, .. } => "InventoryReserved",
            Event::InventoryMoved { movement: Movement::Released, .. } => "InventoryReleased",
            Event::InventoryMoved { movement: Movement::Fulfilled, .. } => "InventoryFulfilled",
            Event::InventoryTransferred { .. } => "InventoryTransferred",
            Event::ReservationChanged { change, .. } => match change {
                domain::Change::Extended => "ReservationExtended",
                domain::Change::Confirmed => "ReservationConfirmed",
                domain::Change::Fulfilled => "ReservationFulfilled",
                domain::Change::Cancelled => "ReservationCancelled",
                domain::Change::Expired => "ReservationExpired",
            },
            Event::LowStockChanged { detected: true, .. } => "LowStockDetected",
            Event::LowStockChanged { detected: false, .. } => "LowStockResolved",
        }));
    }
}

fn raw((product, location): Key) -> RawKey {
    (product.to_owned(), location.to_owned())
}

fn raw_lines(lines: &[Line]) -> Vec<RawLine> {
    lines.iter().map(|(key, quantity)| (raw(*key), *quantity)).collect()
}

fn stock(it: &Stock) -> model::Stock {
    let level = it.level();
    let parts = [level.total(), level.reserved(), level.unattributed(), level.minimum()];
    let [total, reserved, unattributed, minimum] = parts.map(Quantity::get);
    model::Stock { total, reserved, unattributed, minimum, version: level.version() }
}

fn reservation(it: &Reservation) -> model::Reservation {
    let known = [("a", "default"), ("a", "north"), ("b", "default"), ("c", "default")];
    let named = |key: &StockKey| {
        let pair = (key.product_id(), key.location_id());
        known.into_iter().find(|known| *known == pair).unwrap()
    };
    let lines = it.lines.iter();
    model::Reservation {
        state: it.status.state.name(),
        lines: lines
            .map(|line| (named(&line.key), line.quantity.get(), line.remaining().unwrap()))
            .collect(),
        ttl: it.ttl_seconds,
        expires_at: it.status.expires_at,
        version: it.status.version,
    }
}

impl Native {
    pub fn execute(&mut self, command: &model::Command, now: u64) -> model::Outcome {
        let precondition = command.if_version.map(|version| Precondition::VersionIn(vec![version]));
        let context = Context { now, reference: None, precondition };
        let on_stock = |decided: Result<commands::StockOutcome, domain::Rejection>| {
            decided.map(|outcome| Seen::Stock(stock(&outcome.stock), outcome.created))
        };
        let on_reservation = |decided: Result<commands::ReservationOutcome, domain::Rejection>| {
            decided.map(|it| Seen::Reservation(reservation(&it.reservation), it.created))
        };
        let decided = match &command.action {
            model::Action::Set { key, total, minimum } => {
                on_stock(commands::adjust_set(self, &context, raw(*key), *total, *minimum))
            }
            model::Action::Adjust { key, delta } => {
                on_stock(commands::adjust_by(self, &context, raw(*key), *delta))
            }
            model::Action::Reserve { key, quantity } => {
                on_stock(commands::reserve(self, &context, raw(*key), *quantity))
            }
            model::Action::Release { key, quantity } => {
                on_stock(commands::release(self, &context, raw(*key), *quantity))
            }
            model::Action::Transfer { product, from, to, quantity } => {
                let [product, from, to] = [product, from, to].map(|id| (*id).to_owned());
                commands::transfer(self, &context, product, from, to, *quantity)
                    .map(|it| Seen::Transfer(stock(&it.source), stock(&it.target)))
            }
            model::Action::Hold { id, lines, ttl } => {
                let id = (*id).to_owned();
                on_reservation(commands::hold(self, &context, id, raw_lines(lines), *ttl))
            }
            model::Action::Replace { id, lines } => {
                let id = (*id).to_owned();
                on_reservation(commands::replace(self, &context, id, raw_lines(lines)))
            }
            model::Action::Extend { id, ttl } => {
                on_reservation(commands::extend(self, &context, (*id).to_owned(), *ttl))
            }
            model::Action::Confirm { id } => {
                on_reservation(commands::confirm(self, &context, (*id).to_owned()))
            }
            model::Action::Fulfill { id, lines } => {
                let lines = lines.as_deref().map(raw_lines);
                on_reservation(commands::fulfill(self, &context, (*id).to_owned(), lines))
            }
            model::Action::Cancel { id, lines } => {
                let lines = lines.as_deref().map(raw_lines);
                on_reservation(commands::cancel(self, &context, (*id).to_owned(), lines))
            }
        };
        decided.map_err(|rejection| rejection.code())
    }
}
