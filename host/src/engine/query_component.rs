use crate::{component::Domain, store::Snapshot, unit_of_work::ReadView};
use std::sync::{
    PoisonError, RwLock,
    atomic::{AtomicU64, Ordering},
};

/// The component that answers queries. All readers share it, and a swap replaces it.
pub(super) struct QueryComponent<S: Snapshot> {
    domain: RwLock<Domain<ReadView<S>>>,
    /// The number of replacements. A reader drops a guest that is older than the latest
    /// replacement.
    replacements: AtomicU64,
}

impl<S: Snapshot> QueryComponent<S> {
    pub(super) fn new(domain: Domain<ReadView<S>>) -> Self {
        Self { domain: RwLock::new(domain), replacements: AtomicU64::new(0) }
    }

    /// Lets another component answer every query that begins from now on.
    pub(super) fn replace(&self, domain: Domain<ReadView<S>>) {
        *self.domain.write().unwrap_or_else(PoisonError::into_inner) = domain;
        self.replacements.fetch_add(1, Ordering::Release);
    }

    /// The number of times that the component was replaced.
    pub(super) fn replacements(&self) -> u64 {
        self.replacements.load(Ordering::Acquire)
    }

    /// The current component.
    pub(super) fn domain(&self) -> Domain<ReadView<S>> {
        self.domain.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Whether the component imports anything of WASI.
    pub(super) fn uses_wasi(&self) -> bool {
        self.domain.read().unwrap_or_else(PoisonError::into_inner).uses_wasi()
    }
}
