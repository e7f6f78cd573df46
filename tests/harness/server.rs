use super::Client;
use std::{
    io::{BufRead, BufReader, Read},
    path::{Path, PathBuf},
    process::{Child, Command, ExitStatus, Stdio},
    sync::{Arc, Mutex, mpsc},
    thread::JoinHandle,
    time::{Duration, Instant},
};
use tempfile::TempDir;

/// The longest wait for a condition, with room for a busy machine.
const PATIENCE: Duration = Duration::from_secs(30);

/// A process of the program, with a port and a database of its own.
pub struct Server {
    process: Child,
    pub port: u16,
    folder: Arc<TempDir>,
    log: Arc<Mutex<String>>,
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

impl Server {
    pub fn start() -> Self {
        Self::start_with(&[])
    }

    pub fn start_with(arguments: &[&str]) -> Self {
        let folder = Arc::new(tempfile::tempdir().expect("a temporary folder"));
        Self::start_in(&folder, arguments)
    }

    pub fn start_in(folder: &Arc<TempDir>, arguments: &[&str]) -> Self {
        Self::start_command(Self::command(folder.path()), folder, arguments)
    }

    /// A command that starts the program in a folder, on a free port.
    pub fn command(folder: &Path) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_holdfast"));
        command.env_clear().current_dir(folder).env("PORT", "0").env("LOG_FORMAT", "json");
        // `HOLDFAST_TEST_COMPONENT` names another build of the domain component to test.
        if let Some(component) = std::env::var_os("HOLDFAST_TEST_COMPONENT") {
            command.env("COMPONENT", component);
        }
        command
    }

    pub fn start_command(command: Command, folder: &Arc<TempDir>, arguments: &[&str]) -> Self {
        Self::try_start_command(command, folder, arguments)
            .unwrap_or_else(|log| panic!("the server did not start: {log}"))
    }

    /// Starts a server. Returns its log where it ends instead.
    pub fn try_start_command(
        mut command: Command,
        folder: &Arc<TempDir>,
        arguments: &[&str],
    ) -> Result<Self, String> {
        let mut process = command
            .args(arguments)
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .expect("the program starts");
        let mut stderr = BufReader::new(process.stderr.take().expect("its log"));
        let log = Arc::new(Mutex::new(String::new()));
        let (found, port) = mpsc::channel();
        std::thread::spawn({
            let log = Arc::clone(&log);
            move || {
                let mut line = String::new();
                while stderr.read_line(&mut line).is_ok_and(|length| length > 0) {
                    if let Some((_, rest)) = line.split_once("serving http://127.0.0.1:") {
                        let digits: String =
                            rest.chars().take_while(char::is_ascii_digit).collect();
                        let _ = found.send(digits.parse().expect("a port"));
                    }
                    log.lock().unwrap().push_str(&line);
                    line.clear();
                }
            }
        });
        let Ok(port) = port.recv_timeout(PATIENCE) else {
            let _ = process.kill();
            process.wait().expect("its end");
            return Err(log.lock().unwrap().clone());
        };
        Ok(Self { process, port, folder: Arc::clone(folder), log })
    }

    /// Runs the program until it ends by itself. Returns its status, output and errors.
    pub fn run(folder: &Path, arguments: &[&str]) -> (ExitStatus, String, String) {
        Self::finish(Self::command(folder), arguments)
    }

    pub fn finish(mut command: Command, arguments: &[&str]) -> (ExitStatus, String, String) {
        let mut process = command
            .args(arguments)
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("the program starts");
        let (output, errors) = (process.stdout.take().unwrap(), process.stderr.take().unwrap());
        // The output is read while the program runs: a full pipe would keep it from ending.
        let (output, errors) = (read_aside(output), read_aside(errors));
        let mut status = None;
        eventually("the program ends", || {
            status = process.try_wait().expect("its status");
            status.is_some()
        });
        (status.expect("a status"), output.join().unwrap(), errors.join().unwrap())
    }

    pub fn client(&self) -> Client {
        Client::connect(self.port)
    }

    pub fn port(&self) -> u16 {
        self.port
    }

    pub fn pid(&self) -> u32 {
        self.process.id()
    }

    pub fn folder(&self) -> &Arc<TempDir> {
        &self.folder
    }

    pub fn database(&self) -> PathBuf {
        self.folder.path().join("data/inventory.db")
    }

    pub fn log(&self) -> String {
        self.log.lock().unwrap().clone()
    }

    /// Kills the process. Returns its folder.
    pub fn kill(mut self) -> Arc<TempDir> {
        self.process.kill().expect("killing it");
        self.process.wait().expect("its end");
        Arc::clone(&self.folder)
    }

    pub fn signal(&self, signal: &str) {
        let pid = self.process.id().to_string();
        let status = Command::new("kill").args([signal, &pid]).status().expect("kill");
        assert!(status.success());
    }

    /// Waits for the process to end by itself.
    pub fn wait(&mut self) -> ExitStatus {
        let mut status = None;
        eventually("the server ends", || {
            status = self.process.try_wait().expect("its status");
            status.is_some()
        });
        status.expect("a status")
    }
}

fn read_aside(mut pipe: impl Read + Send + 'static) -> JoinHandle<String> {
    std::thread::spawn(move || {
        let mut text = String::new();
        pipe.read_to_string(&mut text).expect("text");
        text
    })
}

/// Waits until a condition holds. `what` describes the condition in the panic where it takes too
/// long.
pub fn eventually(what: &str, mut condition: impl FnMut() -> bool) {
    let patience = Instant::now() + PATIENCE;
    while !condition() {
        assert!(Instant::now() < patience, "not within {PATIENCE:?}: {what}");
        std::thread::sleep(Duration::from_millis(5));
    }
}
