//! The stocks and events of one command on a reservation, until the command is accepted.

use crate::{
    event::{Event, Movement},
    key::StockKey,
    key_index::KeyIndex,
    level::Level,
    low_stock,
    rejection::Rejection,
    reservation::Reservation,
    stock::Stock,
    units::Timestamp,
    world::World,
};
use alloc::vec::Vec;

/// The world as one command on a reservation has changed it so far. Only [`Session::commit`]
/// saves the changes and publishes the events.
///
/// The caller of the domain has expired every hold that was due, so nothing is due on the stocks
/// and reservations that a session loads.
pub(crate) struct Session<'w> {
    world: &'w mut dyn World,
    /// The time of the command.
    pub(crate) now: Timestamp,
    stocks: Vec<Loaded>,
    /// Finds the position of a stock in `stocks`.
    index: KeyIndex,
    events: Vec<Event>,
}

/// A stock that the command has loaded.
struct Loaded {
    /// The level before the command.
    before: Level,
    stock: Stock,
}

impl<'w> Session<'w> {
    /// Begins a command.
    pub(crate) fn new(world: &'w mut dyn World, now: Timestamp) -> Self {
        Self { world, now, stocks: Vec::new(), index: KeyIndex::default(), events: Vec::new() }
    }

    /// Returns a stock as the command has left it so far. Loads it at the first request.
    ///
    /// # Errors
    /// [`Rejection::ProductNotFound`].
    pub(crate) fn stock(&mut self, key: &StockKey) -> Result<&mut Stock, Rejection> {
        let stocks = &self.stocks;
        let found = self.index.find(key, |at| stocks.get(at).map(|loaded| &loaded.stock.key));
        let position = match found {
            Ok(position) => position,
            Err(place) => {
                let position = stocks.len();
                if let Some(stock) = self.world.stock(key) {
                    self.index.insert(place, position);
                    self.stocks.push(Loaded { before: stock.level(), stock });
                }
                position
            }
        };
        let loaded = self.stocks.get_mut(position).map(|loaded| &mut loaded.stock);
        loaded.ok_or_else(|| Rejection::ProductNotFound { key: key.clone() })
    }

    /// Moves units of a stock for the reservation `id`, and records the event. Where the stock has
    /// too few units, nothing moves: the caller has checked the numbers, so the stored reservation
    /// contradicts the stored stock, and the host's check of the invariants says so.
    ///
    /// # Errors
    /// [`Rejection::ProductNotFound`].
    pub(crate) fn move_units(
        &mut self,
        key: &StockKey,
        movement: Movement,
        units: u64,
        (id, expires_at): (&str, Option<Timestamp>),
        at: Timestamp,
    ) -> Result<(), Rejection> {
        let stock = self.stock(key)?;
        let event = stock.move_for_reservation(movement, units, id, expires_at, at);
        self.events.extend(event);
        Ok(())
    }

    /// Returns the stored reservation with this id.
    pub(crate) fn reservation(&mut self, id: &str) -> Option<Reservation> {
        self.world.reservation(id)
    }

    /// Records an event of the command.
    pub(crate) fn record(&mut self, event: Event) {
        self.events.push(event);
    }

    /// Saves the reservation and each stock that has changed, and publishes the events: those of
    /// the command in their order, then the low-stock events.
    pub(crate) fn commit(self, reservation: Reservation) {
        let Self { world, stocks, mut events, .. } = self;
        for Loaded { before, stock } in stocks {
            let after = stock.level();
            if before != after {
                events.extend(low_stock::judge(&stock.key, Some(&before), &after));
                world.save(&stock);
            }
        }
        world.save_reservation(reservation);
        if !events.is_empty() {
            world.publish(events);
        }
    }
}
