use super::*;
use axum::routing::get;
use connections::Timeouts;
use std::future::pending;
use tokio::{io::AsyncWriteExt, sync::mpsc};

const LONG: Duration = Duration::from_secs(60);

fn traffic() -> Traffic {
    let clock = Arc::new(CoarseClock::new());
    let connections = Connections::new(8, Timeouts::new(LONG, LONG), Arc::clone(&clock));
    Traffic {
        clock,
        connections: Arc::new(connections),
        unsent: Arc::new(UnsentAnswers::new(1_000_000, 1)),
        tick: TICK_MIN,
        request_timeout: LONG,
        admission_timeout: LONG,
        drain_timeout: LONG,
        trusted_caller: None,
    }
}

/// Sends `begun` when a handler begins, and `dropped` when the handler is cancelled.
struct Work(mpsc::UnboundedSender<&'static str>);

impl Work {
    fn begin(events: mpsc::UnboundedSender<&'static str>) -> Self {
        events.send("begun").unwrap();
        Self(events)
    }
}

impl Drop for Work {
    fn drop(&mut self) {
        let _ = self.0.send("dropped");
    }
}

#[tokio::test]
async fn the_handler_of_a_client_that_has_gone_is_cancelled() {
    let (sender, mut events) = mpsc::unbounded_channel();
    let handler = move || async move {
        let _work = Work::begin(sender);
        pending::<()>().await;
    };
    let router = Router::new().route("/", get(handler));
    let listener = listen(([127, 0, 0, 1], 0).into()).unwrap();
    let address = listener.local_addr().unwrap();
    let server = tokio::spawn(async move { serve(listener, router, &traffic(), pending()).await });
    let mut client = TcpStream::connect(address).await.unwrap();
    client.write_all(b"GET / HTTP/1.1\r\nhost: test\r\n\r\n").await.unwrap();
    assert_eq!(events.recv().await, Some("begun"));
    drop(client);
    let dropped = tokio::time::timeout(LONG / 2, events.recv()).await;
    assert_eq!(dropped, Ok(Some("dropped")));
    server.abort();
}
