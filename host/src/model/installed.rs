use super::Digest;

/// The components that a store remembers: the one that decides, and those that it follows.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Installed {
    /// The component that decides.
    pub current: Digest,
    /// The component before it, to which a rollback returns; `None` for the first component.
    pub previous: Option<Digest>,
    /// The component that the settings named at the last start.
    pub configured: Digest,
    /// Whether a rollback made the current component decide.
    pub rolled_back: bool,
}

impl Installed {
    /// The first component of a store.
    #[must_use]
    pub fn first(configured: Digest) -> Self {
        Self { current: configured, previous: None, configured, rolled_back: false }
    }
}
