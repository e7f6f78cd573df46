//! Components for the tests, built once in a run and composed as a user would compose them.

use holdfast::component::EMBEDDED;
use std::{
    path::{Path, PathBuf},
    process::Command,
    sync::LazyLock,
};
use wac_graph::{CompositionGraph, EncodeOptions, plug, types::Package};

static FOLDER: LazyLock<PathBuf> = LazyLock::new(build);

/// Builds the Rust guests for wasm32-wasip2.
fn build() -> PathBuf {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let target = root.join("target/guests");
    let mut cargo = Command::new(env!("CARGO"));
    for (name, _) in std::env::vars_os() {
        // Variables that the outer cargo sets for its own build must not leak into this build.
        let own = ["CARGO_HOME", "CARGO_NET_OFFLINE"].iter().any(|keep| name == *keep);
        let foreign = name.to_str().is_some_and(|name| {
            name.starts_with("CARGO") || name.contains("RUSTFLAGS") || name.starts_with("RUSTC")
        });
        if foreign && !own {
            cargo.env_remove(name);
        }
    }
    let status = cargo
        .current_dir(&root)
        .args(["build", "--quiet", "--locked", "--package", "hostile"])
        .args(["--package", "altered", "--package", "per-caller-limit"])
        .args(["--profile", "component"])
        .args(["--target", "wasm32-wasip2", "--target-dir"])
        .arg(&target)
        .status()
        .expect("cargo");
    assert!(status.success(), "the guests of the tests do not build");
    target.join("wasm32-wasip2/component")
}

/// Builds the guests now, unless they are built. On a fresh machine that takes a minute, which is
/// longer than a server keeps an idle connection.
pub fn prepare() {
    LazyLock::force(&FOLDER);
}

/// Composes a rule with the domain behind it.
pub fn composed(rule: &[u8], domain: &[u8]) -> Vec<u8> {
    let mut graph = CompositionGraph::new();
    let package = |name: &str, bytes: &[u8], graph: &mut CompositionGraph| {
        let package = Package::from_bytes(name, None, bytes.to_vec(), graph.types_mut());
        graph.register_package(package.expect("a component")).expect("one of its kind")
    };
    let rule = package("rule", rule, &mut graph);
    let domain = package("domain", domain, &mut graph);
    plug(&mut graph, vec![domain], rule).expect("the rule takes the domain");
    graph.encode(EncodeOptions::default()).expect("a component")
}

fn in_front(file: &str) -> Vec<u8> {
    let rule = std::fs::read(FOLDER.join(file)).expect("a guest that was built");
    composed(&rule, EMBEDDED)
}

/// The standard domain behind a rule that misbehaves on request: a command's reference names the
/// attack.
pub fn hostile() -> Vec<u8> {
    static HOSTILE: LazyLock<Vec<u8>> = LazyLock::new(|| in_front("hostile.wasm"));
    HOSTILE.clone()
}

/// The standard domain with one of five rules changed, by number; 0 changes none.
pub fn altered(rule: u8) -> Vec<u8> {
    static ALTERED: LazyLock<Vec<u8>> = LazyLock::new(|| in_front("altered.wasm"));
    let mut bytes = ALTERED.clone();
    let mark = b"changed-rule-#0";
    let places: Vec<_> =
        bytes.windows(mark.len()).enumerate().filter(|(_, bytes)| bytes == mark).collect();
    let [(place, _)] = places[..] else { panic!("the mark is there {} times", places.len()) };
    bytes[place + mark.len()] = b'0' + rule;
    bytes
}

/// The standard domain behind the limit per caller.
pub fn per_caller_limit() -> Vec<u8> {
    static LIMITED: LazyLock<Vec<u8>> = LazyLock::new(|| in_front("per_caller_limit.wasm"));
    LIMITED.clone()
}

/// A component with the same behaviour and another digest: it has one more custom section, `name`.
pub fn twin(component: &[u8], name: &str) -> Vec<u8> {
    let mut bytes = component.to_vec();
    let length = |size: usize| u8::try_from(size).expect("a short name");
    // A custom section without content: its id, its size, the length of its name, its name.
    bytes.extend([0, length(name.len() + 1), length(name.len())]);
    bytes.extend(name.as_bytes());
    bytes
}
