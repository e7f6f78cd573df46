//! What attacks have in common.

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

/// Where an attack takes place.
pub(crate) struct Arena<'a> {
    pub(crate) port: u16,
    /// Connections that an attacker may open.
    pub(crate) connections: usize,
    /// Becomes true when the attack is over.
    pub(crate) over: &'a AtomicBool,
    /// Bodies that were made before the clock ran.
    pub(crate) prepared: Vec<String>,
    /// How often each status was answered to [`Arena::ask`].
    pub(crate) told: Mutex<BTreeMap<u16, usize>>,
}

impl Arena<'_> {
    pub(crate) fn goes_on(&self) -> bool {
        !self.over.load(Ordering::Relaxed)
    }

    /// Does something in so many threads until the attack is over.
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

    /// Opens connections that each send something, and holds them.
    pub(crate) fn hold(&self, then: Then, narrow: bool, first: &[u8]) {
        pool::hold(self.connections, self.over, then, SECOND / 4, || {
            let mut stream =
                if narrow { pool::connect_narrow(self.port) } else { pool::connect(self.port) }?;
            // Where not all of it is taken, so much the better.
            let _ = stream.write_all(first);
            Ok(stream)
        });
    }

    /// Sends the bodies by turns, as fast as they are answered; each with a key of its own where
    /// it is `keyed`.
    pub(crate) fn ask(&self, threads: usize, path: &str, keyed: bool) {
        self.repeat(threads, |arena, thread| {
            let Some(mut client) = Client::try_connect(arena.port) else { return };
            client.set_read_timeout(SECOND * 5);
            for (i, body) in arena.prepared.iter().cycle().skip(thread).enumerate() {
                let key = format!("{thread}-{i}");
                let headers = [("idempotency-key", key.as_str())];
                let headers = &headers[..usize::from(keyed)];
                if !arena.goes_on() {
                    break;
                }
                match client.try_call("POST", path, headers, body.as_bytes()) {
                    Ok(reply) => arena.note(reply.status),
                    Err(_) => break,
                }
            }
        });
    }

    /// Sends one of the requests and closes the connection soon after, by turns.
    pub(crate) fn hang_up(&self, threads: usize, paths: &[&str]) {
        let next = AtomicUsize::new(0);
        self.repeat(threads, |arena, _| {
            let i = next.fetch_add(1, Ordering::Relaxed);
            let head = format!("GET {} HTTP/1.1\r\nhost: x\r\n\r\n", paths[i % paths.len()]);
            if let Ok(mut stream) = pool::connect(arena.port)
                && stream.write_all(head.as_bytes()).is_ok()
            {
                // Some before the server looks, some while it is at work.
                std::thread::sleep(Duration::from_millis([0, 1, 20][i % 3]));
            }
        });
    }

    pub(crate) fn note(&self, status: u16) {
        *self.told.lock().unwrap().entry(status).or_default() += 1;
    }
}
