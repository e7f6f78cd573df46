//! The server under attack, and the means that attacks share.

use crate::{
    client::Client,
    pool::{self, Then},
};
use std::{
    collections::BTreeMap,
    io::Write,
    sync::{
        Mutex,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    time::Duration,
};

pub(crate) const SECOND: Duration = Duration::from_secs(1);

/// The server under attack.
pub(crate) struct Target<'a> {
    pub(crate) port: u16,
    /// The number of connections that the attacker may open.
    pub(crate) connections: usize,
    /// Turns true when the attack is over.
    pub(crate) over: &'a AtomicBool,
    /// Bodies of requests, made before the measurement.
    pub(crate) prepared: Vec<String>,
    /// How often [`Target::ask`] got each status.
    pub(crate) statuses: Mutex<BTreeMap<u16, usize>>,
}

impl Target<'_> {
    pub(crate) fn goes_on(&self) -> bool {
        !self.over.load(Ordering::Relaxed)
    }

    /// Repeats `act` in each of the threads until the attack is over.
    pub(crate) fn repeat(&self, threads: usize, act: impl Fn(&Self, usize) + Sync) {
        std::thread::scope(|scope| {
            for thread in 0..threads {
                let act = &act;
                scope.spawn(move || {
                    while self.goes_on() {
                        act(self, thread);
                    }
                });
            }
        });
    }

    /// Opens connections, sends `first` on each, and keeps them open.
    pub(crate) fn hold(&self, then: Then, narrow: bool, first: &[u8]) {
        pool::hold(self.connections, self.over, then, SECOND / 4, || {
            let mut stream =
                if narrow { pool::connect_narrow(self.port) } else { pool::connect(self.port) }?;
            // The server need not take all of it.
            let _ = stream.write_all(first);
            Ok(stream)
        });
    }

    /// Sends the prepared bodies in turn, as fast as they are answered. Each request has an
    /// idempotency key of its own where `keyed` is true.
    pub(crate) fn ask(&self, threads: usize, path: &str, keyed: bool) {
        self.repeat(threads, |target, thread| {
            let Some(mut client) = Client::try_connect(target.port) else { return };
            client.set_read_timeout(SECOND * 5);
            for (i, body) in target.prepared.iter().cycle().skip(thread).enumerate() {
                let key = format!("{thread}-{i}");
                let headers = [("idempotency-key", key.as_str())];
                let headers = &headers[..usize::from(keyed)];
                if !target.goes_on() {
                    break;
                }
                match client.try_call("POST", path, headers, body.as_bytes()) {
                    Ok(reply) => target.note(reply.status),
                    Err(_) => break,
                }
            }
        });
    }

    /// Requests the paths in turn, and closes each connection soon after its request.
    pub(crate) fn hang_up(&self, threads: usize, paths: &[&str]) {
        let next = AtomicUsize::new(0);
        self.repeat(threads, |target, _| {
            let i = next.fetch_add(1, Ordering::Relaxed);
            let head = format!("GET {} HTTP/1.1\r\nhost: x\r\n\r\n", paths[i % paths.len()]);
            if let Ok(mut stream) = pool::connect(target.port)
                && stream.write_all(head.as_bytes()).is_ok()
            {
                // The connection ends before the server reads the request, or while it works.
                std::thread::sleep(Duration::from_millis([0, 1, 20][i % 3]));
            }
        });
    }

    pub(crate) fn note(&self, status: u16) {
        *self.statuses.lock().unwrap().entry(status).or_default() += 1;
    }
}
