//! What an operator does with components: examine, swap, roll back, shadow, replay, explain. One
//! thing at a time, on a thread that stands back for those who serve requests.

mod metrics;
mod past;

use crate::{
    admission::{self, Admitted, Candidate, Refusal, Step, Until},
    component::{Compiled, Library, LibraryError, Runtime, Shelved},
    engine::{DomainStatus, Engine, ShadowReport, SwapError, Swapped},
    model::{Digest, Integrity, Origin},
    replay::{Explanation, Range, ReplayError, Replayed},
    store::Store,
};
use past::Past;
use std::{
    collections::VecDeque,
    sync::{Arc, Mutex, PoisonError},
};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, oneshot};

/// Components that were admitted by this process and need not be examined again.
const ADMITTED_MAX: usize = 8;

/// How far the thread for examinations stands back: compiling takes seconds for large components,
/// and requests are not to feel it.
const NICENESS: i32 = 10;

/// Differences of a replay that are shown in full.
const SHOWN_MAX: usize = 20;

/// Why something was not done.
#[derive(Debug, thiserror::Error)]
pub enum AdminError {
    /// Another examination or replay is under way.
    #[error("another component is being examined or replayed: try again when that is done")]
    Busy,
    /// The component did not pass.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// It did not become the one that decides.
    #[error(transparent)]
    Swap(#[from] SwapError),
    /// The library fails.
    #[error(transparent)]
    Library(#[from] LibraryError),
    /// The replay fails.
    #[error(transparent)]
    Replay(#[from] ReplayError),
    /// There is no shadow to be promoted.
    #[error("there is no shadow, or it has stopped: begin one, then promote it")]
    NoShadow,
    /// The work was lost.
    #[error("the work was lost: {0}")]
    Lost(String),
}

/// What came of a swap.
#[derive(Clone, Debug)]
pub struct SwapReport {
    /// The component.
    pub component: Digest,
    /// What it passed.
    pub steps: Vec<Step>,
    /// What changed; none: it decided already.
    pub swapped: Option<Swapped>,
}

/// How things are.
pub struct Overview {
    /// Who decides.
    pub status: DomainStatus,
    /// Components that can be had.
    pub components: Vec<Shelved>,
    /// The latest shadow.
    pub shadow: Option<ShadowReport>,
}

/// The operator's tools.
pub struct Admin {
    engine: Arc<Engine>,
    runtime: Arc<Runtime>,
    library: Library,
    past: Arc<dyn Past>,
    component_bytes_max: usize,
    turn: Arc<Semaphore>,
    admitted: Arc<Mutex<VecDeque<Compiled>>>,
}

impl Admin {
    /// Tools for an engine and what is behind it.
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
            turn: Arc::new(Semaphore::new(1)),
            admitted: Arc::default(),
        }
    }

    /// The most bytes that a component may have.
    #[must_use]
    pub fn component_bytes_max(&self) -> usize {
        self.component_bytes_max
    }

    /// What is known of the soundness of the database.
    #[must_use]
    pub fn integrity(&self) -> Integrity {
        self.past.integrity()
    }

    /// How things are.
    ///
    /// # Errors
    /// Where the library cannot be read.
    pub async fn overview(&self) -> Result<Overview, AdminError> {
        let library = self.library.clone();
        let listed = tokio::task::spawn_blocking(move || library.list());
        let components = listed.await.map_err(|error| AdminError::Lost(error.to_string()))??;
        let (status, shadow) = (self.engine.domain(), self.engine.shadow());
        Ok(Overview { status, components, shadow })
    }

    /// Examines a component and makes it the one that decides.
    ///
    /// # Errors
    /// [`AdminError`]; nothing has changed then.
    pub async fn swap(
        &self,
        bytes: Vec<u8>,
        expected: Option<Digest>,
        until: Until,
        origin: Origin,
    ) -> Result<SwapReport, AdminError> {
        let (Admitted { compiled, steps }, turn) = self.admit(bytes, expected, until).await?;
        let component = compiled.digest();
        let swapped = if component == self.engine.digest() {
            None
        } else {
            Some(self.engine.install(&compiled, origin).await?)
        };
        drop(turn);
        Ok(SwapReport { component, steps, swapped })
    }

    /// Goes back to the component before.
    ///
    /// # Errors
    /// [`AdminError::Swap`].
    pub async fn roll_back(&self, origin: Origin) -> Result<Swapped, AdminError> {
        Ok(self.engine.roll_back(origin).await?)
    }

    /// Examines a component and lets it decide one in `every` commands, too; nothing of it counts.
    ///
    /// # Errors
    /// [`AdminError`].
    pub async fn begin_shadow(
        &self,
        bytes: Vec<u8>,
        expected: Option<Digest>,
        every: u64,
    ) -> Result<Vec<Step>, AdminError> {
        let (Admitted { compiled, steps }, _turn) =
            self.admit(bytes, expected, Until::Call).await?;
        self.engine.begin_shadow(&compiled, every)?;
        Ok(steps)
    }

    /// What came of the latest shadow.
    ///
    /// # Errors
    /// [`AdminError::NoShadow`].
    pub fn shadow(&self) -> Result<ShadowReport, AdminError> {
        self.engine.shadow().ok_or(AdminError::NoShadow)
    }

    /// Ends the shadow.
    ///
    /// # Errors
    /// [`AdminError::NoShadow`].
    pub fn end_shadow(&self) -> Result<ShadowReport, AdminError> {
        self.engine.end_shadow().ok_or(AdminError::NoShadow)
    }

    /// Examines the shadow to the end and makes it the one that decides.
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
        let (Admitted { compiled, .. }, turn) = self.admit(bytes, None, Until::Call).await?;
        let past = Arc::clone(&self.past);
        aside(move || {
            let _turn = turn;
            Ok(past.replay(&compiled, range, SHOWN_MAX)?)
        })
        .await
    }

