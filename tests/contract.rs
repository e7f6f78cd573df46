//! The contract is a product: what was released once is served as it was.
//!
//! `tests/contract/0.1.0` holds the contract as it was frozen, and a component that was built from
//! it. When the contract grows, the copy stays; a new one comes beside it.

use holdfast::{
    admission::{self, Candidate, Until},
    component::{Limits, Runtime},
    conformance::{self, Depth},
};
use std::{collections::BTreeMap, fs, path::Path};

const VERSIONS: [&str; 1] = ["0.1.0"];

fn root() -> std::path::PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// Every file of a contract, without comments and blank lines: those may be improved.
fn contract(folder: &Path) -> BTreeMap<String, String> {
    let files = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let wit = files.filter(|file| file.extension().is_some_and(|ending| ending == "wit"));
    let meaning = |text: String| -> String {
        let lines = text.lines().map(str::trim_end);
        lines
            .filter(|line| !line.is_empty() && !line.trim_start().starts_with("//"))
            .fold(String::new(), |text, line| text + line + "\n")
    };
    wit.map(|file| {
        let name = file.file_name().unwrap().to_str().unwrap().to_owned();
        (name, meaning(fs::read_to_string(file).unwrap()))
    })
    .collect()
}

#[test]
fn the_contract_is_as_it_was_frozen() {
    let (now, version) = (contract(&root().join("wit")), VERSIONS.last().unwrap());
    let package = format!("package holdfast:inventory@{version};");
    assert!(now["world.wit"].contains(&package), "freeze the new version beside the old ones");
    let frozen = contract(&root().join("tests/contract").join(version));
    assert_eq!(now, frozen, "a change to a frozen contract is a new version");
}

#[test]
fn a_component_of_every_frozen_contract_is_served() {
    let runtime = Runtime::new(Limits::default()).unwrap();
    for version in VERSIONS {
        let file = root().join("tests/contract").join(version).join("domain.wasm");
        let bytes = fs::read(file).unwrap();
        let candidate = Candidate { bytes: &bytes, expected: None, until: Until::SelfCheck };
        let admitted = admission::examine(&runtime, None, &candidate, bytes.len())
            .unwrap_or_else(|refusal| panic!("{version}: {refusal}"));
        let findings = conformance::check(&admitted.compiled, Depth::Whole).unwrap();
        let broken: Vec<_> = findings.iter().filter(|it| it.failure.is_some()).collect();
        assert!(broken.is_empty(), "{version}: {broken:?}");
    }
}

/// The frozen component with some bytes written over, and how it is refused.
fn refused(replace: &[(&[u8], &[u8])]) -> String {
    let file = root().join("tests/contract/0.1.0/domain.wasm");
    let mut bytes = fs::read(file).unwrap();
    for (own, other) in replace {
        assert_eq!(own.len(), other.len());
        for place in 0..bytes.len() - own.len() {
            if bytes[place..].starts_with(own) {
                bytes[place..place + other.len()].copy_from_slice(other);
            }
        }
    }
    let runtime = Runtime::new(Limits::default()).unwrap();
    let candidate = Candidate { bytes: &bytes, expected: None, until: Until::SelfCheck };
    let refusal = admission::examine(&runtime, None, &candidate, bytes.len()).err().unwrap();
    refusal.to_string()
}

#[test]
fn a_component_of_another_version_is_refused_by_name() {
    let text = refused(&[(b"@0.1.0", b"@0.9.0")]);
    assert!(text.contains("it imports holdfast:inventory/") && text.contains("@0.9.0"), "{text}");
    assert!(text.contains("this host serves holdfast:inventory/"), "{text}");
    assert!(text.contains("expected is holdfast:inventory/inventory@0.1.0"), "{text}");
}

#[test]
fn a_component_that_differs_in_a_case_a_field_or_a_function_is_told_which() {
    let text = refused(&[(b"\x04flag", b"\x04flog")]);
    assert!(text.contains("(contract)") && text.contains("it lacks the case flag"), "{text}");
    let text = refused(&[(b"\x07due-at", b"\x07dew-at"), (b"\x06due-at", b"\x06dew-at")]);
    assert!(text.contains("it lacks the field due-at"), "{text}");
    let text = refused(&[(b"\x09low-stock", b"\x09low-stack")]);
    assert!(
        text.contains("it does not export holdfast:inventory/inventory@0.1.0 low-stock"),
        "{text}"
    );
}
