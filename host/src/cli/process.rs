//! The signals and the limits of the process.

use crate::config::Config;
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use signal_hook::consts::SIGXFSZ;
use std::sync::{Arc, atomic::AtomicBool};

/// File descriptors of one reader: two connections to the database, each with its write-ahead log
/// and, for a moment, a temporary file.
const FILES_PER_READER: u64 = 6;

/// File descriptors other than those of readers and connections: the standard streams, the sockets
/// and queues of the runtime, the lock file, the writer, the checkpointer, a component that is
/// being read.
const OTHER_FILES: u64 = 64;

/// Makes a write beyond the limit on file sizes (`ulimit -f`) fail with an error. Without this, the
/// signal SIGXFSZ ends the process.
pub(super) fn survive_file_size_limit() -> std::io::Result<()> {
    // Any handler prevents the default action. This one sets a flag that no code reads.
    signal_hook::flag::register(SIGXFSZ, Arc::new(AtomicBool::new(false)))?;
    Ok(())
}

/// Raises the soft limit of open files to what the configuration needs, or else as far as the hard
/// limit allows. Returns the number of connections for which descriptors are left after the store
/// has those it needs; at most `connections_max`.
pub(super) fn room_for_connections(config: &Config) -> anyhow::Result<usize> {
    let limits = getrlimit(Resource::Nofile);
    let readers = u64::try_from(config.engine.readers_max)?;
    let files = readers.saturating_mul(FILES_PER_READER).saturating_add(OTHER_FILES);
    let connections_max = u64::try_from(config.connections_max)?;
    let mut plan = plan(&limits, files, connections_max);
    if plan.limits != limits
        && let Err(error) = setrlimit(Resource::Nofile, plan.limits)
    {
        tracing::warn!(%error, "the limit of open files cannot be raised");
        let as_it_is = Rlimit { maximum: limits.current, ..limits };
        plan = self::plan(&as_it_is, files, connections_max);
    }
    if let Some(limit) = plan.too_low {
        let (needed, connections) = (files.saturating_add(connections_max), plan.connections);
        tracing::warn!(
            "the limit of open files (ulimit -Hn) is {limit}; connections_max = {connections_max} \
             needs {needed}. {connections} connections are served at once, more wait to be \
             accepted. Raise the limit (LimitNOFILE={needed} for systemd, --ulimit \
             nofile={needed} for Docker), or set CONNECTIONS_MAX to {connections}"
        );
    }
    Ok(usize::try_from(plan.connections)?)
}

/// How to set the limit of open files, and what that leaves for connections.
#[derive(PartialEq, Eq, Debug)]
struct Plan {
    limits: Rlimit,
    /// Number of connections for which descriptors are left, at least one.
    connections: u64,
    /// The limit that will apply, when it is lower than what is needed.
    too_low: Option<u64>,
}

/// Plans for `files` descriptors of the store and `connections_max` connections. A limit that is
/// `None` is unlimited.
fn plan(limits: &Rlimit, files: u64, connections_max: u64) -> Plan {
    let needed = files.saturating_add(connections_max);
    let Rlimit { current, maximum } = *limits;
    let enough = current.is_none_or(|soft| soft >= needed);
    let current =
        if enough { current } else { Some(maximum.map_or(needed, |hard| hard.min(needed))) };
    let too_low = current.filter(|soft| *soft < needed);
    let connections = too_low.map_or(connections_max, |hard| hard.saturating_sub(files).max(1));
    Plan { limits: Rlimit { current, maximum }, connections, too_low }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn planned(current: Option<u64>, maximum: Option<u64>) -> (Option<u64>, u64, Option<u64>) {
        let plan = plan(&Rlimit { current, maximum }, 100, 1_000);
        assert_eq!(plan.limits.maximum, maximum, "the hard limit stays");
        (plan.limits.current, plan.connections, plan.too_low)
    }

    #[test]
    fn the_soft_limit_is_raised_to_what_is_needed_and_never_lowered() {
        assert_eq!(planned(Some(256), Some(4_096)), (Some(1_100), 1_000, None));
        assert_eq!(planned(Some(256), None), (Some(1_100), 1_000, None));
        assert_eq!(planned(Some(2_000), Some(4_096)), (Some(2_000), 1_000, None));
        assert_eq!(planned(None, None), (None, 1_000, None));
    }

    #[test]
    fn when_the_hard_limit_is_too_low_the_store_gets_its_files_first() {
        assert_eq!(planned(Some(256), Some(600)), (Some(600), 500, Some(600)));
        assert_eq!(planned(Some(50), Some(80)), (Some(80), 1, Some(80)));
    }
}
