//! The wall clock is set while the server runs or between two starts. libfaketime provides that
//! clock. The boot clock stays the real one, as it does when the wall clock of a machine is set.

use super::metric;
use crate::{
    harness::{Client, Server, eventually},
    swap::{TOKEN, admin},
};
use serde_json::Value;
use std::{
    fs,
    path::{Path, PathBuf},
    sync::Arc,
};
use tempfile::TempDir;

/// The library where Debian's package libfaketime installs it; `None` where the package is missing.
fn libfaketime() -> Option<PathBuf> {
    let folders = fs::read_dir("/usr/lib").into_iter().flatten().flatten();
    let mut files = folders.map(|folder| folder.path().join("faketime/libfaketime.so.1"));
    let found = files.find(|file| file.exists());
    if found.is_none() {
        assert!(std::env::var_os("CI").is_none(), "libfaketime is missing (Debian: faketime)");
        #[allow(clippy::print_stderr, reason = "a skipped test must be visible")]
        {
            eprintln!("skipped: libfaketime is missing (Debian: faketime)");
        }
    }
    found
}

/// Sets the wall clock of the servers in this folder, as an offset from the true time.
fn set_clock(folder: &Path, offset: &str) {
    let (new, file) = (folder.join("clock.new"), folder.join("clock"));
    fs::write(&new, format!("{offset}\n")).unwrap();
    fs::rename(new, file).unwrap();
}

/// Starts a server whose wall clock is set by [`set_clock`] for its folder.
fn start(library: &Path, folder: &Arc<TempDir>, more: &[&str]) -> Server {
    let mut command = Server::command(folder.path());
    command
        .env("LD_PRELOAD", library)
        .env("FAKETIME_TIMESTAMP_FILE", folder.path().join("clock"))
        .env("FAKETIME_NO_CACHE", "1")
        .env("FAKETIME_DONT_FAKE_MONOTONIC", "1");
    let arguments = [&["--admin-token", TOKEN, "--sweep-interval-ms", "10"], more].concat();
    Server::start_command(command, folder, &arguments)
}

fn hold(client: &mut Client, id: &str, seconds: u64) {
    let body = format!(
        r#"{{"reservation_id": "{id}", "ttl_seconds": {seconds},
             "lines": [{{"product_id": "a", "quantity": 1}}]}}"#
    );
    let reply = client.post("/v1/reservations", &body);
    assert_eq!(reply.status, 201, "{reply:?}");
}

fn state(client: &mut Client, id: &str) -> Value {
    client.get(&format!("/v1/reservations/{id}")).json()["state"].clone()
}

/// The clock in the answer of `/health/ready`. The server is ready in every status of the clock.
fn clock(client: &mut Client) -> Value {
    let ready = client.get("/health/ready");
    assert_eq!(ready.status, 200, "{ready:?}");
    ready.json()["clock"].clone()
}

fn accept(client: &mut Client) -> Value {
    let (status, answer) = admin(client, "POST", "/v1/admin/clock/accept", b"");
    assert_eq!(status, 200, "{answer}");
    answer
}

#[test]
fn a_clock_that_is_set_back_delays_no_expiry() {
    let Some(library) = libfaketime() else { return };
    let folder = Arc::new(tempfile::tempdir().unwrap());
    set_clock(folder.path(), "+0");
    let server = start(&library, &folder, &[]);
    let mut client = server.client();
    client.stock("a", 10, 0);
    assert_eq!(clock(&mut client)["status"], "following");
    hold(&mut client, "h", 1);
    set_clock(folder.path(), "-2h");
    eventually("the hold expires", || state(&mut client, "h") == "expired");
    let said = clock(&mut client);
    assert_eq!(said["status"], "behind");
    assert!(said["wall_clock_ahead_ms"].as_i64().unwrap() <= -7_190_000, "{said}");
    assert!(metric(&mut client, "holdfast_clock_wall_ahead_seconds") <= -7_190.0);
    assert_eq!(metric(&mut client, "holdfast_clock_following"), 0.0);
    eventually("the clock is logged", || server.log().contains("the wall clock is behind"));
    // The operator confirms the wall clock: time passes slower until both meet.
    let answer = accept(&mut client);
    assert_eq!(answer["before"]["status"], "behind");
    assert_eq!(answer["clock"]["status"], "slowed");
    hold(&mut client, "i", 1);
    eventually("the hold expires", || state(&mut client, "i") == "expired");
    set_clock(folder.path(), "+0");
    eventually("both clocks meet", || clock(&mut client)["status"] == "following");
}

