//! The choice of the component to start with.

use crate::{
    admission::{self, Candidate, Until},
    component::{Compiled, EMBEDDED, Library, Runtime},
    config::Config,
    engine,
    model::{Digest, Installed, Origin},
};
use anyhow::Context;
use std::{borrow::Cow, path::Path};

/// The bytes of the component that the settings name: those of a file, or of the embedded
/// component.
pub(super) fn configured(config: &Config) -> anyhow::Result<Cow<'static, [u8]>> {
    match &config.component {
        None => Ok(Cow::Borrowed(EMBEDDED)),
        Some(file) => read(file).map(Cow::Owned),
    }
}

fn read(file: &Path) -> anyhow::Result<Vec<u8>> {
    std::fs::read(file).with_context(|| format!("reading the component {}", file.display()))
}

/// Chooses the component that decides from now on. A swap recorded by an earlier process stays in
/// force until the settings name another file than at that time.
///
/// A new version of the program can embed another component. That component is chosen only where no
/// other one was swapped in.
fn choose(recorded: Option<Installed>, configured: Digest, by_file: bool) -> Installed {
    let Some(recorded) = recorded else { return Installed::first(configured) };
    let swapped = recorded.current != recorded.configured;
    let stays = recorded.configured == configured || (swapped && !by_file);
    if stays || recorded.current == configured {
        return Installed { configured, ..recorded };
    }
    Installed {
        current: configured,
        previous: Some(recorded.current),
        configured,
        rolled_back: false,
    }
}

/// The components to start with, compiled.
pub(super) fn start(
    config: &Config,
    runtime: &Runtime,
    library: &Library,
    recorded: Option<Installed>,
) -> anyhow::Result<engine::StartComponents> {
    let bytes = configured(config)?;
    let named = Digest::of(&bytes);
    let installed = choose(recorded, named, config.component.is_some());
    let current = if installed.current == named {
        let compiled = admitted(config, runtime, library, &bytes)?;
        library.store(&bytes)?;
        compiled
    } else {
        tracing::info!(
            component = %installed.current, configured = %named,
            "the component that was swapped in last still decides"
        );
        library.load(runtime, &installed.current).with_context(|| {
            format!(
                "according to the database the component {} decides, but it cannot be loaded: \
                 restore it, or name another one with --component FILE",
                installed.current
            )
        })?
    };
    Ok(engine::StartComponents {
        previous: installed.previous.and_then(|digest| previous(runtime, library, digest)),
        announce: announcement(recorded, installed, config.component.is_some()),
        limits: runtime.limits(),
        current,
        installed,
    })
}

/// The compiled component of the settings. The embedded component needs no examination; a component
/// from a file must pass it.
fn admitted(
    config: &Config,
    runtime: &Runtime,
    library: &Library,
    bytes: &[u8],
) -> anyhow::Result<Compiled> {
    if config.component.is_none() {
        return Ok(library.compile(runtime, bytes)?);
    }
    let candidate = Candidate { bytes, expected: None, until: Until::SelfCheck };
    Ok(admission::examine(runtime, Some(library), &candidate, config.component_bytes_max)?.compiled)
}

/// The component before the current one, compiled; `None` where it cannot be loaded, so that there
/// is nothing to roll back to.
fn previous(runtime: &Runtime, library: &Library, digest: Digest) -> Option<Compiled> {
    match library.load(runtime, &digest) {
        Ok(compiled) => Some(compiled),
        Err(error) => {
            tracing::warn!(
                %error, component = %digest,
                "the previous component cannot be loaded: there is nothing to roll back to"
            );
            None
        }
    }
}

/// The component that decided before this start and the origin of the swap; `None` where the
/// component is the same.
fn announcement(
    recorded: Option<Installed>,
    installed: Installed,
    by_file: bool,
) -> Option<(Digest, Origin)> {
    let before = recorded.filter(|before| before.current != installed.current)?;
    let reason = if by_file { "started with --component" } else { "the program was replaced" };
    let origin = Origin { reason: Some(reason.into()), ..Origin::default() };
    Some((before.current, origin))
}

#[cfg(test)]
mod tests {
    use super::*;

    const A: Digest = Digest([1; 32]);
    const B: Digest = Digest([2; 32]);
    const C: Digest = Digest([3; 32]);

    fn recorded(current: Digest, configured: Digest) -> Option<Installed> {
        Some(Installed { current, previous: None, configured, rolled_back: false })
    }

    #[test]
    fn without_a_record_the_settings_decide() {
        assert_eq!(choose(None, A, false), Installed::first(A));
    }

    #[test]
    fn a_swap_outlives_the_process() {
        assert_eq!(choose(recorded(B, A), A, false).current, B);
        assert_eq!(choose(recorded(B, A), A, true).current, B, "also with --component");
    }

    #[test]
    fn a_new_program_brings_its_component_unless_one_was_swapped_in() {
        let installed = choose(recorded(A, A), C, false);
        assert_eq!((installed.current, installed.previous), (C, Some(A)));
        let installed = choose(recorded(B, A), C, false);
        assert_eq!((installed.current, installed.configured), (B, C));
    }

    #[test]
    fn another_file_of_the_settings_wins() {
        let installed = choose(recorded(B, A), C, true);
        assert_eq!((installed.current, installed.previous), (C, Some(B)));
        assert_eq!(choose(recorded(B, A), B, true).current, B, "nothing changes");
    }
}
