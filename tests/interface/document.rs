//! Compares the OpenAPI document with the accepted one in docs/, so that a diff shows each change
//! of the interface.

use std::{fs, path::Path};

/// Where this variable is set, the test accepts the current document.
const ACCEPT: &str = "ACCEPT";

#[test]
fn the_document_is_the_one_that_was_accepted() {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/openapi.json");
    let mut document = holdfast::http::document().unwrap();
    document.push('\n');
    if std::env::var_os(ACCEPT).is_some() {
        fs::write(&file, &document).unwrap();
    }
    let accepted = fs::read_to_string(&file).unwrap_or_default();
    if accepted == document {
        return;
    }
    let lines = accepted.lines().zip(document.lines());
    let same = lines.take_while(|(before, after)| before == after).count();
    let line = |text: &str| text.lines().nth(same).unwrap_or("(the end)").to_owned();
    panic!(
        "docs/openapi.json is not what the server would serve. First difference in line {}:\n\
         - {}\n+ {}\n\
         To accept the new document: {ACCEPT}=1 cargo test -p holdfast --test holdfast \
         interface::document",
        same + 1,
        line(&accepted),
        line(&document),
    );
}
