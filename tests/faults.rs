//! The component or the disk fails.

use crate::harness::{Server, eventually};
use std::process::Command;

/// An `If-Match` with so many versions, none of them current, that the component runs out of fuel.
fn exhausting() -> String {
    (5_000..9_000).map(|i| format!("\"{i}\"")).collect::<Vec<_>>().join(",")
}

#[test]
fn a_fault_of_the_component_affects_no_other_command() {
    let server = Server::start_with(&["--component-fuel-per-call", "30000"]);
    server.client().stock("a", 1_000_000, 0);
    std::thread::scope(|scope| {
        for i in 0..8 {
            let server = &server;
            scope.spawn(move || {
                let mut client = server.client();
                for _ in 0..50 {
                    if i % 2 == 0 {
                        assert_eq!(client.reserve("a", 1).status, 200);
                        continue;
                    }
                    let tags = exhausting();
                    let path = "/v1/inventory/a/reserve";
                    let reply =
                        client.with(&[("if-match", &tags)], "POST", path, r#"{"quantity": 1}"#);
                    assert_eq!((reply.status, reply.problem().as_str()), (500, "domain-fault"));
                }
            });
        }
    });
    let stock = server.client().get("/v1/inventory/a").json();
    assert_eq!((&stock["reserved_quantity"], &stock["version"]), (&200.into(), &201.into()));
    assert!(server.log().contains("units of fuel"), "the cause is logged");
    assert_eq!(server.client().get("/health/ready").status, 200);
}

#[test]
fn after_a_fault_in_a_query_the_next_query_is_answered() {
    let server = Server::start_with(&["--component-fuel-per-call", "30000"]);
    let mut client = server.client();
    for i in 0..300 {
        client.stock(&format!("p{i}"), 1, 0);
    }
    let reply = client.get("/v1/inventory?limit=300");
    assert_eq!((reply.status, reply.problem().as_str()), (500, "domain-fault"));
    assert_eq!(client.get("/v1/inventory?limit=3").status, 200);
}

#[test]
fn a_full_disk_makes_the_server_read_only_until_there_is_room() {
    // A limit on the size of files stands in for a full disk.
    let folder = std::sync::Arc::new(tempfile::tempdir().unwrap());
    let program = Server::command(folder.path()).get_program().to_owned();
    let mut shell = Command::new("sh");
    shell
        .env_clear()
        .current_dir(folder.path())
        .env("PATH", std::env::var_os("PATH").unwrap_or_default())
        .env("PORT", "0")
        .args(["-c", "trap '' XFSZ; ulimit -S -f 400; exec \"$0\" \"$@\""])
        .arg(program);
    let server = Server::start_command(shell, &folder, &[]);
    let mut client = server.client();
    client.stock("a", 1_000_000, 0);

    let (mut acknowledged, mut refused) = (0, None);
    for _ in 0..20_000 {
        let reply = client.reserve("a", 1);
        if reply.status != 200 {
            refused = Some(reply);
            break;
        }
        acknowledged += 1;
    }
    let refused = refused.expect("the disk was never full");
    assert_eq!((refused.status, refused.problem().as_str()), (503, "store-unavailable"));
    assert_eq!(refused.header("retry-after"), "1");
    eventually("the server says that it is read-only", || {
        let ready = client.get("/health/ready");
        ready.status == 503 && ready.json()["status"] == "read-only"
    });
    assert_eq!(client.reserve("a", 1).problem(), "read-only");
    let stock = client.get("/v1/inventory/a").json();
    assert_eq!(
        stock["reserved_quantity"], acknowledged,
        "reads go on, and no command is half done"
    );

    let pid = server.pid().to_string();
    let more = Command::new("prlimit").args(["--pid", &pid, "--fsize=unlimited"]).status();
    assert!(more.expect("prlimit (util-linux)").success());
    eventually("the server recovers by itself", || client.get("/health/ready").status == 200);
    assert_eq!(client.reserve("a", 1).status, 200);
    let stock = client.get("/v1/inventory/a").json();
    assert_eq!(stock["reserved_quantity"], acknowledged + 1);
    assert_eq!(stock["version"], acknowledged + 2);
}
