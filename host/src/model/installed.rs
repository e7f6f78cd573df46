use super::Digest;

/// Which component decides, and how it came to that: kept with the log.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Installed {
    /// The component that decides.
    pub current: Digest,
    /// The one before it: what a rollback goes back to.
    pub previous: Option<Digest>,
    /// The one that the server was last started with, by its settings.
    pub configured: Digest,
    /// Whether the current one is there by a rollback.
    pub rolled_back: bool,
}

impl Installed {
    /// A component that nothing was before.
    #[must_use]
    pub fn first(configured: Digest) -> Self {
        Self { current: configured, previous: None, configured, rolled_back: false }
    }
}
