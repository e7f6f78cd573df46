use super::{
    Purpose, World,
    bindings::{
        self, exports::holdfast::inventory::inventory as exported, holdfast::inventory::types,
    },
    convert::{self, reservation},
    domain::Domain,
    limits::{Allowance, Limits},
    wasi::Sandbox,
};
use crate::model::{
    Action, Command, DeficitPosition, Ended, Fault, LowStockPage, Outcome, Rejection, Reservation,
    ReservationPage, ReservationScan, StockFilter, StockKey, StockPage, StockView, StoreFailure,
    Timestamp,
};
use wasmtime::{Store, StoreLimits, StoreLimitsBuilder, Trap};

/// What the randomness of a query is made of: a query has no id.
const QUERY_SEED: &[u8] = &[];

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
    draws_randomness: bool,
}

pub(super) struct State<W> {
    pub(super) world: W,
    memory: StoreLimits,
    /// For each call.
    pub(super) granted: Limits,
    /// For the call at hand.
    pub(super) allowance: Allowance,
    wasi: Option<Box<Sandbox>>,
}

impl<W> State<W> {
    pub(super) fn sandbox(&mut self) -> &mut Sandbox {
        self.wasi.get_or_insert_with(|| Box::new(Sandbox::new()))
    }

    /// What the guest wrote to its standard error in the call at hand.
    fn said(&mut self) -> Option<String> {
        self.wasi.as_mut().and_then(|wasi| wasi.said())
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
            memory: StoreLimitsBuilder::new().memory_size(limits.memory_bytes_max).build(),
            granted: limits,
            allowance: Allowance::of(&limits),
            // At once: it is told the time with each call, before it asks.
            wasi: domain.uses_wasi().then(|| Box::new(Sandbox::new())),
        };
        let mut store = Store::new(domain.pre.engine(), state);
        store.limiter(|state| &mut state.memory);
        store.set_hostcall_fuel(limits.transfer_bytes_max);
        let granted = grant(&mut store, limits);
        match granted.and_then(|()| domain.pre.instantiate(&mut store)) {
            Ok(instance) => {
                let draws_randomness = domain.draws_randomness;
                Ok(Self { store, instance, limits, draws_randomness })
            }
            Err(error) => {
                let mut state = store.into_data();
                Err((fault(&error, limits, state.said()), state.world))
            }
        }
    }

    /// The world, for what happens between calls.
    pub fn world(&mut self) -> &mut W {
        &mut self.store.data_mut().world
    }

    /// Whether it may be called again. One that can draw randomness may do so once for all its
    /// calls: then a decision would depend on the commands before it, and no replay would find it
    /// again. And what one has said belongs to the call in which it said it.
    #[must_use]
    pub fn is_reusable(&mut self) -> bool {
        !self.draws_randomness && self.store.data_mut().said().is_none()
    }

    /// The fuel that the latest call has used.
    #[must_use]
    pub fn fuel_used(&self) -> u64 {
        // Fuel is always on.
        self.limits.fuel_per_call.saturating_sub(self.store.get_fuel().unwrap_or(0))
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
                Action::Fulfil { id, lines } => {
                    let lines = lines.as_deref().map(reservation::lines_to_wit);
                    inventory.call_fulfil(store, context, id, lines.as_deref())
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
        let decision = self
            .query(now, |inventory, store| inventory.call_get_reservation(store, &context, id))?;
        decided(decision, |entry| reservation::from_wit(entry.reservation))
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
        let decision = self.query(now, |inventory, store| {
            inventory.call_list_reservations(store, &context, &filter, scan.after, scan.limit)
        })?;
        decided(decision, reservation::page_from_wit)
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
            self.query(now, |inventory, store| inventory.call_get_stock(store, &context, &key))?;
        decided(decision, |view| Ok(convert::view_from_wit(view)))
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
        let decision = self.query(now, |inventory, store| {
            inventory.call_list_stocks(store, &context, &filter, after.as_ref(), limit)
        })?;
        decided(decision, convert::page_from_wit)
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
        let decision = self.query(now, |inventory, store| {
            inventory.call_low_stock(store, &context, location_id, after.as_ref(), limit)
        })?;
        decided(decision, convert::low_page_from_wit)
    }

    fn query<T>(
        &mut self,
        now: Timestamp,
        call: impl FnOnce(&exported::Guest, &mut Store<State<W>>) -> wasmtime::Result<T>,
    ) -> Result<T, Ended> {
        self.world().begin_call(Purpose::Query, now);
        self.call(now, QUERY_SEED, call)
    }

    fn call<T>(
        &mut self,
        now: Timestamp,
        seed: &[u8],
        call: impl FnOnce(&exported::Guest, &mut Store<State<W>>) -> wasmtime::Result<T>,
    ) -> Result<T, Ended> {
        let limits = self.limits;
        let state = self.store.data_mut();
        state.allowance = Allowance::of(&limits);
        if let Some(wasi) = &mut state.wasi {
            wasi.begin_call(now, seed);
        }
        let called = grant(&mut self.store, limits)
            .and_then(|()| call(self.instance.holdfast_inventory_inventory(), &mut self.store));
        called.map_err(|error| {
            let said = self.store.data_mut().said();
            ended(&error, limits, said)
        })
    }
}

/// A refusal goes through; a result that the domain should never give is its fault.
fn decided<T, U>(
    decision: Result<T, types::Rejection>,
    convert: impl FnOnce(T) -> Result<U, Fault>,
) -> Result<Decision<U>, Ended> {
    Ok(match decision {
        Ok(outcome) => Ok(convert(outcome)?),
        Err(rejection) => Err(convert::rejection_from_wit(rejection)?),
    })
}

fn grant<W>(store: &mut Store<State<W>>, limits: Limits) -> wasmtime::Result<()> {
    store.set_epoch_deadline(limits.deadline_ticks());
    store.set_fuel(limits.fuel_per_call)
}

/// Tells the failures of the store, which pass through the component, from its own.
fn ended(error: &wasmtime::Error, limits: Limits, said: Option<String>) -> Ended {
    if let Some(failure) = error.downcast_ref::<StoreFailure>() {
        return failure.clone().into();
    }
    if let Some(own) = error.downcast_ref::<Fault>() {
        return own.clone().into();
    }
    if let Some(due) = error.downcast_ref::<Ended>() {
        return due.clone();
    }
    fault(error, limits, said).into()
}

fn fault(error: &wasmtime::Error, limits: Limits, said: Option<String>) -> Fault {
    let cause = match error.downcast_ref::<Trap>() {
        Some(Trap::OutOfFuel) => format!("it used up its {} units of fuel", limits.fuel_per_call),
        Some(Trap::Interrupt) => format!("it ran longer than {} ms", limits.deadline_ms),
        _ => format!("{error:#}"),
    };
    Fault(match said {
        Some(said) => format!("{cause}; it said: {said}"),
        None => cause,
    })
}
