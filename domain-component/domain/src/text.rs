//! Messages without `core::fmt`, whose padding and number formatting would be kilobytes of
//! the compiled component.

use alloc::string::String;

pub(crate) enum Part<'a> {
    Text(&'a str),
    Count(u64),
    Signed(i64),
}

/// The parts, joined.
pub(crate) fn text(parts: &[Part<'_>]) -> String {
    let mut text = String::new();
    for part in parts {
        match part {
            Part::Text(part) => text.push_str(part),
            Part::Count(number) => push_digits(&mut text, *number),
            Part::Signed(number) => {
                if *number < 0 {
                    text.push('-');
                }
                push_digits(&mut text, number.unsigned_abs());
            }
        }
    }
    text
}

fn push_digits(text: &mut String, number: u64) {
    if number >= 10 {
        push_digits(text, number / 10);
    }
    #[allow(clippy::cast_possible_truncation, reason = "a digit")]
    text.push(char::from(b'0' + (number % 10) as u8));
}

#[cfg(test)]
mod tests {
    use super::{Part::*, *};

    #[test]
    fn numbers_are_written_as_people_write_them() {
        assert_eq!(text(&[Count(0), Text(" "), Count(u64::MAX)]), "0 18446744073709551615");
        assert_eq!(text(&[Signed(i64::MIN), Text(","), Signed(7)]), "-9223372036854775808,7");
        assert_eq!(text(&[]), "");
    }
}
