//! Swaps in the file of `--component` when it changes.

use crate::{
    admin::{Admin, AdminError},
    admission::Until,
    model::Origin,
};
use std::{
    path::{Path, PathBuf},
    sync::Arc,
    time::{Duration, SystemTime},
};

/// How often the file is looked at; it counts as changed when it is the same twice.
const INTERVAL: Duration = Duration::from_millis(500);

type Look = Option<(SystemTime, u64)>;

fn look(file: &Path) -> Look {
    let about = std::fs::metadata(file).ok()?;
    Some((about.modified().ok()?, about.len()))
}

/// Watches until it is dropped. A file that is refused is told in the log; the component that
/// decides goes on.
pub(super) async fn watch(file: PathBuf, admin: Arc<Admin>) {
    let (mut known, mut before) = (look(&file), look(&file));
    loop {
        tokio::time::sleep(INTERVAL).await;
        let now = look(&file);
        // Not while it is being written.
        let settled = now == before;
        before = now;
        if now.is_none() || !settled || now == known {
            continue;
        }
        let Ok(bytes) = std::fs::read(&file) else { continue };
        let reason = Some("the file of --component changed".to_owned());
        let swap = admin
            .swap(
                bytes,
                None,
                Until::SelfCheck,
                Origin { reason: reason.map(Into::into), ..Origin::default() },
            )
            .await;
        match swap {
            Ok(report) => tracing::info!(component = %report.component, "the watched file changed"),
            // Somebody else's examination: look again.
            Err(AdminError::Busy) => continue,
            Err(error) => tracing::warn!(%error, file = %file.display(), "not swapped in"),
        }
        known = now;
    }
}
