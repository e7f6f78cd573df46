use std::{
    fs::File,
    net::{TcpListener, TcpStream},
    path::Path,
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

/// The longest time that the server may take to stop.
const STOP_TIME: Duration = Duration::from_secs(30);

/// A server process on loopback. The process ends when this value is dropped.
pub(crate) struct Server {
    process: Child,
    pub(crate) port: u16,
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

impl Server {
    pub(crate) fn start(program: &Path, folder: &Path) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).expect("a free port");
        let port = listener.local_addr().expect("its address").port();
        drop(listener);
        let log = File::create(folder.join("log")).expect("a log");
        let process = Command::new(program)
            .current_dir(folder)
            .env_remove("DATABASE_PATH")
            .args(["--port", &port.to_string(), "--database-path", "inventory.db"])
            .stdout(Stdio::null())
            .stderr(log)
            .spawn()
            .expect("a server");
        let server = Self { process, port };
        let patience = Instant::now() + Duration::from_secs(30);
        while TcpStream::connect(("127.0.0.1", port)).is_err() {
            assert!(Instant::now() < patience, "the server on port {port} does not answer");
            std::thread::sleep(Duration::from_millis(5));
        }
        server
    }

    /// The resident memory of the process in MB; 0 where the process has ended.
    pub(crate) fn resident_mb(&self) -> u64 {
        let status = format!("/proc/{}/status", self.process.id());
        let status = std::fs::read_to_string(status).unwrap_or_default();
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
        let kib = line.and_then(|line| line.split_ascii_whitespace().next()?.parse::<u64>().ok());
        kib.map_or(0, |kib| kib * 1_024 / 1_000_000)
    }

    /// Tells the server to stop as a supervisor would, and waits for its end. Returns the time that
    /// it took; `None` where the server takes too long or fails.
    pub(crate) fn stop(&mut self) -> Option<Duration> {
        let begin = Instant::now();
        let pid = self.process.id().to_string();
        Command::new("kill").args(["-TERM", &pid]).status().expect("kill");
        while begin.elapsed() < STOP_TIME {
            if let Some(status) = self.process.try_wait().expect("its status") {
                return status.success().then(|| begin.elapsed());
            }
            std::thread::sleep(Duration::from_millis(5));
        }
        self.process.kill().expect("killing it");
        None
    }
}
