//! The session of one command: the stocks that it meets and its changes, until it is accepted.

use crate::{
    Event, Level, Rejection, Reservation, Stock, StockKey, Timestamp, World, key::KeyIndex,
    low_stock,
};
use alloc::vec::Vec;

/// The world, with the changes of the command at hand over it. Only [`Session::commit`] saves
/// and publishes them.
///
/// Nothing is due on the stocks and reservations that a command meets: whoever runs the domain
/// has expired it before.
pub(crate) struct Session<'w> {
    world: &'w mut dyn World,
    pub(crate) now: Timestamp,
    stocks: Vec<Touched>,
    /// Finds the position of a stock in `stocks`.
    index: KeyIndex,
    reservation: Option<Reservation>,
    events: Vec<Event>,
}

struct Touched {
    /// The level that the command found.
    before: Option<Level>,
    stock: Stock,
}

/// A stock of the session.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) struct Slot(usize);

impl<'w> Session<'w> {
    pub(crate) fn new(world: &'w mut dyn World, now: Timestamp) -> Self {
        Self {
            world,
            now,
            stocks: Vec::new(),
            index: KeyIndex::default(),
            reservation: None,
            events: Vec::new(),
        }
    }

    /// The stock of this key, where there is one.
    pub(crate) fn stock(&mut self, key: &StockKey) -> Option<Slot> {
        let place = match self.find(key) {
            Ok(slot) => return Some(slot),
            Err(place) => place,
        };
        let stock = self.world.stock(key)?;
        Some(self.keep(place, Some(stock.level()), stock))
    }

    /// The same where the command cannot do without the stock.
    pub(crate) fn require(&mut self, key: &StockKey) -> Result<Slot, Rejection> {
        self.stock(key).ok_or_else(|| Rejection::ProductNotFound { key: key.clone() })
    }

    /// Adds a stock that did not exist before, and the event that made it.
    pub(crate) fn create(&mut self, stock: Stock, event: Event) -> Slot {
        self.events.push(event);
        match self.find(&stock.key) {
            Ok(slot) => slot,
            Err(place) => self.keep(place, None, stock),
        }
    }

    /// A look at a stock.
    pub(crate) fn look(&self, slot: Slot) -> Option<&Stock> {
        self.stocks.get(slot.0).map(|touched| &touched.stock)
    }

    /// Lets a stock change, and keeps the event that says so.
    pub(crate) fn change(
        &mut self,
        slot: Slot,
        decide: &mut dyn FnMut(&mut Stock) -> Result<Option<Event>, Rejection>,
    ) -> Result<(), Rejection> {
        if let Some(touched) = self.stocks.get_mut(slot.0)
            && let Some(event) = decide(&mut touched.stock)?
        {
            self.events.push(event);
        }
        Ok(())
    }

    /// The reservation of this id, where there is one.
    pub(crate) fn reservation(&mut self, id: &str) -> Option<Reservation> {
        self.world.reservation(id)
    }

    /// Keeps the reservation as the command leaves it.
    pub(crate) fn keep_reservation(&mut self, reservation: Reservation) {
        self.reservation = Some(reservation);
    }

    pub(crate) fn say(&mut self, event: Event) {
        self.events.push(event);
    }

    /// Saves and publishes: what the command did, then what the low-stock policy makes of it.
    /// A command that changed nothing leaves nothing.
    pub(crate) fn commit(self) {
        let Self { world, stocks, reservation, mut events, .. } = self;
        for Touched { before, stock } in stocks {
            let after = stock.level();
            if before == Some(after) {
                continue;
            }
            events.extend(low_stock::judge(&stock.key, before, after));
            world.save(&stock);
        }
        if let Some(reservation) = reservation {
            world.save_reservation(reservation);
        }
        if !events.is_empty() {
            world.publish(events);
        }
    }

    /// The slot of a stock that the command has met, or its place in the index.
    fn find(&self, key: &StockKey) -> Result<Slot, usize> {
        let stocks = &self.stocks;
        self.index.find(key, |at| stocks.get(at).map(|touched| &touched.stock.key)).map(Slot)
    }

    fn keep(&mut self, place: usize, before: Option<Level>, stock: Stock) -> Slot {
        self.index.insert(place, self.stocks.len());
        self.stocks.push(Touched { before, stock });
        Slot(self.stocks.len() - 1)
    }
}
