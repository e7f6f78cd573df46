//! `holdfast migrate`.

use super::print;
use crate::{app, config::Config};

/// Brings the database's schema up to date, and prints the versions before and after.
pub(super) fn run(config: &Config) -> anyhow::Result<()> {
    let migrated = app::open(config)?.migrated();
    let file = config.database_path.display();
    print(&if migrated.from == migrated.to {
        format!("{file}: schema version {} is current", migrated.to)
    } else {
        format!("{file}: schema version {} -> {}", migrated.from, migrated.to)
    })
}
