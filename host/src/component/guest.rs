use super::{
    World,
    bindings::{
        self, exports::holdfast::inventory::inventory as exported, holdfast::inventory::types,
    },
    convert::{self, reservation},
    domain::Domain,
    limits::Limits,
    wasi::Sandbox,
};
use crate::model::{
    Action, Command, DeficitPosition, Ended, Fault, LowStockPage, Outcome, Rejection, Reservation,
    ReservationPage, ReservationScan, StockFilter, StockKey, StockPage, StockView, StoreFailure,
    Timestamp,
};
use wasmtime::{Store, StoreLimits, StoreLimitsBuilder, Trap};

/// A decision: an outcome, or a refusal that the domain expects.
pub type Decision<T> = Result<T, Rejection>;

/// A live instance of a domain component and the world it works on.
///
/// Each call gets fresh limits. An instance that ended a call by failing is not to be
/// called again: take its world and drop it.
pub struct Guest<W: World> {
    store: Store<State<W>>,
    instance: bindings::Domain,
    limits: Limits,
}

pub(super) struct State<W> {
    pub(super) world: W,
    limits: StoreLimits,
    wasi: Option<Box<Sandbox>>,
}

impl<W> State<W> {
    pub(super) fn sandbox(&mut self) -> &mut Sandbox {
        self.wasi.get_or_insert_with(|| Box::new(Sandbox::new()))
    }
}

impl<W: World> Guest<W> {
    /// Instantiates the component over a world. Gives the world back where that fails.
    ///
    /// # Errors
    /// [`Fault`]: the component's start trapped, or it does not fit the contract.
    pub fn new(domain: &Domain<W>, world: W) -> Result<Self, (Fault, W)> {
        let limits = domain.limits;
        let state = State {
            world,
            limits: StoreLimitsBuilder::new().memory_size(limits.memory_bytes_max).build(),
            wasi: None,
        };
        let mut store = Store::new(domain.pre.engine(), state);
        store.limiter(|state| &mut state.limits);
        let granted = grant(&mut store, limits);
        match granted.and_then(|()| domain.pre.instantiate(&mut store)) {
            Ok(instance) => Ok(Self { store, instance, limits }),
            Err(error) => Err((fault(&error, limits), store.into_data().world)),
        }
    }

    /// The world, for what happens between calls.
    pub fn world(&mut self) -> &mut W {
        &mut self.store.data_mut().world
    }

    /// Ends the instance.
    #[must_use]
    pub fn into_world(self) -> W {
        self.store.into_data().world
    }

