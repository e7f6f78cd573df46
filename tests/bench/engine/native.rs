//! The native domain over the unit of work.

use super::Unit;
use domain::{
    Context, DeficitScan, Event, Level, Movement, Quantity, Reservation, ReservationScan, Stock,
    StockKey, StockScan, World, commands,
};
use holdfast::{
    component::World as _,
    model::{self, Action, Command, Outcome, StockEvent, StockEventKind, StockView},
};

struct Native<'u>(&'u mut Unit);

fn key(key: &StockKey) -> model::StockKey {
    model::StockKey::parse(key.product_id().to_owned(), key.location_id().to_owned()).unwrap()
}

fn level(level: Level) -> model::Level {
    model::Level {
        total: level.total().get(),
        reserved: level.reserved().get(),
        unattributed: level.unattributed().get(),
        minimum: level.minimum().get(),
        version: level.version(),
    }
}

impl World for Native<'_> {
    fn stock(&mut self, of: &StockKey) -> Option<Stock> {
        let found = self.0.stock(&key(of)).unwrap()?;
        let it = found.level;
        let level =
            Level::restore(it.total, it.reserved, it.unattributed, it.minimum, it.version).unwrap();
        Some(Stock::restore(of.clone(), level, Quantity::ZERO, found.created_at, found.updated_at))
    }

    fn save(&mut self, stock: &Stock) {
        let saved = model::Stock {
            level: level(stock.level()),
            due: 0,
            created_at: 1,
            updated_at: stock.updated_at(),
        };
        self.0.put_stock(key(&stock.key), saved).unwrap();
    }

    fn publish(&mut self, events: Vec<Event>) {
        let events = events.into_iter().map(|event| {
            let (kind, of, quantity, from, to) = match event {
                Event::InventoryAdjusted { key, from, to } => {
                    (StockEventKind::InventoryAdjusted, key, None, from, to)
                }
                Event::InventoryMoved {
                    movement: Movement::Reserved,
                    key,
                    quantity,
                    from,
                    to,
                    ..
                } => {
                    let kind = StockEventKind::InventoryReserved;
                    (kind, key, Some(quantity.get()), Some(from), to)
                }
                other => unreachable!("{other:?}"),
            };
            model::Event::Stock(StockEvent {
                kind,
                key: key(&of),
                quantity,
                reservation_id: None,
                expires_at: None,
                counterpart_id: None,
                from: from.map(level),
                to: level(to),
            })
        });
        self.0.publish(events.collect()).unwrap();
    }

    fn scan_stocks(&mut self, _: StockScan) -> Vec<Stock> {
        unreachable!("commands scan nothing")
    }

    fn scan_deficits(&mut self, _: DeficitScan) -> Vec<Stock> {
        unreachable!("commands scan nothing")
    }

    fn reservation(&mut self, _: &str) -> Option<Reservation> {
        unreachable!("there are none")
    }

    fn scan_reservations(&mut self, _: ReservationScan) -> (Vec<Reservation>, Option<u64>) {
        unreachable!("there are none")
    }

    fn save_reservation(&mut self, _: Reservation) {
        unreachable!("there are none")
    }
}

/// Decides a command of this benchmark. Panics where the command is not accepted.
pub fn execute(unit: &mut Unit, command: &Command, now: u64) -> Outcome {
    let raw = |key: &model::StockKey| {
        (key.product_id.as_str().to_owned(), key.location_id.as_str().to_owned())
    };
    let context = Context { now, reference: None, precondition: None };
    let mut world = Native(unit);
    let outcome = match &command.action {
        Action::AdjustSet { key, total, minimum } => {
            commands::adjust_set(&mut world, &context, raw(key), *total, *minimum)
        }
        Action::Reserve { key, quantity } => {
            commands::reserve(&mut world, &context, raw(key), *quantity)
        }
        other => unreachable!("{other:?}"),
    }
    .unwrap();
    let stock = &outcome.stock;
    let updated_at = stock.updated_at();
    let told = model::Stock { level: level(stock.level()), due: 0, created_at: 1, updated_at };
    let (reserved, available) = (told.level.reserved, told.level.total - told.level.reserved);
    let view = StockView { stock: told, reserved, available, low: false };
    Outcome::Stock { view, created: outcome.created }
}
