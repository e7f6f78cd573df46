//! What a component answers must be what it leaves: nobody is told of a reservation that is not
//! there.

use super::{Draft, ReservationBefore, StockBefore};
use crate::model::{Action, Level, Outcome, Reservation, StockKey, StockView};

impl Draft<'_> {
    /// Says in what an answer differs from what the command leaves, if in anything.
    pub(crate) fn check_answer<'a>(
        &self,
        action: &Action,
        outcome: &Outcome,
        stock: &StockBefore<'a>,
        reservation: &ReservationBefore<'a>,
    ) -> Result<(), String> {
        let level = |key: &StockKey| {
            let written = self.stocks.iter().rev().find(|(written, _)| written == key);
            written.map(|(_, stock)| stock.level).or_else(|| stock(key).map(|stock| stock.level))
        };
        match (action, outcome) {
            (
                Action::AdjustSet { key, .. }
                | Action::AdjustBy { key, .. }
                | Action::Reserve { key, .. }
                | Action::Release { key, .. },
                Outcome::Stock { view, .. },
            ) => check_view(key, view, level(key)),
            (
                Action::Transfer { product_id, from, to, .. },
                Outcome::Transfer { source, target },
            ) => {
                let at = |location_id: &crate::model::LocationId| StockKey {
                    product_id: product_id.clone(),
                    location_id: location_id.clone(),
                };
                let (from, to) = (at(from), at(to));
                check_view(&from, source, level(&from))?;
                check_view(&to, target, level(&to))
            }
            (
                Action::Hold { id, .. }
                | Action::Replace { id, .. }
                | Action::Extend { id, .. }
                | Action::Confirm { id }
                | Action::Fulfill { id, .. }
                | Action::Cancel { id, .. }
                | Action::Expire { id },
                Outcome::Reservation { id: named, reservation: told, .. },
            ) if id == named => {
                let written = self.reservations.iter().rev().find(|(written, _)| written == id);
                let after = written.map(|(_, it)| it).or_else(|| reservation(id));
                check_reservation(id, told, after)
            }
            _ => Err(format!("it answered {} with something else", action.name())),
        }
    }
}

/// A domain may call less available than there is, but not more.
fn check_view(key: &StockKey, told: &StockView, after: Option<Level>) -> Result<(), String> {
    let Some(after) = after else {
        return Err(format!("it answered of {key}, which is not there"));
    };
    let there = after.total.saturating_sub(after.reserved);
    if told.stock.level == after && told.reserved == after.reserved && told.available <= there {
        return Ok(());
    }
    Err(format!("its answer on {key} is not what it leaves there"))
}

fn check_reservation(
    id: &str,
    told: &Reservation,
    after: Option<&Reservation>,
) -> Result<(), String> {
    if after.is_some_and(|after| after.lines == told.lines && after.status == told.status) {
        return Ok(());
    }
    Err(format!("its answer on reservation {id} is not what it leaves there"))
}
