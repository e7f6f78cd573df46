//! The syntax of product ids, location ids and reservation ids.

use crate::{
    argument::InvalidArgument,
    text::{
        Part::{Count, Text},
        text,
    },
};

/// The largest number of characters in a product id, location id or reservation id.
pub const ID_CHARACTERS_MAX: usize = 128;

/// Checks that a text is an id: 1 to [`ID_CHARACTERS_MAX`] printable ASCII characters, none of
/// them a space.
///
/// # Errors
/// Returns the argument `name` with the length of the text, or with the position of its first
/// byte that is not allowed.
pub fn check_id(name: &'static str, id: &str) -> Result<(), InvalidArgument> {
    let bytes = id.as_bytes();
    let message = if !(1..=ID_CHARACTERS_MAX).contains(&bytes.len()) {
        text(&[Text("must have 1 to 128 characters, has "), Count(bytes.len() as u64)])
    } else if is_printable(bytes) {
        return Ok(());
    } else {
        let allowed = bytes.iter().take_while(|byte| byte.is_ascii_graphic()).count();
        text(&[
            Text("must be printable ASCII without spaces, byte "),
            Count(allowed as u64),
            Text(" is not"),
        ])
    };
    Err(InvalidArgument::new(name, message))
}

/// Returns whether all bytes are printable ASCII characters other than the space. It looks at
/// eight bytes at a time, because every id of every command passes through here.
fn is_printable(mut bytes: &[u8]) -> bool {
    const EACH: u64 = u64::from_le_bytes([1; 8]);
    const HIGH: u64 = EACH * 0x80;
    while let Some((eight, rest)) = bytes.split_first_chunk::<8>() {
        let eight = u64::from_le_bytes(*eight);
        // Without their high bits, no byte's sum carries into the next byte. The sum sets the high
        // bit of each byte that is at least '!', and of each byte that is greater than '~'.
        let ascii = eight & HIGH == 0;
        let from_first = (eight & !HIGH) + EACH * (0x80 - 0x21);
        let beyond_last = (eight & !HIGH) + EACH;
        if !ascii || from_first & HIGH != HIGH || beyond_last & HIGH != 0 {
            return false;
        }
        bytes = rest;
    }
    bytes.iter().all(u8::is_ascii_graphic)
}

#[cfg(test)]
#[path = "id_tests.rs"]
mod tests;
