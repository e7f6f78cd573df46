//! No request waits for the log, and the log is bounded.

use super::{UnreadServer, ended, metric};
use crate::harness::{Client, Server, eventually};
use std::{
    fs::OpenOptions,
    io::{Read, Write},
    process::{Command, Stdio},
};

/// The capacity of a new pipe.
const PIPE_BYTES: usize = 64 * 1024;

/// The bound on a line of the log, with its line end.
const LINE_BYTES_MAX: usize = 4096;

fn full_disk() -> Stdio {
    OpenOptions::new().write(true).open("/dev/full").expect("/dev/full").into()
}

/// A pipe that is already full, and its other end, which stays unread.
fn stalled() -> (std::io::PipeReader, Stdio) {
    let (reader, mut writer) = std::io::pipe().expect("a pipe");
    writer.write_all(&[b'\n'; PIPE_BYTES]).expect("room in the pipe");
    (reader, writer.into())
}

/// Sends requests that are refused, each with a line of the log.
fn bad_requests(client: &mut Client, count: usize) {
    for _ in 0..count {
        assert_eq!(client.get("/v1/inventory?limit=none").status, 400);
    }
}

#[test]
fn a_log_on_a_full_disk_stops_no_request() {
    let folder = tempfile::tempdir().unwrap();
    let mut server = UnreadServer::start(folder.path(), full_disk(), &[]);
    let mut client = server.client();
    bad_requests(&mut client, 50);
    client.stock("a", 5, 0);
    assert_eq!(client.reserve("a", 1).status, 200);
    assert!(metric(&mut client, "holdfast_log_lines_lost_total") > 0.0);
    assert_eq!(server.stop().code(), Some(0));
}

#[test]
fn a_log_without_a_reader_stops_no_request() {
    let (reader, writer) = std::io::pipe().unwrap();
    drop(reader);
    let folder = tempfile::tempdir().unwrap();
    let mut server = UnreadServer::start(folder.path(), writer, &[]);
    let mut client = server.client();
    bad_requests(&mut client, 50);
    client.stock("a", 5, 0);
    assert!(metric(&mut client, "holdfast_log_lines_lost_total") > 0.0);
    assert_eq!(server.stop().code(), Some(0));
}

#[test]
fn a_stalled_log_stops_no_request_and_later_counts_the_lost_lines() {
    let (mut reader, errors) = stalled();
    let folder = tempfile::tempdir().unwrap();
    // At this level every request has a line, and repeated lines are not held back.
    let mut server = UnreadServer::start(folder.path(), errors, &["--log-level", "debug"]);
    let mut client = server.client();
    let lost = "holdfast_log_lines_lost_total";
    eventually("the queue of lines is full", || {
        bad_requests(&mut client, 500);
        metric(&mut client, lost) > 0.0
    });
    client.stock("a", 5, 0);
    assert_eq!(client.reserve("a", 1).status, 200);
    let read = std::thread::spawn(move || {
        let mut text = String::new();
        reader.read_to_string(&mut text).expect("text");
        text
    });
    let written = "holdfast_log_lines_written_total";
    eventually("the log is written again", || metric(&mut client, written) > 1_000.0);
    assert_eq!(server.stop().code(), Some(0));
    let text = read.join().unwrap();
    assert!(text.contains("lines of the log were lost"), "{}", &text[text.len() - 2_000..]);
    let lines = text.lines().filter(|line| !line.is_empty());
    for line in lines {
        assert!(serde_json::from_str::<serde_json::Value>(line).is_ok(), "{line}");
    }
}

#[test]
fn a_log_that_stays_stalled_does_not_keep_the_server_from_stopping() {
    let (_reader, errors) = stalled();
    let folder = tempfile::tempdir().unwrap();
    let mut server = UnreadServer::start(folder.path(), errors, &[]);
    bad_requests(&mut server.client(), 50);
    assert_eq!(server.stop().code(), Some(0));
}

