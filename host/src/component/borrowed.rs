//! A world that a guest borrows for one call.

use super::{Purpose, World};
use crate::model::{
    DeficitScan, Ended, Event, Fault, Reservation, ReservationPage, ReservationScan, Stock,
    StockKey, StockScan, Timestamp,
};

/// A world that a guest borrows for one call. Between two calls the world belongs to the host,
/// which may work on it or let another guest borrow it.
pub struct BorrowedWorld<W>(Option<Box<W>>);

impl<W> Default for BorrowedWorld<W> {
    fn default() -> Self {
        Self(None)
    }
}

impl<W> BorrowedWorld<W> {
    /// Begins the borrow: the guest works on this world until [`give_back`](Self::give_back).
    pub fn borrow(&mut self, world: Box<W>) {
        self.0 = Some(world);
    }

    /// Ends the borrow and returns the world; `None` where no world was borrowed.
    pub fn give_back(&mut self) -> Option<Box<W>> {
        self.0.take()
    }

    /// The borrowed world.
    fn world(&mut self) -> Result<&mut W, Ended> {
        let outside = || Fault("it called the host outside a command".to_owned()).into();
        self.0.as_deref_mut().ok_or_else(outside)
    }
}

impl<W: World> World for BorrowedWorld<W> {
    fn begin_call(&mut self, purpose: Purpose, now: Timestamp) {
        // Where no world is borrowed, every import fails.
        if let Some(world) = &mut self.0 {
            world.begin_call(purpose, now);
        }
    }

    fn stock(&mut self, key: &StockKey) -> Result<Option<Stock>, Ended> {
        self.world()?.stock(key)
    }

    fn put_stock(&mut self, key: StockKey, stock: Stock) -> Result<(), Ended> {
        self.world()?.put_stock(key, stock)
    }

    fn scan_stocks(&mut self, scan: &StockScan) -> Result<Vec<(StockKey, Stock)>, Ended> {
        self.world()?.scan_stocks(scan)
    }

    fn scan_deficits(&mut self, scan: &DeficitScan) -> Result<Vec<(StockKey, Stock)>, Ended> {
        self.world()?.scan_deficits(scan)
    }

    fn reservation(&mut self, id: &str) -> Result<Option<Reservation>, Ended> {
        self.world()?.reservation(id)
    }

    fn put_reservation(&mut self, id: String, reservation: Reservation) -> Result<(), Ended> {
        self.world()?.put_reservation(id, reservation)
    }

    fn scan_reservations(&mut self, scan: &ReservationScan) -> Result<ReservationPage, Ended> {
        self.world()?.scan_reservations(scan)
    }

    fn publish(&mut self, events: Vec<Event>) -> Result<(), Ended> {
        self.world()?.publish(events)
    }
}
