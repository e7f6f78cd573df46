use super::print;
use crate::{app, config::Config};

/// Brings the schema up to date and says from where to where.
pub(super) fn run(config: &Config) -> anyhow::Result<()> {
    let migrated = app::open(config)?.migrated();
    let file = config.database_path.display();
    print(&if migrated.from == migrated.to {
        format!("{file}: schema version {} is current", migrated.to)
    } else {
        format!("{file}: schema version {} -> {}", migrated.from, migrated.to)
    })
}
