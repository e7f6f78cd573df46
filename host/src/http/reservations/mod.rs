//! `/v1/reservations`: one file per query. The commands are in `commands`.

pub(super) mod get;
pub(super) mod list;
