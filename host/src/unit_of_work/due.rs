//! Holds that are due, as a batch sees them: those of the store, but for those that the batch has
//! expired, extended or ended already.

use super::UnitOfWork;
use crate::{
    component::Purpose,
    model::{Action, Command, Due, Ended, Map, Stock, StockKey, StoreFailure, Timestamp},
    store::Decidable,
};

impl<R: Decidable> UnitOfWork<R> {
    /// Whether some hold may be due by `now`.
    #[must_use]
    pub fn something_due(&self, now: Timestamp) -> bool {
        self.next_due.is_some_and(|at| at <= now)
    }

    /// Ids of the holds that are due by `now`, the longest due first, `limit` at most: all of
    /// them, or those that concern a stock or a reservation.
    ///
    /// # Errors
    /// Where the store fails.
    pub fn due(
        &mut self,
        of: Option<&Due>,
        now: Timestamp,
        limit: u32,
    ) -> Result<Vec<String>, StoreFailure> {
        if !self.something_due(now) {
            return Ok(Vec::new());
        }
        // The store does not know yet what the batch has changed: look past it.
        let changed = self.reservations.values().filter(|it| it.changed.is_some()).count();
        let wider = limit.saturating_add(u32::try_from(changed).unwrap_or(u32::MAX));
        let mut found = match of {
            None => {
                let first = self.state.first_due(wider)?.into_iter();
                first.filter(|(_, at)| *at <= now).map(|(id, _)| id).collect()
            }
            Some(Due::Stock(key)) => {
                self.load(key)?;
                match self.stocks.get(key).and_then(|touched| touched.handle) {
                    Some(handle) => self.state.due_on(key, &handle, now, wider)?,
                    None => Vec::new(),
                }
            }
            Some(Due::Reservation(id)) => {
                let found = self.load_reservation(id)?;
                found.filter(|it| it.is_due(now)).map(|_| vec![id.clone()]).unwrap_or_default()
            }
        };
        found.retain(|id| {
            let changed = self.reservations.get(id).and_then(|touched| touched.changed.as_ref());
            changed.is_none_or(|it| it.is_due(now))
        });
        found.truncate(usize::try_from(limit).unwrap_or(usize::MAX));
        Ok(found)
    }

    /// How many lines several commands have together, at most: those that they name, or those of the
    /// reservation that they are about, as it is or as the commands before may leave it, whatever
    /// is more. Any other command counts as one line. Stops counting beyond `most`.
    ///
    /// # Errors
    /// Where the store fails.
    pub fn lines_of(&mut self, commands: &[Command], most: usize) -> Result<usize, StoreFailure> {
        let mut made: Map<&str, usize> = Map::default();
        let mut sum: usize = 0;
        for Command { action, .. } in commands {
            let mut lines = action.lines().len().max(1);
            if let Some(id) = action.reservation_id() {
                let known = match made.get(id) {
                    Some(lines) => *lines,
                    None => self.load_reservation(id)?.map_or(0, |it| it.lines.len()),
                };
                lines = lines.max(known);
                made.insert(id, lines);
            }
            sum = sum.saturating_add(lines);
            if sum > most {
                break;
            }
        }
        Ok(sum)
    }

    /// The stocks and the reservation that a command names: something may be due on them.
    ///
    /// # Errors
    /// Where the store fails.
    pub fn named_by(&mut self, action: &Action) -> Result<Vec<Due>, StoreFailure> {
        let mut named: Vec<Due> = Vec::new();
        if let Some(id) = action.reservation_id()
            && let Some(reservation) = self.load_reservation(id)?
        {
            named.push(Due::Reservation(id.to_owned()));
            let lines = reservation.lines.into_iter();
            named.extend(lines.map(|line| Due::Stock(line.key)));
        }
        named.extend(action.stocks().into_iter().map(Due::Stock));
        Ok(named)
    }

    /// Ends the call where a command meets a stock on which holds are due.
    pub(super) fn check_nothing_due_on(&mut self, key: &StockKey) -> Result<(), Ended> {
        if self.purpose != Purpose::Command || !self.something_due(self.now) {
            return Ok(());
        }
        let due = Due::Stock(key.clone());
        if self.due(Some(&due), self.now, 1)?.is_empty() { Ok(()) } else { Err(Ended::Due(due)) }
    }

    /// The same for all stocks of a scan.
    pub(super) fn check_nothing_due(&mut self, found: &[(StockKey, Stock)]) -> Result<(), Ended> {
        found.iter().try_for_each(|(key, _)| self.check_nothing_due_on(key))
    }
}