    /// Makes the decision behind an event again.
    ///
    /// # Errors
    /// [`AdminError`].
    pub async fn explain(&self, sequence: u64) -> Result<Explanation, AdminError> {
        let (past, library) = (Arc::clone(&self.past), self.library.clone());
        let (runtime, turn) = (Arc::clone(&self.runtime), self.turn()?);
        aside(move || {
            let _turn = turn;
            past.explain(sequence, &|digest| Ok(library.load(&runtime, digest)?))
        })
        .await
    }

    fn turn(&self) -> Result<OwnedSemaphorePermit, AdminError> {
        Arc::clone(&self.turn).try_acquire_owned().map_err(|_| AdminError::Busy)
    }

    /// Examines a component, unless that was done before, and keeps it. The turn goes with the
    /// work, so that it lasts as long, should whoever asked go away.
    async fn admit(
        &self,
        bytes: Vec<u8>,
        expected: Option<Digest>,
        until: Until,
    ) -> Result<(Admitted, OwnedSemaphorePermit), AdminError> {
        let turn = self.turn()?;
        let (runtime, library) = (Arc::clone(&self.runtime), self.library.clone());
        let (admitted, bytes_max) = (Arc::clone(&self.admitted), self.component_bytes_max);
        aside(move || {
            let candidate = Candidate { bytes: &bytes, expected, until };
            let digest = Digest::of(&bytes);
            let known = known(&admitted, digest);
            if let (Some(compiled), None | Some(true)) = (known, expected.map(|it| it == digest)) {
                let outcome = "it passed all the others before".to_owned();
                let step = Step { step: "digest", outcome, passed: true, took_ms: 0 };
                return Ok((Admitted { compiled, steps: vec![step] }, turn));
            }
            let passed = admission::examine(&runtime, Some(&library), &candidate, bytes_max)?;
            library.keep(&bytes)?;
            if until == Until::SelfCheck {
                remember(&admitted, passed.compiled.clone());
            }
            Ok((passed, turn))
        })
        .await
    }
}

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

/// Does something on a thread of its own, which stands back for all others.
async fn aside<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, AdminError> + Send + 'static,
) -> Result<T, AdminError> {
    let (done, result) = oneshot::channel();
    let thread = std::thread::Builder::new().name("examination".into()).spawn(move || {
        // On Linux a thread has a priority of its own; where it cannot be had, it takes its turn.
        if let Err(error) = rustix::process::setpriority_process(None, NICENESS) {
            tracing::debug!(%error, "the examination runs with the priority of the server");
        }
        // Whoever asked may have gone.
        let _ = done.send(work());
    });
    thread.map_err(|error| AdminError::Lost(error.to_string()))?;
    result.await.unwrap_or_else(|_| Err(AdminError::Lost("it panicked".to_owned())))
}
