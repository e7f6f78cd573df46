//! The check of an answer: a component must answer with the state that its command leaves.

use super::{Draft, ReservationBefore, StockBefore};
use crate::model::{Action, Level, LocationId, Outcome, Reservation, StockKey, StockView};

impl Draft<'_> {
    /// Checks that an answer agrees with the state after the command.
    ///
    /// # Errors
    /// The difference, in words.
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
        let other = || format!("it answered {} with the outcome of another command", action.name());
        match outcome {
            Outcome::Stock { view, .. } => {
                let key = action.stock().ok_or_else(other)?;
                check_view(key, view, level(key))
            }
            Outcome::Transfer { source, target } => {
                let Action::Transfer { product_id, from, to, .. } = action else {
                    return Err(other());
                };
                let at = |location_id: &LocationId| StockKey {
                    product_id: product_id.clone(),
                    location_id: location_id.clone(),
                };
                let (from, to) = (at(from), at(to));
                check_view(&from, source, level(&from))?;
                check_view(&to, target, level(&to))
            }
            Outcome::Reservation { id: named, reservation: answered, .. } => {
                let id = action.reservation_id().filter(|id| id == named).ok_or_else(other)?;
                let written = self.reservations.iter().rev().find(|(written, _)| written == id);
                let after = written.map(|(_, it)| it).or_else(|| reservation(id));
                check_reservation(id, answered, after)
            }
        }
    }
}

/// Checks a stock in an answer. A domain may report fewer available units than there are, but not
/// more.
fn check_view(key: &StockKey, answered: &StockView, after: Option<Level>) -> Result<(), String> {
    let Some(after) = after else {
        return Err(format!("it answered with {key}, which does not exist"));
    };
    let there = after.total.saturating_sub(after.reserved);
    let sound = answered.stock.level == after && answered.reserved == after.reserved;
    if sound && answered.available <= there {
        return Ok(());
    }
    Err(format!("its answer on {key} differs from the state after the command"))
}

fn check_reservation(
    id: &str,
    answered: &Reservation,
    after: Option<&Reservation>,
) -> Result<(), String> {
    if after.is_some_and(|after| after.lines == answered.lines && after.status == answered.status) {
        return Ok(());
    }
    Err(format!("its answer on reservation {id} differs from the state after the command"))
}
