//! `/v1/inventory`: one file per query. The commands are in `commands`.

pub(super) mod events;
pub(super) mod get;
pub(super) mod list;
pub(super) mod low_stock;
pub(super) mod query;
