use std::{
    io::{BufRead, BufReader, Read, Write},
    net::{TcpListener, TcpStream},
    path::Path,
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

/// A server process on loopback; it ends with this value.
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
        let process = command.stdout(Stdio::null()).spawn().expect("a server");
        let server = Self { process, port };
        let patience = Instant::now() + Duration::from_secs(10);
        while Instant::now() < patience {
            if TcpStream::connect(("127.0.0.1", port)).is_ok() {
                return server;
            }
            std::thread::sleep(Duration::from_millis(5));
        }
        panic!("the server on port {port} does not answer");
    }

    pub(crate) fn resident(&self) -> String {
        let status = format!("/proc/{}/status", self.process.id());
        let status = std::fs::read_to_string(status).unwrap_or_default();
        let line = status.lines().find(|line| line.starts_with("VmRSS"));
        line.unwrap_or("unknown").trim_start_matches("VmRSS:").trim().to_owned()
    }
}

/// A connection that sends one request after the other.
struct Client {
    stream: BufReader<TcpStream>,
}

impl Client {
    fn new(port: u16) -> Self {
        let stream = TcpStream::connect(("127.0.0.1", port)).expect("a connection");
        stream.set_nodelay(true).expect("no delay");
        Self { stream: BufReader::new(stream) }
    }

    fn call(&mut self, method: &str, path: &str, body: &str) -> (u16, String) {
        let length = body.len();
        let request = format!(
            "{method} {path} HTTP/1.1\r\nhost: bench\r\ncontent-type: application/json\r\n\
             content-length: {length}\r\n\r\n{body}"
        );
        self.stream.get_mut().write_all(request.as_bytes()).expect("sending");
        let (mut status, mut length) = (0, 0);
        loop {
            let mut line = String::new();
            self.stream.read_line(&mut line).expect("receiving");
            let line = line.trim_end().to_ascii_lowercase();
            if let Some(rest) = line.strip_prefix("http/1.1 ") {
                status = rest[..3].parse().expect("a status");
            } else if let Some(rest) = line.strip_prefix("content-length:") {
                length = rest.trim().parse().expect("a length");
            } else if line.is_empty() {
                break;
            }
        }
        let mut body = vec![0; length];
        self.stream.read_exact(&mut body).expect("a body");
        (status, String::from_utf8(body).expect("text"))
    }
}

/// Creates the stocks of all scenarios, with something reserved to release.
pub(crate) fn seed(server: &Server, products: u32) {
    std::thread::scope(|scope| {
        for part in 0..16 {
            scope.spawn(move || {
                let mut client = Client::new(server.port);
                let names = (1..=products).filter(|i| i % 16 == part).map(|i| format!("sku-{i}"));
                for name in names.chain((part == 0).then(|| "hot".to_owned())) {
                    let path = format!("/v1/inventory/{name}");
                    let body = r#"{"total_quantity": 1000000000}"#;
                    assert_eq!(client.call("PUT", &path, body).0, 201);
                    let body = r#"{"quantity": 1000000}"#;
                    assert_eq!(client.call("POST", &format!("{path}/reserve"), body).0, 200);
                }
            });
        }
    });
}

/// The number of events in the log, give or take what no stock of the benchmark is about.
pub(crate) fn last_sequence(server: &Server) -> u64 {
    let mut client = Client::new(server.port);
    let (status, _) = client.call("POST", "/v1/inventory/hot/reserve", r#"{"quantity": 1}"#);
    assert_eq!(status, 200);
    let (_, body) = client.call("GET", "/v1/inventory/hot/events?limit=1", "");
    let digits = body.split("\"sequence\":").nth(1).expect("an entry");
    digits.split(',').next().and_then(|digits| digits.parse().ok()).expect("a number")
}
