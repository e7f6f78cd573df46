//! The tools of an operator: examine a component, swap it, roll back, shadow, replay, explain. One
//! tool works at a time, on a thread of low priority, so that it does not slow requests down.

mod metrics;
mod past;

use crate::{
    admission::{self, Admitted, Candidate, Refusal, Step, Until},
    component::{Compiled, Library, LibraryEntry, LibraryError, Runtime},
    engine::{DomainStatus, Engine, ShadowReport, SwapError, Swapped},
    model::{Digest, Integrity, Origin},
    replay::{Explanation, Range, ReplayError, Replayed},
    store::Store,
};
use past::RecordedHistory;
use std::{
    collections::VecDeque,
    sync::{Arc, Mutex, PoisonError},
};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, oneshot};

/// The bound on the admitted components that this process remembers and need not examine again.
const ADMITTED_MAX: usize = 8;

/// The niceness of the thread for examinations. Compiling a large component takes seconds, which
/// must not slow requests down.
const NICENESS: i32 = 10;

/// The number of differences that a replay shows in full.
const SHOWN_MAX: usize = 20;

/// The reason why a tool did not do its work.
#[derive(Debug, thiserror::Error)]
pub enum AdminError {
    /// Another examination or replay is under way.
    #[error("another component is being examined or replayed: try again when that is done")]
    Busy,
    /// The component did not pass its examination.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// The component could not be swapped.
    #[error(transparent)]
    Swap(#[from] SwapError),
    /// The library of components failed.
    #[error(transparent)]
    Library(#[from] LibraryError),
    /// The replay or the explanation failed.
    #[error(transparent)]
    Replay(#[from] ReplayError),
    /// There is no running shadow.
    #[error("there is no shadow, or it has stopped: begin one, then promote it")]
    NoShadow,
    /// The thread that did the work ended without a result.
    #[error("the work was lost: {0}")]
    Lost(String),
}

/// The result of a swap.
#[derive(Clone, Debug)]
pub struct SwapReport {
    /// The component that decides now.
    pub component: Digest,
    /// The steps that the component passed.
    pub steps: Vec<Step>,
    /// The swap; `None` where the component decided already.
    pub swapped: Option<Swapped>,
}

/// The state of the domain.
pub struct Overview {
    /// The component that decides, its limits and its faults.
    pub status: DomainStatus,
    /// The components in the library, the latest first.
    pub components: Vec<LibraryEntry>,
    /// The report of the latest shadow.
    pub shadow: Option<ShadowReport>,
}

/// The operator's tools.
pub struct Admin {
    engine: Arc<Engine>,
    runtime: Arc<Runtime>,
    library: Library,
    past: Arc<dyn RecordedHistory>,
    component_bytes_max: usize,
    permits: Arc<Semaphore>,
    admitted: Arc<Mutex<VecDeque<Compiled>>>,
}

impl Admin {
    /// The tools for an engine and its store.
    #[must_use]
    pub fn new<S: Store>(
        engine: Arc<Engine>,
        runtime: Arc<Runtime>,
        library: Library,
        store: Arc<S>,
        component_bytes_max: usize,
    ) -> Self {
        Self {
            engine,
            runtime,
            library,
            past: store,
            component_bytes_max,
            permits: Arc::new(Semaphore::new(1)),
            admitted: Arc::default(),
        }
    }

    /// The bound on the size of a component, in bytes.
    #[must_use]
    pub fn component_bytes_max(&self) -> usize {
        self.component_bytes_max
    }

    /// The result of the integrity check of the database so far.
    #[must_use]
    pub fn integrity(&self) -> Integrity {
        self.past.integrity()
    }

    /// The state of the domain.
    ///
    /// # Errors
    /// The library cannot be read.
    pub async fn overview(&self) -> Result<Overview, AdminError> {
        let library = self.library.clone();
        let listed = tokio::task::spawn_blocking(move || library.list());
        let components = listed.await.map_err(|error| AdminError::Lost(error.to_string()))??;
        let (status, shadow) = (self.engine.domain(), self.engine.shadow());
        Ok(Overview { status, components, shadow })
    }

    /// Examines a component and lets it decide from now on.
    ///
    /// # Errors
    /// [`AdminError`]. The component that decided goes on deciding.
    pub async fn swap(
        &self,
        bytes: Vec<u8>,
        expected: Option<Digest>,
        until: Until,
        origin: Origin,
    ) -> Result<SwapReport, AdminError> {
        let (Admitted { compiled, steps }, permit) = self.admit(bytes, expected, until).await?;
        let component = compiled.digest();
        let swapped = if component == self.engine.digest() {
            None
        } else {
            Some(self.engine.install(&compiled, origin).await?)
        };
        drop(permit);
        Ok(SwapReport { component, steps, swapped })
    }

    /// Lets the previous component decide again.
    ///
    /// # Errors
    /// [`AdminError::Swap`].
    pub async fn roll_back(&self, origin: Origin) -> Result<Swapped, AdminError> {
        Ok(self.engine.roll_back(origin).await?)
    }

    /// Examines a component and begins a shadow: the component decides one command in `every` in
    /// addition to the installed component, and nothing that it writes is kept.
    ///
    /// # Errors
    /// [`AdminError`].
    pub async fn begin_shadow(
        &self,
        bytes: Vec<u8>,
        expected: Option<Digest>,
        every: u64,
    ) -> Result<Vec<Step>, AdminError> {
        let (Admitted { compiled, steps }, _permit) =
            self.admit(bytes, expected, Until::Call).await?;
        self.engine.begin_shadow(&compiled, every)?;
        Ok(steps)
    }

    /// The report of the latest shadow.
    ///
    /// # Errors
    /// [`AdminError::NoShadow`].
    pub fn shadow(&self) -> Result<ShadowReport, AdminError> {
        self.engine.shadow().ok_or(AdminError::NoShadow)
    }

    /// Ends the shadow and returns its report.
    ///
    /// # Errors
    /// [`AdminError::NoShadow`].
    pub fn end_shadow(&self) -> Result<ShadowReport, AdminError> {
        self.engine.end_shadow().ok_or(AdminError::NoShadow)
    }

    /// Examines the component of the running shadow up to `until` and lets it decide from now on.
    ///
    /// # Errors
    /// [`AdminError`].
    pub async fn promote(&self, until: Until, origin: Origin) -> Result<SwapReport, AdminError> {
        let shadow = self.shadow()?;
        if !shadow.running {
            return Err(AdminError::NoShadow);
        }
        let bytes = self.library.bytes(&shadow.candidate)?;
        let report = self.swap(bytes, Some(shadow.candidate), until, origin).await?;
        let _ended = self.engine.end_shadow();
        Ok(report)
    }

    /// Replays recorded commands on a candidate.
    ///
    /// # Errors
    /// [`AdminError`].
    pub async fn replay(&self, bytes: Vec<u8>, range: Range) -> Result<Replayed, AdminError> {
        let (Admitted { compiled, .. }, permit) = self.admit(bytes, None, Until::Call).await?;
        let past = Arc::clone(&self.past);
        on_low_priority_thread(move || {
            let _permit = permit;
            Ok(past.replay(&compiled, range, SHOWN_MAX)?)
        })
        .await
    }

    /// Makes the decision behind an event again, and explains it.
    ///
    /// # Errors
    /// [`AdminError`].
    pub async fn explain(&self, sequence: u64) -> Result<Explanation, AdminError> {
        let (past, library) = (Arc::clone(&self.past), self.library.clone());
        let (runtime, permit) = (Arc::clone(&self.runtime), self.acquire_permit()?);
        on_low_priority_thread(move || {
            let _permit = permit;
            past.explain(sequence, &|digest| Ok(library.load(&runtime, digest)?))
        })
        .await
    }

    fn acquire_permit(&self) -> Result<OwnedSemaphorePermit, AdminError> {
        Arc::clone(&self.permits).try_acquire_owned().map_err(|_| AdminError::Busy)
    }

    /// Examines a component, unless this process admitted it before, and keeps it in the library.
    /// The permit moves into the work, so that it is held to the end of the work even if the
    /// request is dropped.
    async fn admit(
        &self,
        bytes: Vec<u8>,
        expected: Option<Digest>,
        until: Until,
    ) -> Result<(Admitted, OwnedSemaphorePermit), AdminError> {
        let permit = self.acquire_permit()?;
        let (runtime, library) = (Arc::clone(&self.runtime), self.library.clone());
        let (admitted, bytes_max) = (Arc::clone(&self.admitted), self.component_bytes_max);
        on_low_priority_thread(move || {
            let candidate = Candidate { bytes: &bytes, expected, until };
            let digest = Digest::of(&bytes);
            let known = known(&admitted, digest);
            if let (Some(compiled), None | Some(true)) = (known, expected.map(|it| it == digest)) {
                let outcome = "it passed all other steps before".to_owned();
                let step = Step { step: "digest", outcome, passed: true, took_ms: 0 };
                return Ok((Admitted { compiled, steps: vec![step] }, permit));
            }
            let passed = admission::examine(&runtime, Some(&library), &candidate, bytes_max)?;
            library.store(&bytes)?;
            if until == Until::SelfCheck {
                remember(&admitted, passed.compiled.clone());
            }
            Ok((passed, permit))
        })
        .await
    }
}

/// The compiled component with this digest, if this process has admitted it before.
fn known(admitted: &Mutex<VecDeque<Compiled>>, digest: Digest) -> Option<Compiled> {
    let admitted = admitted.lock().unwrap_or_else(PoisonError::into_inner);
    admitted.iter().find(|known| known.digest() == digest).cloned()
}

fn remember(admitted: &Mutex<VecDeque<Compiled>>, compiled: Compiled) {
    let mut admitted = admitted.lock().unwrap_or_else(PoisonError::into_inner);
    if admitted.len() >= ADMITTED_MAX {
        admitted.pop_front();
    }
    admitted.push_back(compiled);
}

/// Does work on a new thread of low priority. Returns the result of the work, or
/// [`AdminError::Lost`] where the thread cannot be started or panics.
async fn on_low_priority_thread<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, AdminError> + Send + 'static,
) -> Result<T, AdminError> {
    let (done, result) = oneshot::channel();
    let thread = std::thread::Builder::new().name("examination".into()).spawn(move || {
        // On Linux each thread has a priority of its own. Where it cannot be lowered, the work runs
        // with the priority of the server.
        if let Err(error) = rustix::process::setpriority_process(None, NICENESS) {
            tracing::debug!(%error, "the examination runs with the priority of the server");
        }
        // The request may have been dropped.
        let _ = done.send(work());
    });
    thread.map_err(|error| AdminError::Lost(error.to_string()))?;
    result.await.unwrap_or_else(|_| Err(AdminError::Lost("the thread panicked".to_owned())))
}
