//! A rule in front of an inventory domain, in Rust: implement `Rule`, write only the commands
//! that the rule speaks about, and export it. All others are handed on to the domain behind it.
//!
//! ```text
//! struct OnePerCustomer;
//!
//! impl Rule for OnePerCustomer {
//!     fn reserve(context: Context, key: StockKey, quantity: u64) -> Decided<StockOutcome> {
//!         if quantity > 1 { /* refuse */ }
//!         domain::reserve(&context, &key, quantity)
//!     }
//! }
//!
//! rule::export!(OnePerCustomer with_types_in rule::bindings);
//! ```
//!
//! The component that comes of it is of the world `rule`; composed with a domain (`wac plug`) it
//! is one of the world `domain`. A refusal leaves no trace: whatever the domain wrote before the
//! rule refused is dropped by the host.

#![cfg(target_arch = "wasm32")]
#![no_std]

extern crate alloc;

#[allow(
    missing_docs,
    unreachable_pub,
    unsafe_code,
    clippy::all,
    clippy::pedantic,
    clippy::restriction,
    reason = "generated from the contract"
)]
pub mod bindings {
    //! The contract.
    wit_bindgen::generate!({
        path: "../../wit",
        world: "rule",
        pub_export_macro: true,
        merge_structurally_equal_types: true,
        additional_derives: [PartialEq],
        default_bindings_module: "rule::bindings",
    });
}

use alloc::{string::String, vec::Vec};
use bindings::exports::holdfast::inventory::inventory::Guest;
pub use bindings::{
    export,
    holdfast::inventory::{
        event_sink,
        inventory::{
            self as domain, LowStockPage, ReservationFilter, ReservationOutcome, ReservationPage,
            StockFilter, StockOutcome, StockPage, TransferOutcome,
        },
        storage::{self, DeficitPosition},
        types::{
            Context, Detail, DetailValue, Event, LineRequest, LowStockChange, QueryContext,
            Rejection, ReservationEntry, StockKey, StockLevel, StockView,
        },
    },
};

/// A decision: an outcome, or a refusal.
pub type Decided<T> = Result<T, Rejection>;

/// What stands between the host and a domain. Every function hands on unless it is written anew.
#[allow(missing_docs, reason = "the functions are the contract's `inventory`, by name")]
#[allow(clippy::missing_errors_doc, reason = "as in the contract")]
pub trait Rule {
    fn adjust_set(
        context: Context,
        key: StockKey,
        total: u64,
        minimum: Option<u64>,
    ) -> Decided<StockOutcome> {
        domain::adjust_set(&context, &key, total, minimum)
    }

    fn adjust_by(context: Context, key: StockKey, delta: i64) -> Decided<StockOutcome> {
        domain::adjust_by(&context, &key, delta)
    }

    fn reserve(context: Context, key: StockKey, quantity: u64) -> Decided<StockOutcome> {
        domain::reserve(&context, &key, quantity)
    }

    fn release(context: Context, key: StockKey, quantity: u64) -> Decided<StockOutcome> {
        domain::release(&context, &key, quantity)
    }

    fn transfer(
        context: Context,
        product_id: String,
        from: String,
        to: String,
        quantity: u64,
    ) -> Decided<TransferOutcome> {
        domain::transfer(&context, &product_id, &from, &to, quantity)
    }

    fn hold(
        context: Context,
        id: String,
        lines: Vec<LineRequest>,
        ttl_seconds: Option<u32>,
    ) -> Decided<ReservationOutcome> {
        domain::hold(&context, &id, &lines, ttl_seconds)
    }

    fn replace(
        context: Context,
        id: String,
        lines: Vec<LineRequest>,
    ) -> Decided<ReservationOutcome> {
        domain::replace(&context, &id, &lines)
    }

    fn extend(context: Context, id: String, ttl_seconds: u32) -> Decided<ReservationOutcome> {
        domain::extend(&context, &id, ttl_seconds)
    }

    fn confirm(context: Context, id: String) -> Decided<ReservationOutcome> {
        domain::confirm(&context, &id)
    }

    fn fulfil(
        context: Context,
        id: String,
        lines: Option<Vec<LineRequest>>,
    ) -> Decided<ReservationOutcome> {
        domain::fulfil(&context, &id, lines.as_deref())
    }

    fn cancel(
        context: Context,
        id: String,
        lines: Option<Vec<LineRequest>>,
    ) -> Decided<ReservationOutcome> {
        domain::cancel(&context, &id, lines.as_deref())
    }

