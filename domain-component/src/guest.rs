//! The component: the contract's exports, answered by the handlers.

use crate::convert;
use alloc::{string::String, vec::Vec};
use domain::{
    Context, DeficitScan, Event, Stock, StockKey, StockScan, World, commands,
    queries::{self, StockFilter},
};

#[allow(
    missing_docs,
    unreachable_pub,
    unsafe_code,
    clippy::all,
    clippy::pedantic,
    clippy::restriction,
    reason = "generated from the contract"
)]
pub(crate) mod bindings {
    wit_bindgen::generate!({
        path: "../wit",
        world: "domain",
        ownership: Borrowing { duplicate_if_necessary: true },
        default_bindings_module: "crate::guest::bindings",
    });
}

use bindings::{
    exports::holdfast::inventory::inventory::{self as exported, Guest},
    holdfast::inventory::{event_sink, storage, types},
};

struct Component;

#[allow(unsafe_code, reason = "generated from the contract")]
mod export {
    use super::{Component, bindings};
    bindings::export!(Component with_types_in bindings);
}

/// The world behind the imports.
struct Imports;

impl World for Imports {
    fn stock(&mut self, key: &StockKey) -> Option<Stock> {
        storage::get_stock(convert::key_param(key))
            .map(|stock| convert::stock_from_wit(key.clone(), stock))
    }

    fn scan_stocks(&mut self, scan: StockScan) -> Vec<Stock> {
        let stocks = storage::scan_stocks(storage::StockScan {
            location_id: scan.location_id.as_deref(),
            product_prefix: scan.product_prefix.as_deref(),
            below_minimum: scan.below_minimum,
            after: scan.after.as_ref().map(convert::key_param),
            limit: scan.limit,
        });
        stocks.into_iter().map(convert::entry_from_wit).collect()
    }

    fn scan_deficits(&mut self, scan: DeficitScan) -> Vec<Stock> {
        let stocks = storage::scan_deficits(storage::DeficitScan {
            location_id: scan.location_id.as_deref(),
            after: scan.after.as_ref().map(convert::position_param),
            limit: scan.limit,
        });
        stocks.into_iter().map(convert::entry_from_wit).collect()
    }

    fn save(&mut self, stock: Stock) {
        storage::put_stock(convert::key_param(&stock.key), convert::stock_to_wit(&stock));
    }

    fn publish(&mut self, events: Vec<Event>) {
        let events: Vec<_> = events.iter().map(convert::event_param).collect();
        event_sink::publish(&events);
    }
}

fn context(context: types::Context) -> Context {
    Context {
        now: context.now,
        precondition: context.precondition.map(convert::precondition_from_wit),
    }
}

type StockOutcome = Result<exported::StockOutcome, types::Rejection>;

fn outcome(result: Result<commands::StockOutcome, domain::Rejection>) -> StockOutcome {
    result
        .map(|outcome| exported::StockOutcome {
            view: convert::view_to_wit(&outcome.stock),
            created: outcome.created,
        })
        .map_err(convert::rejection_to_wit)
}

impl Guest for Component {
    fn adjust_set(
        given: types::Context,
        key: types::StockKeyResult,
        total: u64,
        minimum: Option<u64>,
    ) -> StockOutcome {
        let key = convert::key_from_wit(key);
        outcome(commands::adjust_set(&mut Imports, &context(given), key, total, minimum))
    }

    fn adjust_by(given: types::Context, key: types::StockKeyResult, delta: i64) -> StockOutcome {
        let key = convert::key_from_wit(key);
        outcome(commands::adjust_by(&mut Imports, &context(given), key, delta))
    }

    fn reserve(given: types::Context, key: types::StockKeyResult, quantity: u64) -> StockOutcome {
        let key = convert::key_from_wit(key);
        outcome(commands::reserve(&mut Imports, &context(given), key, quantity))
    }

    fn release(given: types::Context, key: types::StockKeyResult, quantity: u64) -> StockOutcome {
        let key = convert::key_from_wit(key);
        outcome(commands::release(&mut Imports, &context(given), key, quantity))
    }

    fn get_stock(
        _: types::QueryContext,
        key: types::StockKeyResult,
    ) -> Result<types::StockView, types::Rejection> {
        queries::get_stock(&mut Imports, convert::key_from_wit(key))
            .map(|stock| convert::view_to_wit(&stock))
            .map_err(convert::rejection_to_wit)
    }

    fn list_stocks(
        _: types::QueryContext,
        filter: exported::StockFilter,
        after: Option<types::StockKeyResult>,
        limit: u32,
    ) -> Result<exported::StockPage, types::Rejection> {
        let filter = StockFilter {
            location_id: filter.location_id,
            product_prefix: filter.product_prefix,
            low: filter.low,
        };
        queries::list_stocks(&mut Imports, filter, after.map(convert::key_from_wit), limit)
            .map(|(stocks, next)| exported::StockPage {
                items: stocks.into_iter().map(convert::item_to_wit).collect(),
                next: next.map(convert::key_to_wit),
            })
            .map_err(convert::rejection_to_wit)
    }

    fn low_stock(
        _: types::QueryContext,
        location_id: Option<String>,
        after: Option<storage::DeficitPositionResult>,
        limit: u32,
    ) -> Result<exported::LowStockPage, types::Rejection> {
        let after = after.map(|place| (place.deficit, convert::key_from_wit(place.key)));
        queries::low_stock(&mut Imports, location_id, after, limit)
            .map(|(stocks, next)| exported::LowStockPage {
                items: stocks.into_iter().map(convert::item_to_wit).collect(),
                next: next.map(convert::position_to_wit),
            })
            .map_err(convert::rejection_to_wit)
    }
}