#[test]
fn a_start_with_a_clock_that_is_behind_logs_it_and_goes_on() {
    let Some(library) = libfaketime() else { return };
    let folder = Arc::new(tempfile::tempdir().unwrap());
    // The clock of the first start is in the future.
    set_clock(folder.path(), "+300d");
    let mut server = start(&library, &folder, &[]);
    server.client().stock("a", 10, 0);
    server.signal("-TERM");
    assert!(server.wait().success());
    set_clock(folder.path(), "+0");
    let mut server = start(&library, &folder, &[]);
    let mut client = server.client();
    assert!(server.log().contains("the wall clock is behind"), "{}", server.log());
    assert_eq!(clock(&mut client)["status"], "behind");
    hold(&mut client, "h", 1);
    eventually("the hold expires", || state(&mut client, "h") == "expired");
    server.signal("-TERM");
    assert!(server.wait().success());
    let server = start(&library, &folder, &["--accept-clock"]);
    assert_eq!(clock(&mut server.client())["status"], "slowed");
    let times: Vec<String> = server.client().get("/v1/events").json()["items"]
        .as_array()
        .unwrap()
        .iter()
        .map(|event| event["at"].as_str().unwrap().to_owned())
        .collect();
    assert!(times.len() >= 3 && times.is_sorted(), "{times:?}");
}

#[test]
fn a_clock_that_is_set_far_forward_is_followed_when_an_operator_accepts_it() {
    let Some(library) = libfaketime() else { return };
    let folder = Arc::new(tempfile::tempdir().unwrap());
    set_clock(folder.path(), "+0");
    let server = start(&library, &folder, &[]);
    let mut client = server.client();
    client.stock("a", 10, 0);
    hold(&mut client, "h", 900);
    set_clock(folder.path(), "+2h");
    eventually("the step is noticed", || clock(&mut client)["status"] == "ahead");
    assert_eq!(client.reserve("a", 1).status, 200);
    assert_eq!(state(&mut client, "h"), "held", "nothing expires by a step of the clock");
    assert!(metric(&mut client, "holdfast_clock_wall_ahead_seconds") >= 7_190.0);
    eventually("the clock is logged", || server.log().contains("the wall clock was set forward"));
    let answer = accept(&mut client);
    assert_eq!(answer["before"]["status"], "ahead");
    assert_eq!(answer["clock"]["status"], "following");
    eventually("the hold expires", || state(&mut client, "h") == "expired");
    // A small step is followed at once.
    hold(&mut client, "i", 600);
    set_clock(folder.path(), "+135m");
    eventually("the hold expires", || state(&mut client, "i") == "expired");
    assert_eq!(clock(&mut client)["status"], "following");
}

#[test]
fn the_command_line_shows_and_accepts_the_clock() {
    let server = crate::swap::with_admin(&[]);
    let port = server.port().to_string();
    let folder = tempfile::tempdir().unwrap();
    for (command, member) in [("status", "status"), ("accept", "before")] {
        let arguments = ["clock", command, "--admin-token", TOKEN, "--port", &port];
        let (status, output, errors) = Server::run(folder.path(), &arguments);
        assert!(status.success(), "{errors}");
        let answer: Value = serde_json::from_str(&output).expect("JSON");
        assert!(!answer[member].is_null(), "{answer}");
    }
}
