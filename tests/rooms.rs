//! Which room may know which other: checks the arrows and the "never knows" of ARCHITECTURE.md by
//! reading the sources.

use std::{
    fs,
    path::{Path, PathBuf},
};

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

fn sources(place: &Path) -> Vec<PathBuf> {
    if place.is_file() {
        return vec![place.to_owned()];
    }
    let entries =
        fs::read_dir(place).unwrap_or_else(|error| panic!("{}: {error}", place.display()));
    let paths = entries.map(|entry| entry.unwrap().path());
    paths
        .flat_map(|path| {
            let source = path.is_dir() || path.extension().is_some_and(|ending| ending == "rs");
            // cargo-component generates this file, and nothing includes it.
            let source = source && !path.ends_with("domain-component/src/bindings.rs");
            if source { sources(&path) } else { Vec::new() }
        })
        .collect()
}

/// Returns the code of a file without its comments, in lower case.
fn code(file: &Path) -> String {
    let text = fs::read_to_string(file).unwrap();
    let lines = text.lines().filter(|line| !line.trim_start().starts_with("//"));
    lines.collect::<Vec<_>>().join("\n").to_lowercase()
}

/// Asserts that no source file under `places` contains any of `words`. Files that end with a path
/// of `except` are left out.
fn never(places: &[&str], words: &[&str], except: &[&str]) {
    for place in places {
        let files = sources(&root().join(place));
        assert!(!files.is_empty(), "{place} is empty");
        for file in files {
            if except.iter().any(|name| file.ends_with(name)) {
                continue;
            }
            let code = code(&file);
            for word in words {
                assert!(!code.contains(word), "{} knows {word:?}", file.display());
            }
        }
    }
}

const HTTP: [&str; 5] = ["axum", "hyper", "statuscode", "crate::http", "utoipa"];
const SQL: [&str; 5] = ["rusqlite", "sqlite", "select ", "insert into", "pragma"];
const WASM: [&str; 2] = ["wasmtime", "bindgen"];
const JSON: [&str; 2] = ["serde_json", "serde::"];

#[test]
fn the_domain_is_pure() {
    let domain = ["domain-component/domain/src"];
    never(
        &domain,
        &[
            "std::",
            "serde",
            "wit_bindgen",
            "async ",
            "unsafe ",
            "instant",
            "systemtime",
            "uuid",
            "rand::",
        ],
        &[],
    );
    let manifest = fs::read_to_string(root().join("domain-component/domain/Cargo.toml")).unwrap();
    let dependencies = manifest.split("[dependencies]").nth(1);
    assert!(dependencies.is_none(), "the domain depends on nothing");
}

#[test]
fn the_component_has_no_rules() {
    let rules = [
        "available() <",
        "> available",
        "quantity::new",
        "is_low(",
        "insufficientstock",
        "checked_",
    ];
    never(
        &["domain-component/src"],
        &rules,
        &["convert/stock.rs", "convert/reservation.rs", "runtime.rs"],
    );
    never(&["domain-component/src"], &SQL, &[]);
    never(&["domain-component/src"], &HTTP, &[]);
}

#[test]
fn http_knows_neither_wasm_nor_sql() {
    never(&["host/src/http"], &WASM, &[]);
    never(&["host/src/http"], &SQL, &[]);
    never(&["host/src/http"], &["crate::component", "unit_of_work", "domain::"], &[]);
}

#[test]
fn the_engine_knows_neither_http_nor_sql_nor_json() {
    let engine = ["host/src/engine"];
    never(&engine, &HTTP, &[]);
    never(&engine, &SQL, &[]);
    never(&engine, &JSON, &[]);
    never(&engine, &WASM, &[]);
}

#[test]
fn the_component_room_knows_neither_http_nor_sql() {
    let component = ["host/src/component"];
    never(&component, &HTTP, &[]);
    never(&component, &SQL, &[]);
    never(&component, &["crate::store", "crate::engine", "unit_of_work"], &[]);
}

#[test]
fn the_store_knows_neither_http_nor_wasm() {
    let store = ["host/src/store"];
    never(&store, &HTTP, &[]);
    never(&store, &WASM, &[]);
    never(&store, &["crate::engine", "crate::component", "unit_of_work"], &[]);
}

#[test]
fn the_unit_of_work_knows_neither_http_nor_sql_nor_wasm() {
    let unit = ["host/src/unit_of_work"];
    never(&unit, &HTTP, &[]);
    never(&unit, &SQL, &[]);
    never(&unit, &WASM, &[]);
    never(&unit, &["crate::engine"], &[]);
}

#[test]
fn the_model_knows_no_room_and_no_serde() {
    let model = ["host/src/model"];
    let rooms =
        ["crate::http", "crate::engine", "crate::component", "crate::store", "unit_of_work"];
    never(&model, &rooms, &[]);
    never(&model, &["serde", "serialize", "wasmtime", "rusqlite", "axum"], &[]);
}

