//! Commands: each [`Action`] is one exported function of the contract.

use super::{
    Purpose, World,
    bindings::holdfast::inventory::types,
    convert::{self, reservation},
    guest::{Decision, Guest, decided},
};
use crate::model::{Action, Command, Ended, Outcome, Timestamp};

impl<W: World> Guest<W> {
    /// Lets the component decide a command as of `now`.
    ///
    /// # Errors
    /// [`Ended`]: there is no decision, and the guest must not be called again.
    pub fn execute(
        &mut self,
        command: &Command,
        now: Timestamp,
    ) -> Result<Decision<Outcome>, Ended> {
        let context = convert::context_to_wit(command, now);
        let purpose = match command.action {
            Action::Expire { .. } => Purpose::Expiry,
            _ => Purpose::Command,
        };
        self.world().begin_call(purpose, now);
        match &command.action {
            Action::AdjustSet { .. }
            | Action::AdjustBy { .. }
            | Action::Reserve { .. }
            | Action::Release { .. } => self.execute_on_stock(&command.action, &context, now),
            Action::Transfer { product_id, from, to, quantity } => {
                let (product, from, to) = (product_id.as_str(), from.as_str(), to.as_str());
                let decision =
                    self.call(now, context.command_id.as_bytes(), |inventory, store| {
                        inventory.call_transfer(store, &context, product, from, to, *quantity)
                    })?;
                decided(decision, |outcome| Ok(convert::transfer_from_wit(outcome)))
            }
            _ => self.execute_on_reservation(&command.action, &context, now),
        }
    }

    fn execute_on_stock(
        &mut self,
        action: &Action,
        context: &types::Context,
        now: Timestamp,
    ) -> Result<Decision<Outcome>, Ended> {
        let decision =
            self.call(now, context.command_id.as_bytes(), |inventory, store| match action {
                Action::AdjustSet { key, total, minimum } => {
                    let key = convert::key_to_wit(key);
                    inventory.call_adjust_set(store, context, &key, *total, *minimum)
                }
                Action::AdjustBy { key, delta } => {
                    inventory.call_adjust_by(store, context, &convert::key_to_wit(key), *delta)
                }
                Action::Reserve { key, quantity } => {
                    inventory.call_reserve(store, context, &convert::key_to_wit(key), *quantity)
                }
                Action::Release { key, quantity } => {
                    inventory.call_release(store, context, &convert::key_to_wit(key), *quantity)
                }
                other => wasmtime::bail!("{other:?} is not about one stock"),
            })?;
        decided(decision, |outcome| Ok(convert::outcome_from_wit(outcome)))
    }

    fn execute_on_reservation(
        &mut self,
        action: &Action,
        context: &types::Context,
        now: Timestamp,
    ) -> Result<Decision<Outcome>, Ended> {
        let decision =
            self.call(now, context.command_id.as_bytes(), |inventory, store| match action {
                Action::Hold { id, lines, ttl_seconds } => {
                    let lines = reservation::lines_to_wit(lines);
                    inventory.call_hold(store, context, id, &lines, *ttl_seconds)
                }
                Action::Replace { id, lines } => {
                    inventory.call_replace(store, context, id, &reservation::lines_to_wit(lines))
                }
                Action::Extend { id, ttl_seconds } => {
                    inventory.call_extend(store, context, id, *ttl_seconds)
                }
                Action::Confirm { id } => inventory.call_confirm(store, context, id),
                Action::Fulfill { id, lines } => {
                    let lines = lines.as_deref().map(reservation::lines_to_wit);
                    inventory.call_fulfill(store, context, id, lines.as_deref())
                }
                Action::Expire { id } => inventory.call_expire(store, context, id),
                Action::Cancel { id, lines } => {
                    let lines = lines.as_deref().map(reservation::lines_to_wit);
                    inventory.call_cancel(store, context, id, lines.as_deref())
                }
                other => wasmtime::bail!("{other:?} is not about a reservation"),
            })?;
        decided(decision, reservation::outcome_from_wit)
    }
}
