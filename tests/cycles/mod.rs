//! No cycles between files: a file that uses a name of another file must not be used by that file,
//! directly or by way of others. A cycle can be understood, tested and moved only as a whole.

mod cycle;
mod graph;
mod module;

use cycle::{cycles, described};
use graph::{Sources, arrows};
use std::{collections::BTreeSet, fs, path::Path};

/// The root file of each crate that the test reads.
const CRATES: [&str; 5] = [
    "host/src/lib.rs",
    "domain-component/src/lib.rs",
    "domain-component/domain/src/lib.rs",
    "domain-component/rule/src/lib.rs",
    "domain-component/runtime/src/lib.rs",
];

/// One file of each cycle that is still allowed. The test fails where an entry is in no cycle any
/// more, so that the list only gets shorter.
const STILL_ALLOWED: &[&str] = &[];

/// Reads every Rust source within a folder. Paths are relative to the root of the project.
fn sources(root: &Path, folder: &Path) -> Sources {
    let mut found = Sources::new();
    for entry in fs::read_dir(folder).expect("a folder") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            found.extend(sources(root, &path));
        } else if path.extension().is_some_and(|ending| ending == "rs") {
            let name = path.strip_prefix(root).expect("a path within the project");
            let text = fs::read_to_string(&path).expect("text");
            found.insert(name.to_str().expect("UTF-8").to_owned(), text);
        }
    }
    found
}

#[test]
fn no_files_use_each_other() {
    let root = fs::canonicalize(Path::new(env!("CARGO_MANIFEST_DIR")).join("..")).unwrap();
    let mut allowed = BTreeSet::<&str>::new();
    let mut refused = String::new();
    for name in CRATES {
        let folder = root.join(name).parent().unwrap().to_owned();
        let arrows = arrows(&sources(&root, &folder), name).unwrap();
        for cycle in cycles(&arrows) {
            let entries = STILL_ALLOWED.iter().filter(|file| cycle.contains(**file));
            let before = allowed.len();
            allowed.extend(entries);
            if allowed.len() == before {
                let files = cycle.len();
                refused += &format!("\na cycle of {files} files:{}", described(&cycle, &arrows));
            }
        }
    }
    assert!(refused.is_empty(), "{refused}");
    let gone: Vec<_> = STILL_ALLOWED.iter().filter(|file| !allowed.contains(*file)).collect();
    assert!(gone.is_empty(), "in no cycle any more, take them out of STILL_ALLOWED: {gone:?}");
}

/// The cycles among sources, which are pairs of a path and a text.
fn found(files: &[(&str, &str)]) -> Vec<Vec<String>> {
    let text = |(path, text): &(&str, &str)| (format!("src/{path}"), (*text).to_owned());
    let arrows = arrows(&files.iter().map(text).collect(), "src/lib.rs").unwrap();
    cycles(&arrows).into_iter().map(|cycle| cycle.into_iter().collect()).collect()
}

#[test]
fn arrows_that_all_point_one_way_are_no_cycle() {
    let files = [
        ("lib.rs", "mod http; mod engine;"),
        ("http/mod.rs", "mod problem; mod list; pub use problem::Problem; pub use list::list;"),
        ("http/problem.rs", "use crate::engine::Failure; pub struct Problem(Failure);"),
        ("http/list.rs", "use super::Problem; pub fn list() -> Problem { Problem::new() }"),
        ("engine.rs", "pub struct Failure; // use crate::http::Problem;"),
    ];
    assert_eq!(found(&files), Vec::<Vec<String>>::new());
}

#[test]
fn two_files_that_import_each_other_are_a_cycle() {
    let files = [
        ("lib.rs", "mod a; mod b;"),
        ("a.rs", "use crate::b::B; pub struct A(B);"),
        ("b.rs", "use super::a::A; pub struct B(Option<Box<A>>);"),
    ];
    assert_eq!(found(&files), [["src/a.rs", "src/b.rs"]]);
}

#[test]
fn a_name_that_mod_rs_offers_leads_to_the_file_that_defines_it() {
    // `mod.rs` is in no cycle, because it offers the names and does not use them.
    let files = [
        ("lib.rs", "mod room; mod outside;"),
        ("room/mod.rs", "mod inner; mod deep; pub(crate) use inner::{Item as Thing, *};"),
        ("room/inner.rs", "pub struct Item; pub fn make() { crate::outside::call(); }"),
        ("room/deep/mod.rs", "pub use super::inner::make as again;"),
        ("outside.rs", "use crate::room::{Thing, deep}; pub fn call() { deep::again(); }"),
    ];
    assert_eq!(found(&files), [["src/outside.rs", "src/room/inner.rs"]]);
    let glob = [
        ("lib.rs", "mod room; mod outside;"),
        ("room/mod.rs", "mod inner; pub use inner::*;"),
        ("room/inner.rs", "pub struct Item; pub fn make() { crate::outside::call(); }"),
        ("outside.rs", "pub fn call() { let _ = crate::room::Item; }"),
    ];
    assert_eq!(found(&glob), [["src/outside.rs", "src/room/inner.rs"]]);
}

#[test]
fn paths_in_bodies_in_macros_and_in_attributes_count() {
    let files = [
        ("lib.rs", "mod router; mod handler; mod body;"),
        ("router.rs", "use crate::handler; pub fn routes() { routes!(handler::list) }"),
        ("handler.rs", "#[doc(body = crate::body::Body)] pub fn list() {}"),
        ("body.rs", "pub struct Body; mod inner { fn all() { super::super::router::routes() } }"),
    ];
    assert_eq!(found(&files), [["src/body.rs", "src/handler.rs", "src/router.rs"]]);
}

#[test]
fn items_defined_in_mod_rs_are_common_to_its_folder_but_not_to_others() {
    let door = "mod inner; pub use inner::Item; pub trait Door { fn item() -> Item; }";
    let within = [
        ("lib.rs", "mod room;"),
        ("room/mod.rs", door),
        ("room/inner.rs", "use super::Door; pub struct Item; impl Door for Item {}"),
    ];
    assert_eq!(found(&within), Vec::<Vec<String>>::new());
    let beyond = [
        ("lib.rs", "mod room; mod other;"),
        ("room/mod.rs", door),
        ("room/inner.rs", "use crate::other::Part; pub struct Item(Part);"),
        ("other.rs", "use crate::room::Door; pub struct Part; fn a(of: impl Door) {}"),
    ];
    assert_eq!(found(&beyond), [["src/other.rs", "src/room/inner.rs", "src/room/mod.rs"]]);
}

#[test]
fn code_that_only_tests_compile_has_no_arrow() {
    let files = [
        ("lib.rs", "mod a; mod b;"),
        ("a.rs", "use crate::b::B; pub struct A(B);"),
        ("b.rs", "pub struct B; #[cfg(test)] mod tests { use crate::a::A; }"),
    ];
    assert_eq!(found(&files), Vec::<Vec<String>>::new());
}