#[test]
fn comparing_decisions_knows_only_the_model() {
    let rooms =
        ["crate::http", "crate::engine", "crate::component", "crate::store", "unit_of_work"];
    never(&["host/src/comparison"], &rooms, &[]);
    never(&["host/src/comparison"], &["crate::wire", "serde"], &[]);
}

#[test]
fn rendering_events_knows_only_the_model() {
    let wire = ["host/src/wire"];
    never(&wire, &["axum", "hyper", "statuscode"], &[]);
    never(&wire, &SQL, &[]);
    never(&wire, &WASM, &[]);
    let rooms = ["crate::admin", "crate::comparison", "crate::component", "crate::config"];
    never(&wire, &rooms, &[]);
    let rooms = ["crate::engine", "crate::http", "crate::replay", "crate::store", "unit_of_work"];
    never(&wire, &rooms, &[]);
}

#[test]
fn replays_and_operators_tools_know_neither_http_nor_sql_nor_wasm() {
    let places = ["host/src/replay", "host/src/admin"];
    never(&places, &HTTP, &[]);
    never(&places, &["rusqlite", "select ", "insert into", "wasmtime", "bindgen"], &[]);
    never(&["host/src/replay"], &["crate::engine", "sqlite"], &[]);
    // The room that shows a report gives it its form.
    never(&places, &JSON, &[]);
}

#[test]
fn the_log_knows_only_the_metrics_and_no_room_knows_the_log() {
    // The logging room registers its counters with the metrics, and knows no other room.
    for file in sources(&root().join("host/src/logging")) {
        let others = code(&file).replace("crate::metrics", "");
        assert!(!others.contains("crate::"), "{} knows another room", file.display());
    }
    let rooms = [
        "host/src/admin",
        "host/src/app",
        "host/src/component",
        "host/src/engine",
        "host/src/http",
        "host/src/model",
        "host/src/store",
        "host/src/unit_of_work",
    ];
    // The rooms hand their lines to `tracing`. The application registers the metrics of the log.
    never(&rooms, &["logging", "tracing_subscriber", "print!(", "println!("], &["app/mod.rs"]);
}

#[test]
fn the_metrics_know_no_room_and_only_they_know_the_library() {
    never(&["host/src/metrics"], &["crate::"], &[]);
    let entries = fs::read_dir(root().join("host/src")).unwrap();
    let mut rooms = 0;
    for room in entries.map(|entry| entry.unwrap().path()).filter(|room| !room.ends_with("metrics"))
    {
        rooms += 1;
        for file in sources(&room) {
            let known = code(&file).contains("prometheus_client");
            assert!(!known, "{} knows prometheus_client", file.display());
        }
    }
    assert!(rooms > 10, "{rooms} rooms were looked at");
}

#[test]
fn the_conformance_suite_and_admission_know_neither_http_nor_sql_nor_wasm() {
    let places = ["host/src/conformance", "host/src/admission.rs"];
    never(&places, &HTTP, &[]);
    never(&places, &SQL, &[]);
    never(&places, &["wasmtime", "bindgen", "crate::engine"], &[]);
}

#[test]
fn only_the_store_knows_sql_and_only_the_component_room_knows_wasmtime() {
    let others = [
        "host/src/http",
        "host/src/engine",
        "host/src/model",
        "host/src/config",
        "host/src/unit_of_work",
    ];
    never(&others, &["rusqlite", "wasmtime"], &[]);
}

#[test]
fn only_one_file_names_the_store() {
    let source = root().join("host/src");
    let rooms: Vec<_> = sources(&source)
        .into_iter()
        .filter(|file| !file.starts_with(source.join("store")))
        .map(|file| file.strip_prefix(root()).unwrap().to_str().unwrap().to_owned())
        .collect();
    let rooms: Vec<_> = rooms.iter().map(String::as_str).collect();
    never(&rooms, &["sqlite"], &["app/database.rs"]);
}

#[test]
fn the_traits_of_the_store_do_not_know_their_implementation() {
    let traits =
        ["batch", "cached", "idempotency", "lane", "log", "memory", "past", "read", "scans"]
            .map(|name| format!("host/src/store/{name}.rs"));
    never(&traits.each_ref().map(String::as_str), &SQL, &[]);
}

#[test]
fn files_stay_small() {
    for place in ["host/src", "domain-component/src", "domain-component/domain/src", "tests"] {
        for file in sources(&root().join(place)) {
            let lines = fs::read_to_string(&file).unwrap().lines().count();
            assert!(lines <= 600, "{} has {lines} lines", file.display());
        }
    }
}
