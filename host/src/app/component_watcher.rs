//! Watches the file of `--component` and swaps the component in when the file changes.

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

/// The pause between two looks at the file. A changed file is swapped in when two looks find it the
/// same, so that a file which is still being written is left alone.
const INTERVAL: Duration = Duration::from_millis(500);

/// The time of the latest change of a file and its size in bytes; `None` where it cannot be read.
type FileState = Option<(SystemTime, u64)>;

fn file_state(file: &Path) -> FileState {
    let about = std::fs::metadata(file).ok()?;
    Some((about.modified().ok()?, about.len()))
}

/// Watches the file until the future is dropped. A refused file is logged, and the current
/// component goes on deciding.
pub(super) async fn watch(file: PathBuf, admin: Arc<Admin>) {
    let (mut known, mut before) = (file_state(&file), file_state(&file));
    loop {
        tokio::time::sleep(INTERVAL).await;
        let now = file_state(&file);
        let unchanged = now == before;
        before = now;
        if now.is_none() || !unchanged || now == known {
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
            Ok(report) => tracing::info!(
                component = %report.component, "the watched component file changed: swapped in"
            ),
            // Another component is being examined: try again.
            Err(AdminError::Busy) => continue,
            Err(error) => tracing::warn!(
                %error, file = %file.display(), "the watched component file is not swapped in"
            ),
        }
        known = now;
    }
}
