use super::{Part::*, *};

#[test]
fn numbers_are_written_as_people_write_them() {
    assert_eq!(text(&[Count(0), Text(" "), Count(u64::MAX)]), "0 18446744073709551615");
    assert_eq!(text(&[Signed(i64::MIN), Text(","), Signed(7)]), "-9223372036854775808,7");
    assert_eq!(text(&[Signed(0), Text(" "), Count(10)]), "0 10");
    assert_eq!(text(&[]), "");
}
