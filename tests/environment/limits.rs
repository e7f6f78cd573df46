//! Limits that the operating system sets on the process.

use super::{UnreadServer, metric};
use crate::harness::{Client, Server, eventually};
use std::{
    fs,
    process::{Command, Stdio},
    sync::Arc,
};

/// A command that starts the program in a shell with these limits.
fn limited(folder: &std::path::Path, limits: &str) -> Command {
    let program = Server::command(folder).get_program().to_owned();
    let mut shell = Command::new("sh");
    shell
        .env_clear()
        .current_dir(folder)
        .env("PATH", std::env::var_os("PATH").unwrap_or_default())
        .env("PORT", "0")
        .env("LOG_FORMAT", "json")
        .args(["-c", &format!("{limits}; exec \"$0\" \"$@\"")])
        .arg(program);
    shell
}

#[test]
fn a_limit_on_the_size_of_files_does_not_end_the_process() {
    let folder = Arc::new(tempfile::tempdir().unwrap());
    let server = Server::start_command(limited(folder.path(), "ulimit -S -f 400"), &folder, &[]);
    let mut client = server.client();
    client.stock("a", 1_000_000, 0);
    let refused = (0..20_000).map(|_| client.reserve("a", 1)).find(|reply| reply.status != 200);
    let refused = refused.expect("the limit was never reached");
    assert_eq!((refused.status, refused.problem().as_str()), (503, "store-unavailable"));
    assert_eq!(client.get("/v1/inventory/a").status, 200, "reads go on");
    let pid = server.pid().to_string();
    let more = Command::new("prlimit").args(["--pid", &pid, "--fsize=unlimited"]).status();
    assert!(more.expect("prlimit (util-linux)").success());
    eventually("the server recovers by itself", || client.reserve("a", 1).status == 200);
}

#[test]
fn a_log_beyond_the_limit_on_the_size_of_files_stops_no_request() {
    let folder = tempfile::tempdir().unwrap();
    let log = fs::File::create(folder.path().join("log")).unwrap();
    // The log file exceeds the limit from the beginning, the database does not.
    log.set_len(1024 * 1024).unwrap();
    let log = fs::OpenOptions::new().append(true).open(folder.path().join("log")).unwrap();
    let mut command = limited(folder.path(), "ulimit -S -f 400");
    let mut server = UnreadServer::start_command(command.stderr(log));
    let mut client = server.client();
    client.stock("a", 5, 0);
    assert!(metric(&mut client, "holdfast_log_lines_lost_total") > 0.0);
    assert_eq!(server.stop().code(), Some(0));
}

/// The soft limit of open files of a process.
fn open_files_max(pid: u32) -> u64 {
    let limits = fs::read_to_string(format!("/proc/{pid}/limits")).unwrap();
    let line = limits.lines().find(|line| line.starts_with("Max open files")).unwrap();
    line.split_whitespace().nth(3).unwrap().parse().unwrap()
}

#[test]
fn the_soft_limit_of_open_files_is_raised_to_the_needed_number() {
    let folder = Arc::new(tempfile::tempdir().unwrap());
    let command = limited(folder.path(), "ulimit -S -n 100");
    let server = Server::start_command(command, &folder, &["--connections-max", "600"]);
    assert!(open_files_max(server.pid()) > 600, "{}", open_files_max(server.pid()));
    assert!(!server.log().contains("open files"), "{}", server.log());
    let clients: Vec<Client> = (0..300).map(|_| server.client()).collect();
    for mut client in clients {
        assert_eq!(client.get("/health/live").status, 200);
    }
}

#[test]
fn a_low_limit_of_open_files_is_logged_and_leaves_the_store_its_files() {
    let folder = Arc::new(tempfile::tempdir().unwrap());
    let mut command = limited(folder.path(), "ulimit -n 200");
    command.stdin(Stdio::null());
    let server = Server::start_command(command, &folder, &["--connections-max", "4096"]);
    let log = server.log();
    let line = log.lines().find(|line| line.contains("open files")).expect(&log);
    for word in ["WARN", "200", "4096", "CONNECTIONS_MAX", "LimitNOFILE"] {
        assert!(line.contains(word), "{word} in {line}");
    }
    let mut client = server.client();
    client.stock("a", 1_000, 0);
    // There are more connections than the process may open files. They wait in the queue of the
    // operating system, which has room for them, and take no file from the store.
    let waiting: Vec<Client> =
        (0..200).filter_map(|_| Client::try_connect(server.port())).collect();
    for _ in 0..50 {
        assert_eq!(client.reserve("a", 1).status, 200);
        assert_eq!(client.get("/v1/inventory/a/events").status, 200);
    }
    assert!(!server.log().contains("could not be accepted"), "{}", server.log());
    drop(waiting);
    eventually("a connection is free again", || {
        Client::try_connect(server.port())
            .is_some_and(|mut it| it.get("/health/ready").status == 200)
    });
}
