use crate::client::Client;
use std::{
    net::{TcpListener, TcpStream},
    path::Path,
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

/// A server process on loopback. The process ends when this value is dropped.
pub(crate) struct Server {
    process: Child,
    pub(crate) port: u16,
    /// The distance between the numbers of two products of a scenario.
    pub(crate) step: u32,
    /// The time from the start of the process to its first answer.
    pub(crate) started: Duration,
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

fn free_port() -> u16 {
    let listener = TcpListener::bind(("127.0.0.1", 0)).expect("a free port");
    listener.local_addr().expect("its address").port()
}

impl Server {
    pub(crate) fn holdfast(folder: &Path) -> Self {
        let port = free_port();
        let mut command = Command::new(env!("CARGO_BIN_EXE_holdfast"));
        command
            .current_dir(folder)
            .args(["--port", &port.to_string(), "--log-level", "warn"])
            .args(["--database-path", "inventory.db"]);
        Self::start(command, port)
    }

    pub(crate) fn bare() -> Self {
        let port = free_port();
        let mut command = Command::new(std::env::current_exe().expect("this program"));
        command.args(["bare", &port.to_string()]);
        Self::start(command, port)
    }

    fn start(mut command: Command, port: u16) -> Self {
        let begin = Instant::now();
        let process = command.stdout(Stdio::null()).spawn().expect("a server");
        let mut server = Self { process, port, step: 1, started: Duration::ZERO };
        let patience = Instant::now() + Duration::from_secs(10);
        while Instant::now() < patience {
            if TcpStream::connect(("127.0.0.1", port)).is_ok() {
                server.started = begin.elapsed();
                return server;
            }
            std::thread::sleep(Duration::from_millis(1));
        }
        panic!("the server on port {port} does not answer");
    }

    /// The resident memory of the process in MB.
    pub(crate) fn resident_mb(&self) -> u64 {
        let status = format!("/proc/{}/status", self.process.id());
        let status = std::fs::read_to_string(status).expect("a process on Linux");
        let line = status.lines().find(|line| line.starts_with("VmRSS")).expect("its memory");
        let kib = line.split_ascii_whitespace().nth(1).and_then(|kib| kib.parse::<u64>().ok());
        kib.expect("a number") * 1_024 / 1_000_000
    }

    /// The numbers of batches and of commands so far.
    pub(crate) fn batches(&self) -> (f64, f64) {
        let text = Client::connect(self.port).get("/metrics").text;
        let figure = |name: &str| {
            let line = text.lines().find_map(|line| line.strip_prefix(name)).expect(name);
            line.trim().parse().expect("a number")
        };
        (figure("holdfast_batches_total "), figure("holdfast_commands_total "))
    }
}

/// Creates the stocks of all scenarios, with reserved units that can be released.
pub(crate) fn seed(server: &Server, products: u32) {
    std::thread::scope(|scope| {
        for part in 0..16 {
            scope.spawn(move || {
                let mut client = Client::connect(server.port);
                let names = (1..=products).filter(|i| i % 16 == part).map(|i| format!("sku-{i}"));
                for name in names.chain((part == 0).then(|| "hot".to_owned())) {
                    client.stock(&name, 1_000_000_000, 0);
                    assert_eq!(client.reserve(&name, 1_000_000).status, 200);
                }
            });
        }
    });
}

/// The sequence of the last event of a stock of the benchmark, which is about the number of events
/// in the log.
pub(crate) fn last_sequence(server: &Server) -> u64 {
    let mut client = Client::connect(server.port);
    assert_eq!(client.reserve("hot", 1).status, 200);
    let newest = client.get("/v1/inventory/hot/events?limit=1").json();
    newest["items"][0]["sequence"].as_u64().expect("an entry")
}
