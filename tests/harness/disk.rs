//! A disk whose calls fail on a test's command.

use super::Server;
use std::{
    path::{Path, PathBuf},
    process::Command,
    sync::{Arc, LazyLock},
};
use tempfile::TempDir;

/// The library of `shim/disk.c`, built once in a run.
static SHIM: LazyLock<(TempDir, PathBuf)> = LazyLock::new(|| {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let library = folder.path().join("disk.so");
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/shim/disk.c");
    let built = Command::new("cc")
        .args(["-O1", "-Wall", "-Werror", "-shared", "-fPIC", "-o"])
        .arg(&library)
        .arg(source)
        .args(["-ldl", "-lpthread"])
        .status()
        .expect("cc, which also builds SQLite");
    assert!(built.success(), "the shim does not build");
    (folder, library)
});

/// The disk of one server, with a rule that says which of its calls fail.
pub struct Disk {
    folder: Arc<TempDir>,
    rule: PathBuf,
}

impl Disk {
    pub fn new() -> Self {
        let folder = Arc::new(tempfile::tempdir().expect("a temporary folder"));
        let rule = folder.path().join("disk-rule");
        Self { folder, rule }
    }

    pub fn folder(&self) -> &Arc<TempDir> {
        &self.folder
    }

    /// Sets the rule from now on: `OPERATION FIRST COUNT ERROR [PART OF A PATH]`.
    pub fn fail(&self, rule: &str) {
        // By the new file the shim knows that the rule has changed.
        let draft = self.rule.with_extension("draft");
        std::fs::write(&draft, rule).expect("a rule");
        std::fs::rename(draft, &self.rule).expect("its name");
    }

    pub fn heal(&self) {
        self.fail("none 0 0 EIO");
    }

    pub fn command(&self) -> Command {
        let mut command = Server::command(self.folder.path());
        command.env("LD_PRELOAD", &SHIM.1).env("HOLDFAST_TEST_DISK", &self.rule);
        command
    }

    /// Starts a server on this disk. Returns the log where the server ends instead.
    pub fn try_start(&self) -> Result<Server, String> {
        Server::try_start_command(self.command(), &self.folder, &[])
    }

    pub fn start(&self, arguments: &[&str]) -> Server {
        Server::start_command(self.command(), &self.folder, arguments)
    }
}
