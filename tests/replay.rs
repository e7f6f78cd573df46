//! Replays and explanations of recorded commands.

use crate::{
    harness::{
        Server,
        guests::{self, twin},
    },
    swap::{admin, swap, with_admin},
};
use holdfast::component::EMBEDDED;
use serde_json::Value;

const REPLAY: &str = "/v1/admin/domain/replay";

/// A server that has carried out commands of every kind, including rejections, expiries and
/// batches.
fn with_recorded_commands() -> Server {
    let server = with_admin(&["--recorded-commands-max", "10000"]);
    let mut client = server.client();
    for product in ["a", "b", "c"] {
        client.stock(product, 20, 5);
    }
    for round in 0..30 {
        let product = ["a", "b", "c"][round % 3];
        client.reserve(product, 1 + round as u64 % 4);
        let hold = format!(
            r#"{{"reservation_id": "r{round}", "ttl_seconds": {}, "lines":
               [{{"product_id": "a", "quantity": 1}}, {{"product_id": "{product}", "quantity": 2}}]}}"#,
            1 + round % 2
        );
        client.post("/v1/reservations", &hold);
        if round % 4 == 0 {
            client.post(&format!("/v1/reservations/r{round}/confirm"), "");
            client.post(&format!("/v1/reservations/r{round}/fulfill"), "");
        }
        let release = format!("/v1/inventory/{product}/release");
        client.post(&release, r#"{"quantity": 2}"#);
        let adjust = format!("/v1/inventory/{product}/adjust");
        client.post(&adjust, r#"{"delta": 1}"#);
        let batch = format!(
            r#"{{"mode": "{}", "commands": [
               {{"type": "reserve", "product_id": "b", "quantity": 1}},
               {{"type": "reserve", "product_id": "c", "quantity": {round}}}]}}"#,
            if round % 2 == 0 { "atomic" } else { "independent" }
        );
        client.post("/v1/batch", &batch);
        client.post("/v1/inventory/a/reserve?dry_run=true", r#"{"quantity": 1}"#);
    }
    let transfer = r#"{"product_id": "a", "quantity": 2, "from_location_id": "default",
        "to_location_id": "north"}"#;
    client.post("/v1/transfers", transfer);
    crate::harness::eventually("the holds are swept", || {
        let held = client.get("/v1/reservations?state=held").json();
        held["items"].as_array().unwrap().is_empty()
    });
    server
}

fn replayed(server: &Server, candidate: &[u8]) -> Value {
    let (status, report) = admin(&mut server.client(), "POST", REPLAY, candidate);
    assert_eq!(status, 200, "{report}");
    report
}

#[test]
fn a_replay_on_the_same_component_finds_no_difference() {
    let server = with_recorded_commands();
    let report = replayed(&server, &twin(EMBEDDED, "identical"));
    assert!(report["compared"].as_u64().unwrap() > 150, "{report}");
    assert_eq!(report["differing"], 0, "{report:#}");
    let some = admin(&mut server.client(), "POST", &format!("{REPLAY}?from=10&to=20"), EMBEDDED);
    let compared = some.1["compared"].as_u64().unwrap();
    assert!((5..60).contains(&compared), "{compared}");
}

/// For each changed rule: the command that it decides, the decision of the domain, and the decision
/// of the candidate.
const CHANGED: [(u8, &str, &str, &str); 5] = [
    (1, "reserve", "accepted", "insufficient-stock"),
    (2, "release", "release-exceeds-reserved", "accepted"),
    (3, "hold", "accepted", "accepted"),
    (4, "fulfill", "accepted", "accepted"),
    (5, "transfer", "accepted", "accepted"),
];

#[test]
fn a_replay_finds_each_of_five_changed_rules_and_nothing_else() {
    let server = with_recorded_commands();
    assert_eq!(replayed(&server, &guests::altered(0))["differing"], 0);
    for (rule, command, decided, candidate) in CHANGED {
        let report = replayed(&server, &guests::altered(rule));
        let kinds = report["counts"].as_array().unwrap();
        let found = kinds.iter().any(|kind| {
            kind["command"] == command
                && kind["decided"] == decided
                && kind["candidate"] == candidate
        });
        assert!(found, "rule {rule}: {report:#}");
        assert!(kinds.iter().all(|kind| kind["command"] == command), "rule {rule}: {kinds:?}");
    }
}

