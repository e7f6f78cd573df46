//! A component that does not fit the contract is refused with the difference.
//!
//! No version of the contract is frozen yet. From the first frozen version on, a copy of the
//! contract and a component built from it belong here, and the host must serve that component
//! unchanged.

use holdfast::{
    admission::{self, Candidate, Until},
    component::{Limits, Runtime},
};

/// Replaces bytes of the component, and returns the refusal of the changed component.
fn refused(replace: &[(&[u8], &[u8])]) -> String {
    let mut bytes = crate::component::bytes().into_owned();
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
    let text = refused(&[(b"@0.2.0", b"@0.9.0")]);
    assert!(text.contains("it imports holdfast:inventory/") && text.contains("@0.9.0"), "{text}");
    assert!(text.contains("this host serves holdfast:inventory/"), "{text}");
    assert!(text.contains("expected is holdfast:inventory/inventory@0.2.0"), "{text}");
}

#[test]
fn the_refusal_of_a_component_names_the_case_field_or_function_that_differs() {
    let text = refused(&[(b"\x04flag", b"\x04flog")]);
    assert!(text.contains("(contract)") && text.contains("it lacks the case flag"), "{text}");
    let text = refused(&[(b"\x0aupdated-at", b"\x0aupdeted-at")]);
    assert!(text.contains("it lacks the field updated-at"), "{text}");
    let text = refused(&[(b"\x09low-stock", b"\x09low-stack")]);
    assert!(
        text.contains("it does not export holdfast:inventory/inventory@0.2.0 low-stock"),
        "{text}"
    );
}
