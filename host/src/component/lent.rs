use super::{Purpose, World};
use crate::model::{
    DeficitScan, Ended, Event, Fault, Reservation, ReservationPage, ReservationScan, Stock,
    StockKey, StockScan, Timestamp,
};

/// A world that is lent to a guest for one call: between calls others work on it, other guests
/// among them.
pub struct Lent<W>(Option<Box<W>>);

impl<W> Default for Lent<W> {
    fn default() -> Self {
        Self(None)
    }
}

impl<W> Lent<W> {
    /// Lends it.
    pub fn lend(&mut self, world: Box<W>) {
        self.0 = Some(world);
    }

    /// Takes it back; none where nothing was lent.
    pub fn take_back(&mut self) -> Option<Box<W>> {
        self.0.take()
    }

    fn lent(&mut self) -> Result<&mut W, Ended> {
        let nothing = || Fault("it called the host outside a command".to_owned()).into();
        self.0.as_deref_mut().ok_or_else(nothing)
    }
}

impl<W: World> World for Lent<W> {
    fn begin_call(&mut self, purpose: Purpose, now: Timestamp) {
        // Without a world every import fails.
        if let Some(world) = &mut self.0 {
            world.begin_call(purpose, now);
        }
    }

    fn stock(&mut self, key: &StockKey) -> Result<Option<Stock>, Ended> {
        self.lent()?.stock(key)
    }

    fn put_stock(&mut self, key: StockKey, stock: Stock) -> Result<(), Ended> {
        self.lent()?.put_stock(key, stock)
    }

    fn scan_stocks(&mut self, scan: &StockScan) -> Result<Vec<(StockKey, Stock)>, Ended> {
        self.lent()?.scan_stocks(scan)
    }

    fn scan_deficits(&mut self, scan: &DeficitScan) -> Result<Vec<(StockKey, Stock)>, Ended> {
        self.lent()?.scan_deficits(scan)
    }

    fn reservation(&mut self, id: &str) -> Result<Option<Reservation>, Ended> {
        self.lent()?.reservation(id)
    }

    fn put_reservation(&mut self, id: String, reservation: Reservation) -> Result<(), Ended> {
        self.lent()?.put_reservation(id, reservation)
    }

    fn scan_reservations(&mut self, scan: &ReservationScan) -> Result<ReservationPage, Ended> {
        self.lent()?.scan_reservations(scan)
    }

    fn publish(&mut self, events: Vec<Event>) -> Result<(), Ended> {
        self.lent()?.publish(events)
    }
}