#[test]
fn a_replay_finds_the_one_command_that_a_component_decides_otherwise() {
    let server = with_recorded_commands();
    let mut client = server.client();
    let body = r#"{"quantity": 1, "reference": "panic"}"#;
    client.post("/v1/inventory/b/adjust", r#"{"delta": 50}"#);
    assert_eq!(client.post("/v1/inventory/b/reserve", body).status, 200);
    let report = replayed(&server, &guests::hostile());
    assert_eq!(report["differing"], 1, "{report:#}");
    assert_eq!(report["counts"][0]["command"], "reserve");
    assert_eq!(report["counts"][0]["decided"], "accepted");
    assert_eq!(report["counts"][0]["candidate"], "fault");
    assert_eq!(report["differences"][0]["command"]["reference"], "panic");
}

#[test]
fn an_explanation_makes_the_decision_again() {
    let server = with_recorded_commands();
    let mut client = server.client();
    // The component that decided these events no longer decides.
    let (_, swapped) = swap(&mut client, &twin(EMBEDDED, "later"));
    let last = swapped["swapped"]["sequence"].as_u64().unwrap() - 1;
    for sequence in [1, 2, last / 2, last] {
        let path = format!("/v1/admin/explain/{sequence}");
        let (status, explained) = admin(&mut client, "GET", &path, b"");
        assert_eq!(status, 200, "{explained}");
        assert_eq!(explained["as_recorded"], true, "{explained:#}");
        let functions: Vec<_> = explained["calls"]
            .as_array()
            .unwrap()
            .iter()
            .map(|call| call["function"].as_str().unwrap())
            .collect();
        assert!(functions.contains(&"publish"), "{functions:?}");
        let events = explained["decided"]["events"].as_array().unwrap();
        assert!(events.contains(&explained["event"]));
        // The log spells the event in the same way, and adds its origin.
        let path = format!("/v1/events?from_sequence={sequence}&limit=1");
        let logged = &client.get(&path).json()["items"][0];
        for (member, value) in explained["event"].as_object().unwrap() {
            assert_eq!(&logged[member], value, "{member} of event {sequence}");
        }
    }
    let swap = format!("/v1/admin/explain/{}", last + 1);
    let (status, problem) = admin(&mut client, "GET", &swap, b"");
    assert_eq!(
        (status, &problem["code"]),
        (404, &"not-recorded".into()),
        "no recorded command has this event"
    );
    for invalid in ["0", "-1", "01", "1.5", "9223372036854775808", "x", "%ff"] {
        let path = format!("/v1/admin/explain/{invalid}");
        let (status, problem) = admin(&mut client, "GET", &path, b"");
        assert_eq!((status, &problem["code"]), (400, &"invalid-request".into()), "{invalid}");
        assert_eq!(problem["errors"][0]["pointer"], "/sequence", "{invalid}");
    }
    let (status, _) = admin(&mut client, "GET", "/v1/admin/explain/9223372036854775807", b"");
    assert_eq!(status, 404, "a number that no event has yet");
}

#[test]
fn the_command_line_replays_and_explains_when_the_server_is_down() {
    let mut server = with_recorded_commands();
    server.signal("-TERM");
    server.wait();
    let folder = server.folder().path().to_owned();
    let (status, output, errors) = Server::run(&folder, &["domain", "replay"]);
    assert!(status.success() && output.contains(" 0 differ"), "{output}{errors}");
    std::fs::write(folder.join("hostile.wasm"), guests::hostile()).unwrap();
    let arguments = ["domain", "replay", "--component", "hostile.wasm", "--from", "5"];
    let (status, output, _) = Server::run(&folder, &arguments);
    assert!(status.success(), "without a reference the component decides correctly: {output}");
    let (status, output, errors) = Server::run(&folder, &["explain", "3"]);
    assert!(status.success() && output.contains("\"as_recorded\": true"), "{output}{errors}");
    let (status, _, errors) = Server::run(&folder, &["explain", "1000000"]);
    assert!(!status.success() && errors.contains("no recorded command has event"), "{errors}");
}

#[test]
fn without_recorded_commands_the_answer_names_the_setting() {
    let server = with_admin(&[]);
    let mut client = server.client();
    client.stock("a", 1, 0);
    let (status, problem) = admin(&mut client, "POST", REPLAY, EMBEDDED);
    assert_eq!((status, &problem["code"]), (404, &"not-recorded".into()));
    assert!(problem["detail"].as_str().unwrap().contains("RECORDED_COMMANDS_MAX"));
}
