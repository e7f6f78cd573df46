//! Work on large bodies, on threads that may be busy for a while.

use crate::http::problem::Problem;
use tokio::sync::Semaphore;

/// The largest body that is worked on where it was received. A larger one would take so long
/// that the other connections of the thread wait.
const BYTES_HERE_MAX: usize = 64 * 1024;

/// Large bodies that are worked on at once, in order of arrival.
static TURNS: Semaphore = Semaphore::const_new(4);

/// Does work that takes as long as a body is large.
///
/// # Errors
/// The work panicked.
pub(in crate::http) async fn work_on<T: Send + 'static>(
    bytes: usize,
    work: impl FnOnce() -> T + Send + 'static,
) -> Result<T, Problem> {
    if bytes <= BYTES_HERE_MAX {
        return Ok(work());
    }
    // The semaphore is never closed.
    let turn = TURNS.acquire().await;
    let done = tokio::task::spawn_blocking(move || {
        // It is kept until the work has ended, even where nobody waits for it any more.
        let _turn = turn;
        work()
    });
    done.await.map_err(|error| {
        tracing::error!(%error, "reading a large body panicked");
        Problem::new("internal-error", "the body could not be read")
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::thread;

    #[tokio::test]
    async fn a_large_body_occupies_no_thread_of_other_connections() {
        let here = thread::current().id();
        let at = |bytes| async move { work_on(bytes, || thread::current().id()).await.unwrap() };
        assert_eq!(at(BYTES_HERE_MAX).await, here);
        assert_ne!(at(BYTES_HERE_MAX + 1).await, here);
    }
}