#[test]
fn a_program_that_cannot_write_its_error_still_exits_with_a_failure() {
    let folder = tempfile::tempdir().unwrap();
    let mut readers = Vec::new();
    for (argument, code) in [("--port=65536", 2), ("--queue-commands-max=0", 1)] {
        let (reader, stalled) = stalled();
        readers.push(reader);
        for errors in [full_disk(), stalled] {
            let mut command = Server::command(folder.path());
            let process = command.arg(argument).stdout(Stdio::null()).stderr(errors).spawn();
            assert_eq!(ended(&mut process.unwrap()).code(), Some(code), "{argument}");
        }
    }
    let mut command = Server::command(folder.path());
    let (status, _, errors) = {
        command.arg("openapi").stdout(full_disk()).stderr(Stdio::piped());
        let output = command.output().unwrap();
        (output.status, (), String::from_utf8(output.stderr).unwrap())
    };
    assert_eq!(status.code(), Some(1), "{errors}");
    assert!(errors.contains("standard output"), "{errors}");
}

#[test]
fn a_repeated_line_is_logged_a_bounded_number_of_times_and_counted() {
    let mut server = Server::start();
    let mut client = server.client();
    bad_requests(&mut client, 500);
    let held_back = metric(&mut client, "holdfast_log_lines_held_back_total");
    // On a busy machine the requests may take longer than one period.
    assert!(held_back >= 300.0, "{held_back} of 500 lines were held back");
    // A line of another kind is still written.
    assert_eq!(client.call("POST", "/v1/inventory", "").status, 405);
    server.signal("-TERM");
    assert!(server.wait().success());
    eventually("the log is read", || server.log().contains("\"stopped\""));
    let log = server.log();
    let logged = log.lines().filter(|line| line.contains("invalid-request")).count();
    assert!((1..=200).contains(&logged), "{logged} lines");
    assert!(log.contains("method-not-allowed"), "{log}");
    let counted: u64 = log
        .lines()
        .filter_map(|line| serde_json::from_str::<serde_json::Value>(line).ok())
        .filter(|line| line["message"] == "more lines like this were not logged")
        .filter(|line| line["like"] == "request: invalid-request")
        .map(|line| line["lines"].as_u64().unwrap())
        .sum();
    assert_eq!(counted as f64, held_back, "{log}");
}

#[test]
fn a_long_line_is_cut_and_says_so() {
    let server = Server::start();
    let mut client = server.client();
    let path = format!("/v1/inventory?prefix={}", "x".repeat(30_000));
    assert_eq!(client.get(&path).status, 400);
    eventually("the request is logged", || server.log().contains("invalid-request"));
    let log = server.log();
    let line = log.lines().find(|line| line.contains("invalid-request")).unwrap();
    assert!(line.len() < LINE_BYTES_MAX, "{} bytes", line.len());
    let line: serde_json::Value = serde_json::from_str(line).expect("still JSON");
    assert_eq!(line["status"], 400);
    let target = line["request_target"].as_str().unwrap();
    assert!(target.starts_with("/v1/inventory?prefix=xxx"), "{target}");
    assert!(target.ends_with("bytes more]"), "{target}");
}

#[test]
#[ignore = "the next test runs it in a process of its own"]
fn child_that_panics() {
    use holdfast::logging::{Style, start};
    let log = start("info".parse().unwrap(), Style::Json).unwrap();
    let panicked = std::thread::Builder::new().name("unlucky".into()).spawn(|| panic!("told you"));
    assert!(panicked.unwrap().join().is_err());
    drop(log);
}

#[test]
fn a_panic_is_a_line_of_the_log_and_does_not_block() {
    let child = || {
        let mut child = Command::new(std::env::current_exe().unwrap());
        let test = "environment::log::child_that_panics";
        child.args(["--exact", "--ignored", "--nocapture", test]).stdout(Stdio::null());
        child
    };
    let output = child().stderr(Stdio::piped()).output().unwrap();
    let text = String::from_utf8(output.stderr).unwrap();
    let lines = text.lines().filter_map(|it| serde_json::from_str::<serde_json::Value>(it).ok());
    let lines: Vec<_> = lines.collect();
    assert_eq!(lines.len(), 1, "{text}");
    assert_eq!(lines[0]["message"], "panicked: told you");
    assert_eq!((&lines[0]["thread"], &lines[0]["level"]), (&"unlucky".into(), &"ERROR".into()));
    assert!(lines[0]["place"].as_str().unwrap().contains("log.rs"), "{text}");

    let (_reader, errors) = stalled();
    assert!(ended(&mut child().stderr(errors).spawn().unwrap()).success());
}