    /// Lets the domain decide a command as of `now`.
    ///
    /// # Errors
    /// [`Ended`]: there is no decision, and the instance is spent.
    pub fn execute(
        &mut self,
        command: &Command,
        now: Timestamp,
    ) -> Result<Decision<Outcome>, Ended> {
        let context = convert::context_to_wit(command, now);
        match &command.action {
            Action::AdjustSet { .. }
            | Action::AdjustBy { .. }
            | Action::Reserve { .. }
            | Action::Release { .. } => self.execute_on_stock(&command.action, &context, now),
            Action::Transfer { product_id, from, to, quantity } => {
                let (product, from, to) = (product_id.as_str(), from.as_str(), to.as_str());
                let decision = self.call(now, |inventory, store| {
                    inventory.call_transfer(store, &context, product, from, to, *quantity)
                })?;
                Ok(decided(decision, convert::transfer_from_wit))
            }
            Action::ExpireDue { limit } => {
                let decision = self.call(now, |inventory, store| {
                    inventory.call_expire_due(store, &context, *limit)
                })?;
                Ok(decided(decision, |outcome| Outcome::Expiry {
                    expired: outcome.expired,
                    next_due: outcome.next_due,
                }))
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
        let decision = self.call(now, |inventory, store| match action {
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
        Ok(decided(decision, convert::outcome_from_wit))
    }

    fn execute_on_reservation(
        &mut self,
        action: &Action,
        context: &types::Context,
        now: Timestamp,
    ) -> Result<Decision<Outcome>, Ended> {
        let decision = self.call(now, |inventory, store| match action {
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
            Action::Fulfil { id, lines } => {
                let lines = lines.as_deref().map(reservation::lines_to_wit);
                inventory.call_fulfil(store, context, id, lines.as_deref())
            }
            Action::Cancel { id, lines } => {
                let lines = lines.as_deref().map(reservation::lines_to_wit);
                inventory.call_cancel(store, context, id, lines.as_deref())
            }
            other => wasmtime::bail!("{other:?} is not about a reservation"),
        })?;
        decision
            .map_err(convert::rejection_from_wit)
            .map(reservation::outcome_from_wit)
            .transposed()
    }

    /// One reservation as of `now`.
    ///
    /// # Errors
    /// As [`Guest::execute`].
    pub fn get_reservation(
        &mut self,
        id: &str,
        now: Timestamp,
    ) -> Result<Decision<Reservation>, Ended> {
        let context = convert::query_context(now);
        let decision =
            self.call(now, |inventory, store| inventory.call_get_reservation(store, &context, id))?;
        let found = decision.map_err(convert::rejection_from_wit);
        found.map(|entry| reservation::from_wit(entry.reservation)).transposed()
    }

    /// A page of reservations, the newest first, as of `now`.
    ///
    /// # Errors
    /// As [`Guest::execute`].
    pub fn list_reservations(
        &mut self,
        scan: &ReservationScan,
        now: Timestamp,
    ) -> Result<Decision<ReservationPage>, Ended> {
        let context = convert::query_context(now);
        let filter = reservation::filter_to_wit(&scan.filter);
        let decision = self.call(now, |inventory, store| {
            inventory.call_list_reservations(store, &context, &filter, scan.after, scan.limit)
        })?;
        decision.map_err(convert::rejection_from_wit).map(reservation::page_from_wit).transposed()
    }

    /// One stock as of `now`.
    ///
    /// # Errors
    /// As [`Guest::execute`].
    pub fn get_stock(
        &mut self,
        key: &StockKey,
        now: Timestamp,
    ) -> Result<Decision<StockView>, Ended> {
        let (context, key) = (convert::query_context(now), convert::key_to_wit(key));
        let decision =
            self.call(now, |inventory, store| inventory.call_get_stock(store, &context, &key))?;
        Ok(decision.map(convert::view_from_wit).map_err(convert::rejection_from_wit))
    }

    /// A page of stocks in key order, as of `now`.
    ///
    /// # Errors
    /// As [`Guest::execute`].
    pub fn list_stocks(
        &mut self,
        filter: &StockFilter,
        after: Option<&StockKey>,
        limit: u32,
        now: Timestamp,
    ) -> Result<Decision<StockPage>, Ended> {
        let context = convert::query_context(now);
        let filter = exported::StockFilter {
            location_id: filter.location_id.as_ref().map(|id| id.as_str().to_owned()),
            product_prefix: filter.product_prefix.clone(),
            low: filter.low,
        };
        let after = after.map(convert::key_to_wit);
        let decision = self.call(now, |inventory, store| {
            inventory.call_list_stocks(store, &context, &filter, after.as_ref(), limit)
        })?;
        decision.map_err(convert::rejection_from_wit).map(convert::page_from_wit).transposed()
    }

    /// A page of low stocks, as of `now`.
    ///
    /// # Errors
    /// As [`Guest::execute`].
    pub fn low_stock(
        &mut self,
        location_id: Option<&str>,
        after: Option<&DeficitPosition>,
        limit: u32,
        now: Timestamp,
    ) -> Result<Decision<LowStockPage>, Ended> {
        let context = convert::query_context(now);
        let after = after.map(convert::position_to_wit);
        let decision = self.call(now, |inventory, store| {
            inventory.call_low_stock(store, &context, location_id, after.as_ref(), limit)
        })?;
        decision.map_err(convert::rejection_from_wit).map(convert::low_page_from_wit).transposed()
    }

    fn call<T>(
        &mut self,
        now: Timestamp,
        call: impl FnOnce(&exported::Guest, &mut Store<State<W>>) -> wasmtime::Result<T>,
    ) -> Result<T, Ended> {
        if let Some(wasi) = &self.store.data().wasi {
            wasi.set_time(now);
        }
        let limits = self.limits;
        grant(&mut self.store, limits)
            .and_then(|()| call(self.instance.holdfast_inventory_inventory(), &mut self.store))
            .map_err(|error| ended(&error, limits))
    }
}

fn decided<T>(
    decision: Result<T, types::Rejection>,
    outcome: impl FnOnce(T) -> Outcome,
) -> Decision<Outcome> {
    decision.map(outcome).map_err(convert::rejection_from_wit)
}

/// A refusal goes through; a result that the domain should never give is its fault.
trait Transposed<T> {
    fn transposed(self) -> Result<Decision<T>, Ended>;
}

impl<T> Transposed<T> for Result<Result<T, Fault>, Rejection> {
    fn transposed(self) -> Result<Decision<T>, Ended> {
        match self {
            Ok(Ok(value)) => Ok(Ok(value)),
            Ok(Err(fault)) => Err(fault.into()),
            Err(rejection) => Ok(Err(rejection)),
        }
    }
}

fn grant<W>(store: &mut Store<State<W>>, limits: Limits) -> wasmtime::Result<()> {
    store.set_epoch_deadline(limits.deadline_ticks());
    store.set_fuel(limits.fuel_per_call)
}

/// Tells the failures of the store, which pass through the component, from its own.
fn ended(error: &wasmtime::Error, limits: Limits) -> Ended {
    if let Some(failure) = error.downcast_ref::<StoreFailure>() {
        return failure.clone().into();
    }
    if let Some(own) = error.downcast_ref::<Fault>() {
        return own.clone().into();
    }
    fault(error, limits).into()
}

fn fault(error: &wasmtime::Error, limits: Limits) -> Fault {
    Fault(match error.downcast_ref::<Trap>() {
        Some(Trap::OutOfFuel) => format!("it used up its {} units of fuel", limits.fuel_per_call),
        Some(Trap::Interrupt) => format!("it ran longer than {} ms", limits.deadline_ms),
        _ => format!("{error:#}"),
    })
}
