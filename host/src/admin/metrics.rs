//! The metrics of the database's integrity check.

use super::Admin;
use crate::{
    metrics::{Gauge, Registry},
    model::Integrity,
};
use std::sync::Arc;

const CHECKED: Gauge = Gauge::new(
    "database_checked",
    "Whether the integrity check that runs after the start has ended: 1 for yes.",
);
const DAMAGED: Gauge =
    Gauge::new("database_damaged", "Whether the integrity check has found damage: 1 for yes.");

impl Admin {
    /// Registers what the integrity check of the database has found.
    pub fn register_metrics(self: &Arc<Self>, registry: &mut Registry) {
        let admin = Arc::clone(self);
        registry.register(move |encoder| {
            let integrity = admin.integrity();
            CHECKED.encode_flag(encoder, !matches!(integrity, Integrity::Unchecked))?;
            DAMAGED.encode_flag(encoder, matches!(integrity, Integrity::Damaged(_)))
        });
    }
}
