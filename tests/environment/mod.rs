//! The service goes on when its environment fails: the log cannot be written, the clock is set, the
//! limits of the process are low.

mod clock;
mod limits;
mod log;

use crate::harness::{Client, Server, eventually};
use std::{
    net::TcpListener,
    path::Path,
    process::{Child, Command, ExitStatus, Stdio},
};

/// The program, without a thread of the harness that reads its standard error.
struct UnreadServer {
    process: Child,
    port: u16,
}

impl Drop for UnreadServer {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

impl UnreadServer {
    /// Starts the program in a folder and waits until it answers.
    fn start(folder: &Path, errors: impl Into<Stdio>, arguments: &[&str]) -> Self {
        let mut command = Server::command(folder);
        Self::start_command(command.stderr(errors).args(arguments))
    }

    fn start_command(command: &mut Command) -> Self {
        let free = TcpListener::bind(("127.0.0.1", 0)).expect("a free port");
        let port = free.local_addr().expect("its address").port();
        drop(free);
        let process = command.env("PORT", port.to_string()).stdout(Stdio::null()).spawn();
        let mut server = Self { process: process.expect("the program starts"), port };
        eventually("the server answers", || {
            let ended = server.process.try_wait().expect("its status");
            assert!(ended.is_none(), "the server ended by itself: {ended:?}");
            Client::try_connect(port).is_some()
        });
        server
    }

    fn client(&self) -> Client {
        Client::connect(self.port)
    }

    /// Tells the server to stop, and waits until it has.
    fn stop(&mut self) -> ExitStatus {
        let pid = self.process.id().to_string();
        assert!(Command::new("kill").args(["-TERM", &pid]).status().expect("kill").success());
        ended(&mut self.process)
    }
}

fn ended(process: &mut Child) -> ExitStatus {
    let mut status = None;
    eventually("the program ends", || {
        status = process.try_wait().expect("its status");
        status.is_some()
    });
    status.expect("a status")
}

/// The value of a metric.
fn metric(client: &mut Client, name: &str) -> f64 {
    let text = client.get("/metrics").text;
    let value = text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' '));
    value.unwrap_or_else(|| panic!("{name} in {text}")).parse().expect("a number")
}