    fn expire(context: Context, id: String) -> Decided<ReservationOutcome> {
        domain::expire(&context, &id)
    }

    fn get_reservation(context: QueryContext, id: String) -> Decided<ReservationEntry> {
        domain::get_reservation(&context, &id)
    }

    fn list_reservations(
        context: QueryContext,
        filter: ReservationFilter,
        after: Option<u64>,
        limit: u32,
    ) -> Decided<ReservationPage> {
        domain::list_reservations(&context, &filter, after, limit)
    }

    fn get_stock(context: QueryContext, key: StockKey) -> Decided<StockView> {
        domain::get_stock(&context, &key)
    }

    fn list_stocks(
        context: QueryContext,
        filter: StockFilter,
        after: Option<StockKey>,
        limit: u32,
    ) -> Decided<StockPage> {
        domain::list_stocks(&context, &filter, after.as_ref(), limit)
    }

    fn low_stock(
        context: QueryContext,
        location_id: Option<String>,
        after: Option<DeficitPosition>,
        limit: u32,
    ) -> Decided<LowStockPage> {
        domain::low_stock(&context, location_id.as_deref(), after.as_ref(), limit)
    }
}

/// Every rule is what the world exports.
impl<R: Rule> Guest for R {
    fn adjust_set(
        context: Context,
        key: StockKey,
        total: u64,
        minimum: Option<u64>,
    ) -> Decided<StockOutcome> {
        R::adjust_set(context, key, total, minimum)
    }

    fn adjust_by(context: Context, key: StockKey, delta: i64) -> Decided<StockOutcome> {
        R::adjust_by(context, key, delta)
    }

    fn reserve(context: Context, key: StockKey, quantity: u64) -> Decided<StockOutcome> {
        R::reserve(context, key, quantity)
    }

    fn release(context: Context, key: StockKey, quantity: u64) -> Decided<StockOutcome> {
        R::release(context, key, quantity)
    }

    fn transfer(
        context: Context,
        product_id: String,
        from: String,
        to: String,
        quantity: u64,
    ) -> Decided<TransferOutcome> {
        R::transfer(context, product_id, from, to, quantity)
    }

    fn hold(
        context: Context,
        id: String,
        lines: Vec<LineRequest>,
        ttl_seconds: Option<u32>,
    ) -> Decided<ReservationOutcome> {
        R::hold(context, id, lines, ttl_seconds)
    }

    fn replace(
        context: Context,
        id: String,
        lines: Vec<LineRequest>,
    ) -> Decided<ReservationOutcome> {
        R::replace(context, id, lines)
    }

    fn extend(context: Context, id: String, ttl_seconds: u32) -> Decided<ReservationOutcome> {
        R::extend(context, id, ttl_seconds)
    }

    fn confirm(context: Context, id: String) -> Decided<ReservationOutcome> {
        R::confirm(context, id)
    }

    fn fulfil(
        context: Context,
        id: String,
        lines: Option<Vec<LineRequest>>,
    ) -> Decided<ReservationOutcome> {
        R::fulfil(context, id, lines)
    }

    fn cancel(
        context: Context,
        id: String,
        lines: Option<Vec<LineRequest>>,
    ) -> Decided<ReservationOutcome> {
        R::cancel(context, id, lines)
    }

    fn expire(context: Context, id: String) -> Decided<ReservationOutcome> {
        R::expire(context, id)
    }

    fn get_reservation(context: QueryContext, id: String) -> Decided<ReservationEntry> {
        R::get_reservation(context, id)
    }

    fn list_reservations(
        context: QueryContext,
        filter: ReservationFilter,
        after: Option<u64>,
        limit: u32,
    ) -> Decided<ReservationPage> {
        R::list_reservations(context, filter, after, limit)
    }

    fn get_stock(context: QueryContext, key: StockKey) -> Decided<StockView> {
        R::get_stock(context, key)
    }

    fn list_stocks(
        context: QueryContext,
        filter: StockFilter,
        after: Option<StockKey>,
        limit: u32,
    ) -> Decided<StockPage> {
        R::list_stocks(context, filter, after, limit)
    }

    fn low_stock(
        context: QueryContext,
        location_id: Option<String>,
        after: Option<DeficitPosition>,
        limit: u32,
    ) -> Decided<LowStockPage> {
        R::low_stock(context, location_id, after, limit)
    }
}
