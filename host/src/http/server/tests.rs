use super::*;
use axum::routing::get;
use connections::Times;
use std::future::pending;
use tokio::{io::AsyncWriteExt, sync::mpsc};

const LONG: Duration = Duration::from_secs(60);

fn traffic() -> Traffic {
    let clock = Arc::new(CoarseClock::new());
    let connections = Connections::new(8, Times::new(LONG, LONG), Arc::clone(&clock));
    Traffic {
        clock,
        connections: Arc::new(connections),
        answers: Arc::new(Answers::new(1_000_000, 1)),
        tick: TICK_MIN,
        request_timeout: LONG,
        room_timeout: LONG,
        drain_timeout: LONG,
        trusted_caller: None,
    }
}

/// Says when a handler begins, and when it ends without an answer.
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
async fn nothing_works_on_for_a_client_that_has_gone() {
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
