//! The component that decides, as the table `installed` keeps it.

use super::rows::Unsigned;
use crate::model::{Digest, Installed};
use rusqlite::{Connection, OptionalExtension, params};

/// The installed component. In a database whose table is still empty, the component of the last
/// event; `None` where there is no event either.
pub(super) fn find(connection: &Connection) -> rusqlite::Result<Option<Installed>> {
    let digest = "SELECT digest FROM component WHERE component_id";
    let written = format!(
        "SELECT ({digest} = current), ({digest} = previous), ({digest} = configured), rolled_back \
         FROM installed"
    );
    let written = connection
        .query_row(&written, [], |row| {
            Ok(Installed {
                current: Digest(row.get(0)?),
                previous: row.get::<_, Option<_>>(1)?.map(Digest),
                configured: Digest(row.get(2)?),
                rolled_back: row.get(3)?,
            })
        })
        .optional()?;
    if written.is_some() {
        return Ok(written);
    }
    let last = "SELECT digest FROM event_row AS event JOIN component USING (component_id) \
         ORDER BY sequence DESC LIMIT 1";
    let last = connection.query_row(last, [], |row| row.get(0)).optional()?;
    Ok(last.map(Digest).map(Installed::first))
}

/// Writes the installed component. `number` maps the digest of a component to its number.
pub(super) fn write(
    connection: &Connection,
    installed: &Installed,
    mut number: impl FnMut(Digest) -> rusqlite::Result<i64>,
) -> rusqlite::Result<()> {
    let previous = installed.previous.map(&mut number).transpose()?;
    connection
        .prepare_cached(
            "INSERT OR REPLACE INTO installed (only_row, current, previous, configured, \
             rolled_back) VALUES (1, ?1, ?2, ?3, ?4)",
        )?
        .execute(params![
            number(installed.current)?,
            previous,
            number(installed.configured)?,
            Unsigned(installed.rolled_back.into())
        ])
        .map(|_| ())
}
