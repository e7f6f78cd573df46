//! A hostile component, while honest clients send requests.

use crate::{
    harness::{Client, Server, eventually, guests},
    swap::{admin, log, swap, with_admin},
};
use holdfast::model::Digest;

/// Each attack with a part of the log line that must report it.
const ATTACKS: [(&str, &str); 17] = [
    ("endless-loop", "units of fuel"),
    ("memory-bomb", "memory allocation of 1048576 bytes failed"),
    ("panic", "its standard error"),
    ("stack-overflow", "out of bounds memory access"),
    ("deep-recursion", "call stack exhausted"),
    ("giant-strings", "fuel allocated for hostcalls has been exhausted"),
    ("copied-strings", "fuel allocated for hostcalls has been exhausted"),
    ("giant-refusal", "it refused with a message of 1048576 bytes"),
    ("flood-of-events", "more than 32768 events"),
    ("flood-of-calls", "called the host more than"),
    ("flood-of-scans", "scanned more than"),
    ("negative-available", "it broke an invariant"),
    ("broken-sums", "it broke an invariant"),
    ("silent-write", "it broke an invariant"),
    ("other-stock", "it broke an invariant"),
    ("lie", "differs from the state after the command"),
    ("there-is-none", "there is no attack"),
];

fn attack(client: &mut Client, attack: &str) -> crate::harness::Reply {
    let body = format!(r#"{{"quantity": 1, "reference": "{attack}"}}"#);
    client.post("/v1/inventory/a/reserve", &body)
}

/// A server whose component is hostile, and stays whatever the number of its faults.
fn hostile_server(more: &[&str]) -> Server {
    let server = with_admin(&[&["--component-faults-per-minute-max", "0"], more].concat());
    let mut client = server.client();
    client.stock("a", 1_000_000, 0);
    client.stock("b", 5, 0);
    let (status, report) = swap(&mut client, &guests::hostile());
    assert_eq!(status, 200, "the component passes the examination: {report}");
    server
}

#[test]
fn no_attack_affects_another_command() {
    let server = hostile_server(&[]);
    let mut client = server.client();
    for (index, (name, reported)) in ATTACKS.into_iter().enumerate() {
        let reply = attack(&mut client, name);
        assert_eq!((reply.status, reply.problem().as_str()), (500, "domain-fault"), "{name}");
        assert!(!reply.text.contains("xxxx"), "nothing of the component reaches the client");
        eventually(&format!("{name} is reported by {reported:?}: {}", server.log()), || {
            server.log().contains(reported)
        });
        assert_eq!(client.reserve("a", 1).status, 200, "after {name}");
        let stock = client.get("/v1/inventory/a").json();
        assert_eq!(stock["reserved_quantity"], index as u64 + 1, "{name} left no trace");
    }
    assert_eq!(client.get("/v1/inventory/b").json()["total_quantity"], 5);
    assert!(
        !server.log().contains("\nINFO forged"),
        "the text of a guest is within one line of the log"
    );
    let (_, domain) = admin(&mut client, "GET", "/v1/admin/domain", b"");
    assert_eq!(domain["faults"]["total"], ATTACKS.len());
}

#[test]
fn honest_clients_are_served_during_every_attack() {
    let server = hostile_server(&["--component-fuel-per-call", "3000000"]);
    std::thread::scope(|scope| {
        let honest: Vec<_> = (0..8)
            .map(|_| {
                scope.spawn(|| {
                    let mut client = server.client();
                    let well = (0..150).filter(|_| client.reserve("a", 1).status == 200);
                    well.count()
                })
            })
            .collect();
        let mut client = server.client();
        for (name, _) in ATTACKS {
            assert_eq!(attack(&mut client, name).status, 500, "{name}");
        }
        for client in honest {
            assert_eq!(client.join().unwrap(), 150);
        }
    });
    let stock = server.client().get("/v1/inventory/a").json();
    assert_eq!(stock["reserved_quantity"], 8 * 150);
}

#[test]
fn a_component_has_no_access_beyond_its_imports() {
    let server = hostile_server(&[]);
    let reply = attack(&mut server.client(), "look-around");
    assert_eq!(reply.status, 200, "no file, no variable, no argument, no clock: {}", reply.text);
    assert!(!std::path::Path::new("/tmp/holdfast-hostile").exists());
}

#[test]
fn a_replay_and_an_explanation_reveal_state_between_calls() {
    let server = hostile_server(&["--recorded-commands-max", "100"]);
    let mut client = server.client();
    for _ in 0..5 {
        assert_eq!(attack(&mut client, "nondeterminism").status, 200);
    }
    let (_, report) =
        admin(&mut client, "POST", "/v1/admin/domain/replay?from=5", &guests::hostile());
    assert_eq!(report["counts"][0]["command"], "reserve", "{report:#}");
    let last = log(&mut client).len();
    let (_, explained) = admin(&mut client, "GET", &format!("/v1/admin/explain/{last}"), b"");
    assert_eq!(explained["as_recorded"], false);
}

#[test]
fn too_many_faults_roll_back_to_the_previous_component_and_say_so() {
    let server = with_admin(&["--component-faults-per-minute-max", "3"]);
    let mut client = server.client();
    client.stock("a", 1_000, 0);
    let before = client.get("/health/ready").json()["component"].clone();
    assert_eq!(swap(&mut client, &guests::hostile()).0, 200);
    for _ in 0..3 {
        assert_eq!(attack(&mut client, "panic").status, 500);
    }
    eventually("the previous component is back", || {
        client.get("/health/ready").json()["component"] == before
    });
    let ready = client.get("/health/ready");
    assert_eq!(
        (ready.status, &ready.json()["rolled_back_for"]),
        (200, &"3 faults within a minute".into())
    );
    assert!(client.get("/metrics").text.contains("holdfast_domain_rolled_back 1\n"));
    let last = log(&mut client).pop().unwrap();
    assert_eq!(last["type"], "DomainRolledBack");
    assert_eq!(last["from"]["component"], Digest::of(&guests::hostile()).to_string());
    assert_eq!(
        attack(&mut client, "panic").status,
        200,
        "the previous component ignores the attack"
    );
    assert!(server.log().contains("rolling back"));
}
