//! Builds messages without `core::fmt`, which would add kilobytes to the compiled component.

use alloc::string::String;

/// A part of a message.
pub(crate) enum Part<'a> {
    /// A text as it is.
    Text(&'a str),
    /// A number in decimal digits.
    Count(u64),
    /// A number in decimal digits, with a minus sign where it is negative.
    Signed(i64),
}

/// Joins the parts of a message.
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

/// Appends a number in decimal digits.
fn push_digits(text: &mut String, number: u64) {
    if number >= 10 {
        push_digits(text, number / 10);
    }
    #[allow(clippy::cast_possible_truncation, reason = "the remainder is a single digit")]
    text.push(char::from(b'0' + (number % 10) as u8));
}

#[cfg(test)]
#[path = "text_tests.rs"]
mod tests;
