//! Due holds as the current batch sees them: the due holds of the store without those that the
//! batch has expired, extended or ended.

use super::UnitOfWork;
use crate::{
    component::Purpose,
    model::{Action, Command, Due, Ended, Map, Stock, StockKey, StoreFailure, Timestamp},
    store::Decidable,
};

impl<R: Decidable> UnitOfWork<R> {
    /// Whether a hold may be due by `now`. `false` is certain once the store has read ahead beyond
    /// `now`.
    #[must_use]
    pub fn something_due(&self, now: Timestamp) -> bool {
        self.next_due.is_some_and(|at| at <= now)
    }

    /// The ids of at most `limit` holds that are due by `now`, the longest due first. `of` selects
    /// the holds on a stock, or one reservation; `None` selects all holds.
    ///
    /// # Errors
    /// The store fails.
    pub fn due(
        &mut self,
        of: Option<&Due>,
        now: Timestamp,
        limit: u32,
    ) -> Result<Vec<String>, StoreFailure> {
        if !self.something_due(now) {
            return Ok(Vec::new());
        }
        // The store still reports holds that the batch has changed: ask for as many more.
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

    /// An upper bound on the number of lines of several commands. A command counts the lines that
    /// it names, or those of its reservation where these are more, be it as the reservation is
    /// stored or as an earlier command of the slice may leave it; at least one line. Stops counting
    /// beyond `most`.
    ///
    /// # Errors
    /// The store fails.
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

    /// The stocks and the reservation that a command names, with the stocks of the reservation's
    /// lines.
    ///
    /// # Errors
    /// The store fails.
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

    /// Ends the call of a command with [`Ended::Due`] where holds are due on the stock.
    pub(super) fn check_nothing_due_on(&mut self, key: &StockKey) -> Result<(), Ended> {
        if self.purpose != Purpose::Command || !self.something_due(self.now) {
            return Ok(());
        }
        let due = Due::Stock(key.clone());
        if self.due(Some(&due), self.now, 1)?.is_empty() { Ok(()) } else { Err(Ended::Due(due)) }
    }

    /// Does the same for all stocks of a scan.
    pub(super) fn check_nothing_due(&mut self, found: &[(StockKey, Stock)]) -> Result<(), Ended> {
        found.iter().try_for_each(|(key, _)| self.check_nothing_due_on(key))
    }
}
