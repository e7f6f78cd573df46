//! Writes a rule in front of an inventory domain in Rust. Implement `Rule`, override the commands
//! and queries that the rule decides, and export it. The domain behind the rule answers all others.
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
//! The compiled component has the world `rule`. Composed with a domain, it has the world `domain`.
//! A refusal leaves no trace: the host drops everything that the domain wrote before the rule
//! refused.

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
    //! The types and functions that wit-bindgen generates from the contract in `wit/`.
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

/// The outcome of a command or query, or its refusal.
pub type Decided<T> = Result<T, Rejection>;

/// Declares each command and query of the contract once. A parameter is written as its name, its
/// type, and the expression that passes it to the domain.
macro_rules! operations {
    ($(
        fn $operation:ident($($parameter:ident: $owned:ty => $passed:expr),+ $(,)?) -> $outcome:ty;
    )+) => {
        /// A rule in front of a domain. Each function has the name, the parameters and the
        /// rejections of the contract's `inventory`. It passes the call on to the domain unless
        /// the rule overrides it.
        #[allow(missing_docs, reason = "the contract in `wit/inventory.wit` documents each one")]
        #[allow(clippy::missing_errors_doc, reason = "the contract lists the rejections")]
        pub trait Rule {
            $(
                fn $operation($($parameter: $owned),+) -> Decided<$outcome> {
                    domain::$operation($($passed),+)
                }
            )+
        }

        /// Every rule exports the contract's `inventory`.
        impl<R: Rule> Guest for R {
            $(
                fn $operation($($parameter: $owned),+) -> Decided<$outcome> {
                    R::$operation($($parameter),+)
                }
            )+
        }
    };
}

operations! {
    fn adjust_set(
        context: Context => &context,
        key: StockKey => &key,
        total: u64 => total,
        minimum: Option<u64> => minimum,
    ) -> StockOutcome;

    fn adjust_by(
        context: Context => &context,
        key: StockKey => &key,
        delta: i64 => delta,
    ) -> StockOutcome;

    fn reserve(
        context: Context => &context,
        key: StockKey => &key,
        quantity: u64 => quantity,
    ) -> StockOutcome;

    fn release(
        context: Context => &context,
        key: StockKey => &key,
        quantity: u64 => quantity,
    ) -> StockOutcome;

    fn transfer(
        context: Context => &context,
        product_id: String => &product_id,
        from: String => &from,
        to: String => &to,
        quantity: u64 => quantity,
    ) -> TransferOutcome;

    fn hold(
        context: Context => &context,
        id: String => &id,
        lines: Vec<LineRequest> => &lines,
        ttl_seconds: Option<u32> => ttl_seconds,
    ) -> ReservationOutcome;

    fn replace(
        context: Context => &context,
        id: String => &id,
        lines: Vec<LineRequest> => &lines,
    ) -> ReservationOutcome;

    fn extend(
        context: Context => &context,
        id: String => &id,
        ttl_seconds: u32 => ttl_seconds,
    ) -> ReservationOutcome;

    fn confirm(context: Context => &context, id: String => &id) -> ReservationOutcome;

    fn fulfill(
        context: Context => &context,
        id: String => &id,
        lines: Option<Vec<LineRequest>> => lines.as_deref(),
    ) -> ReservationOutcome;

    fn cancel(
        context: Context => &context,
        id: String => &id,
        lines: Option<Vec<LineRequest>> => lines.as_deref(),
    ) -> ReservationOutcome;

    fn expire(context: Context => &context, id: String => &id) -> ReservationOutcome;

    fn get_reservation(context: QueryContext => &context, id: String => &id) -> ReservationEntry;

    fn list_reservations(
        context: QueryContext => &context,
        filter: ReservationFilter => &filter,
        after: Option<u64> => after,
        limit: u32 => limit,
    ) -> ReservationPage;

    fn get_stock(context: QueryContext => &context, key: StockKey => &key) -> StockView;

    fn list_stocks(
        context: QueryContext => &context,
        filter: StockFilter => &filter,
        after: Option<StockKey> => after.as_ref(),
        limit: u32 => limit,
    ) -> StockPage;

    fn low_stock(
        context: QueryContext => &context,
        location_id: Option<String> => location_id.as_deref(),
        after: Option<DeficitPosition> => after.as_ref(),
        limit: u32 => limit,
    ) -> LowStockPage;
}
