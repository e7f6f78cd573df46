//! The processing of large bodies on threads for blocking work.

use crate::http::problem::Problem;
use tokio::sync::Semaphore;

/// The size up to which a body is processed on the thread that has received it. Processing a larger
/// one would delay the other connections of that thread for too long.
const INLINE_BYTES_MAX: usize = 64 * 1024;

/// The permits to process large bodies. They are given in order of arrival.
static PERMITS: Semaphore = Semaphore::const_new(4);

/// Runs `work` on a body of this many bytes: on the current thread for a small body, and on a
/// thread for blocking work for a large one.
///
/// # Errors
/// `work` panicked on another thread.
pub(in crate::http) async fn process_body<T: Send + 'static>(
    bytes: usize,
    work: impl FnOnce() -> T + Send + 'static,
) -> Result<T, Problem> {
    if bytes <= INLINE_BYTES_MAX {
        return Ok(work());
    }
    // The semaphore is never closed.
    let permit = PERMITS.acquire().await;
    let done = tokio::task::spawn_blocking(move || {
        // The permit is kept until the work has ended, even if the client goes away before that.
        let _permit = permit;
        work()
    });
    done.await.map_err(|error| {
        tracing::error!(%error, "processing a large body panicked");
        Problem::new("internal-error", "the body could not be processed")
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::thread;

    #[tokio::test]
    async fn a_large_body_is_processed_on_another_thread() {
        let here = thread::current().id();
        let at =
            |bytes| async move { process_body(bytes, || thread::current().id()).await.unwrap() };
        assert_eq!(at(INLINE_BYTES_MAX).await, here);
        assert_ne!(at(INLINE_BYTES_MAX + 1).await, here);
    }
}
