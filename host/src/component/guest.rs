//! Guests: live instances of a component.

use super::{
    World,
    bindings::{
        self, exports::holdfast::inventory::inventory as exported, holdfast::inventory::types,
    },
    convert,
    domain::Domain,
    limits::Limits,
    state::GuestState,
};
use crate::model::{Ended, Fault, Rejection, StoreFailure, Timestamp};
use wasmtime::{Store, Trap};

/// The component's decision: an outcome or an answer, or a rejection.
pub type Decision<T> = Result<T, Rejection>;

/// A live instance of a domain component, and the world that it works on.
///
/// Each call gets fresh limits. A guest whose call ended without a decision must not be called
/// again: the caller takes its world and drops it.
pub struct Guest<W: World> {
    store: Store<GuestState<W>>,
    instance: bindings::Domain,
    limits: Limits,
    draws_randomness: bool,
}

impl<W: World> Guest<W> {
    /// Instantiates the component over a world.
    ///
    /// # Errors
    /// [`Fault`] and the world: the component's start trapped, or the component does not fit the
    /// contract.
    pub fn new(domain: &Domain<W>, world: W) -> Result<Self, (Fault, W)> {
        let limits = domain.limits;
        let state = GuestState::new(world, limits, domain.uses_wasi());
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
                let state = store.into_data();
                Err((fault(&error, limits, state.stderr_text()), state.world))
            }
        }
    }

    /// The world, for the host's work between two calls.
    pub fn world(&mut self) -> &mut W {
        &mut self.store.data_mut().world
    }

    /// Whether the guest may be called again. A guest that can draw randomness may not: it could
    /// draw once for all its calls, so that a decision would depend on the commands before it and
    /// a replay could not repeat it. Nor may a guest that has written to standard error, because
    /// the text belongs to the call that wrote it.
    #[must_use]
    pub fn is_reusable(&self) -> bool {
        !self.draws_randomness && self.store.data().stderr_text().is_none()
    }

    /// The fuel that the latest call used.
    #[must_use]
    pub fn fuel_used(&self) -> u64 {
        // Reading the fuel fails only where fuel is off, and the runtime turns it on.
        self.limits.fuel_per_call.saturating_sub(self.store.get_fuel().unwrap_or(0))
    }

    /// Ends the instance and returns its world.
    #[must_use]
    pub fn into_world(self) -> W {
        self.store.into_data().world
    }

    /// Makes one call of the component as of `now`, with fresh limits. `seed` seeds the randomness
    /// of a component that imports it.
    ///
    /// # Errors
    /// [`Ended`]: the call returned no result.
    pub(super) fn call<T>(
        &mut self,
        now: Timestamp,
        seed: &[u8],
        call: impl FnOnce(&exported::Guest, &mut Store<GuestState<W>>) -> wasmtime::Result<T>,
    ) -> Result<T, Ended> {
        let limits = self.limits;
        self.store.data_mut().begin_call(now, seed);
        let called = grant(&mut self.store, limits)
            .and_then(|()| call(self.instance.holdfast_inventory_inventory(), &mut self.store));
        called.map_err(|error| ended(&error, limits, self.store.data().stderr_text()))
    }
}

/// Converts a result of the component. A rejection is a decision too; a result that breaks the
/// contract is a fault.
pub(super) fn decided<T, U>(
    decision: Result<T, types::Rejection>,
    convert: impl FnOnce(T) -> Result<U, Fault>,
) -> Result<Decision<U>, Ended> {
    Ok(match decision {
        Ok(outcome) => Ok(convert(outcome)?),
        Err(rejection) => Err(convert::rejection_from_wit(rejection)?),
    })
}

/// Grants a call its time and fuel.
fn grant<W>(store: &mut Store<GuestState<W>>, limits: Limits) -> wasmtime::Result<()> {
    store.set_epoch_deadline(limits.deadline_ticks());
    store.set_fuel(limits.fuel_per_call)
}

/// Finds the cause of a call's end: an error of an import, which passed through the component, or
/// the component's own trap.
fn ended(error: &wasmtime::Error, limits: Limits, stderr: Option<String>) -> Ended {
    if let Some(failure) = error.downcast_ref::<StoreFailure>() {
        return failure.clone().into();
    }
    if let Some(own) = error.downcast_ref::<Fault>() {
        return own.clone().into();
    }
    if let Some(due) = error.downcast_ref::<Ended>() {
        return due.clone();
    }
    fault(error, limits, stderr).into()
}

fn fault(error: &wasmtime::Error, limits: Limits, stderr: Option<String>) -> Fault {
    let cause = match error.downcast_ref::<Trap>() {
        Some(Trap::OutOfFuel) => format!("it used up its {} units of fuel", limits.fuel_per_call),
        Some(Trap::Interrupt) => format!("it ran longer than {} ms", limits.deadline_ms),
        _ => format!("{error:#}"),
    };
    Fault(match stderr {
        Some(text) => format!("{cause}; its standard error: {text}"),
        None => cause,
    })
}
