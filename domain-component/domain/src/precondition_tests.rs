use super::*;
use alloc::vec;

#[test]
fn each_precondition_holds_in_exactly_its_case() {
    let holds = |precondition: Option<&Precondition>, current| {
        check_precondition(precondition, current).is_ok()
    };
    assert!(holds(None, None) && holds(None, Some(3)));
    assert!(holds(Some(&Precondition::Exists), Some(3)));
    assert!(!holds(Some(&Precondition::Exists), None));
    assert!(holds(Some(&Precondition::Absent), None));
    assert!(!holds(Some(&Precondition::Absent), Some(3)));
    let versions = Precondition::VersionIn(vec![2, 3]);
    assert!(holds(Some(&versions), Some(3)));
    assert!(!holds(Some(&versions), Some(4)));
    assert!(!holds(Some(&versions), None));
    assert!(!holds(Some(&Precondition::VersionIn(vec![])), Some(1)));
}

#[test]
fn a_mismatch_names_the_current_version() {
    assert_eq!(
        check_precondition(Some(&Precondition::Absent), Some(7)),
        Err(Rejection::VersionMismatch { current_version: Some(7) })
    );
}
