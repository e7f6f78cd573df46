//! Queries: each [`Query`] is one call of an exported function of the contract, or several.

use super::{
    Purpose, World,
    bindings::{
        exports::holdfast::inventory::inventory as exported,
        holdfast::inventory::types::{QueryContext, StockKey},
    },
    convert::{self, reservation},
    guest::{Decision, Guest, decided},
    state::GuestState,
};
use crate::model::{Answer, Ended, Query, Rejection, StockView, Timestamp};
use wasmtime::Store;

/// The seed of the randomness of a query. A query has no id that could seed it.
const QUERY_SEED: &[u8] = &[];

/// The code with which a domain refuses a query for a stock that does not exist.
const NO_SUCH_STOCK: &str = "product-not-found";

impl<W: World> Guest<W> {
    /// Lets the component answer a query as of `now`. `caller` is the caller's name; `None` for the
    /// anonymous identity.
    ///
    /// # Errors
    /// [`Ended`]: there is no answer, and the guest must not be called again.
    pub fn query(
        &mut self,
        caller: Option<&str>,
        query: Query<'_>,
        now: Timestamp,
    ) -> Result<Decision<Answer>, Ended> {
        let context = convert::query_context(caller, now);
        Ok(match query {
            Query::GetStock(it) => {
                self.stock(&context, &convert::key_to_wit(&it.key))?.map(Answer::GetStock)
            }
            Query::GetStocks(it) => {
                let one = |key| self.stock_if_any(&context, &convert::key_to_wit(key));
                let found = it.keys.iter().map(one).collect::<Result<Decision<Vec<_>>, _>>()?;
                found.map(Answer::GetStocks)
            }
            Query::ListStocks(it) => {
                let (filter, after) = (
                    convert::filter_to_wit(&it.filter),
                    it.after.as_ref().map(convert::key_to_wit),
                );
                let found = self.ask(&context, |inventory, store| {
                    inventory.call_list_stocks(store, &context, &filter, after.as_ref(), it.limit)
                })?;
                decided(found, convert::page_from_wit)?.map(Answer::ListStocks)
            }
            Query::LowStock(it) => {
                let location_id = it.location_id.as_ref().map(|id| id.as_str());
                let after = it.after.as_ref().map(convert::position_to_wit);
                let found = self.ask(&context, |inventory, store| {
                    inventory.call_low_stock(store, &context, location_id, after.as_ref(), it.limit)
                })?;
                decided(found, convert::low_page_from_wit)?.map(Answer::LowStock)
            }
            Query::GetReservation(it) => {
                let found = self.ask(&context, |inventory, store| {
                    inventory.call_get_reservation(store, &context, &it.id)
                })?;
                decided(found, |entry| reservation::from_wit(entry.reservation))?
                    .map(Answer::GetReservation)
            }
            Query::ListReservations(it) => {
                let filter = reservation::filter_to_wit(&it.filter);
                let found = self.ask(&context, |inventory, store| {
                    inventory.call_list_reservations(store, &context, &filter, it.after, it.limit)
                })?;
                decided(found, reservation::page_from_wit)?.map(Answer::ListReservations)
            }
        })
    }

    fn stock(
        &mut self,
        context: &QueryContext,
        key: &StockKey,
    ) -> Result<Decision<StockView>, Ended> {
        let found =
            self.ask(context, |inventory, store| inventory.call_get_stock(store, context, key))?;
        decided(found, |view| Ok(convert::view_from_wit(view)))
    }

    /// One stock; `None` where it does not exist.
    fn stock_if_any(
        &mut self,
        context: &QueryContext,
        key: &StockKey,
    ) -> Result<Decision<Option<StockView>>, Ended> {
        Ok(match self.stock(context, key)? {
            Ok(view) => Ok(Some(view)),
            Err(Rejection { code, .. }) if code == NO_SUCH_STOCK => Ok(None),
            Err(rejection) => Err(rejection),
        })
    }

    fn ask<T>(
        &mut self,
        context: &QueryContext,
        call: impl FnOnce(&exported::Guest, &mut Store<GuestState<W>>) -> wasmtime::Result<T>,
    ) -> Result<T, Ended> {
        self.world().begin_call(Purpose::Query, context.now);
        self.call(context.now, QUERY_SEED, call)
    }
}
