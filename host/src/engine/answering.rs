use crate::{component::Domain, store::Snapshot, unit_of_work::ReadView};
use std::sync::{
    PoisonError, RwLock,
    atomic::{AtomicU64, Ordering},
};

/// The component that answers queries. All readers share it; a change of the component that
/// decides replaces it.
pub(super) struct Answering<S: Snapshot> {
    domain: RwLock<Domain<ReadView<S>>>,
    /// Counts the replacements. A reader does not ask a guest from before the latest one.
    changes: AtomicU64,
}

impl<S: Snapshot> Answering<S> {
    pub(super) fn new(domain: Domain<ReadView<S>>) -> Self {
        Self { domain: RwLock::new(domain), changes: AtomicU64::new(0) }
    }

    /// Lets another component answer every query that begins from now on.
    pub(super) fn replace(&self, domain: Domain<ReadView<S>>) {
        *self.domain.write().unwrap_or_else(PoisonError::into_inner) = domain;
        self.changes.fetch_add(1, Ordering::Release);
    }

    /// How often the component was replaced.
    pub(super) fn changes(&self) -> u64 {
        self.changes.load(Ordering::Acquire)
    }

    /// The component.
    pub(super) fn domain(&self) -> Domain<ReadView<S>> {
        self.domain.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Whether the component imports anything of WASI.
    pub(super) fn uses_wasi(&self) -> bool {
        self.domain.read().unwrap_or_else(PoisonError::into_inner).uses_wasi()
    }
}
