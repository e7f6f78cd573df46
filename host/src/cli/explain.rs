//! `holdfast explain`.

use super::{DatabaseAccess, open_database, print, remote};
use crate::{
    component::{Library, Runtime},
    config::Config,
    http::ExplanationBody,
    replay,
    store::Store,
};
use hyper::Method;

/// Makes the decision behind the event `sequence` again and prints what the component saw, wrote
/// and answered. Works on the database itself, or through the server that has it open.
pub(super) fn run(sequence: u64, config: &Config) -> anyhow::Result<()> {
    let last = i64::MAX.unsigned_abs();
    anyhow::ensure!((1..=last).contains(&sequence), "events are numbered from 1 to {last}");
    let explanation = match open_database(config)? {
        DatabaseAccess::Here(store) => {
            let runtime = Runtime::new(config.limits)?;
            let library = Library::open(config.component_folder.clone())?;
            let (snapshot, mut log) = (store.snapshot()?, store.log()?);
            let explained = replay::explain(sequence, snapshot, &mut log, |digest| {
                library.load(&runtime, digest).map_err(anyhow::Error::from)
            })?;
            serde_json::to_value(ExplanationBody::from(&explained))?
        }
        DatabaseAccess::OnServer => {
            let path = format!("/v1/admin/explain/{sequence}");
            remote::ask(config, Method::GET, &path, &[], Vec::new())?
        }
    };
    print(&serde_json::to_string_pretty(&explanation)?)
}
