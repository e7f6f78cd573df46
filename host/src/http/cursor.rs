//! Cursors: the position of the next page, as an opaque text that the client sends back unchanged.

use super::body::leaf;
use crate::model::{DeficitPosition, QUANTITY_MAX, StockKey};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};

/// The violation of a cursor that is invalid.
pub(super) const INVALID: &str = "is not a cursor of this list";

/// The separator of the parts of a cursor. No id contains it.
const SEPARATOR: char = ' ';

/// The first part of a cursor, which differs from list to list, so that one list refuses the cursor
/// of another.
const STOCKS: &str = "s";
const DEFICITS: &str = "d";
const LEDGER: &str = "l";
const EVENTS: &str = "e";
const RESERVATIONS: &str = "r";

fn encode(kind: &str, parts: &[&str]) -> String {
    let text: Vec<_> = std::iter::once(kind).chain(parts.iter().copied()).collect();
    URL_SAFE_NO_PAD.encode(text.join(&SEPARATOR.to_string()))
}

fn decode<const N: usize>(kind: &str, cursor: &str) -> Result<[String; N], &'static str> {
    let bytes = URL_SAFE_NO_PAD.decode(cursor).map_err(|_| INVALID)?;
    let text = String::from_utf8(bytes).map_err(|_| INVALID)?;
    let mut parts = text.split(SEPARATOR);
    if parts.next() != Some(kind) {
        return Err(INVALID);
    }
    let parts: Vec<_> = parts.map(str::to_owned).collect();
    parts.try_into().map_err(|_| INVALID)
}

fn key([product_id, location_id]: [String; 2]) -> Result<StockKey, &'static str> {
    StockKey::parse(product_id, location_id).map_err(|_| INVALID)
}

pub(super) fn of_stocks(next: &StockKey) -> String {
    encode(STOCKS, &[next.product_id.as_str(), next.location_id.as_str()])
}

pub(super) fn to_stocks(cursor: &str) -> Result<StockKey, &'static str> {
    decode(STOCKS, cursor).and_then(key)
}

pub(super) fn of_deficits(next: &DeficitPosition) -> String {
    let key = &next.key;
    let deficit = next.deficit.to_string();
    encode(DEFICITS, &[&deficit, key.product_id.as_str(), key.location_id.as_str()])
}

pub(super) fn to_deficits(cursor: &str) -> Result<DeficitPosition, &'static str> {
    let [deficit, product_id, location_id] = decode(DEFICITS, cursor)?;
    let deficit = number(&deficit, QUANTITY_MAX)?;
    Ok(DeficitPosition { deficit, key: key([product_id, location_id])? })
}

pub(super) fn of_ledger(next: u64) -> String {
    of_number(LEDGER, next)
}

pub(super) fn to_ledger(cursor: &str) -> Result<u64, &'static str> {
    to_number(LEDGER, cursor)
}

pub(super) fn of_events(next: u64) -> String {
    of_number(EVENTS, next)
}

pub(super) fn to_events(cursor: &str) -> Result<u64, &'static str> {
    to_number(EVENTS, cursor)
}

pub(super) fn of_reservations(next: u64) -> String {
    of_number(RESERVATIONS, next)
}

pub(super) fn to_reservations(cursor: &str) -> Result<u64, &'static str> {
    to_number(RESERVATIONS, cursor)
}

fn of_number(kind: &str, number: u64) -> String {
    encode(kind, &[&number.to_string()])
}

fn to_number(kind: &str, cursor: &str) -> Result<u64, &'static str> {
    let [text] = decode(kind, cursor)?;
    number(&text, i64::MAX.unsigned_abs())
}

/// A number up to `most`, written as the server writes it. A larger one is no position of any list,
/// and the store could not look for it.
fn number(text: &str, most: u64) -> Result<u64, &'static str> {
    let number = text.parse::<u64>().ok().filter(|number| *number <= most);
    number.filter(|number| number.to_string() == text).ok_or(INVALID)
}

/// Declares the cursors of lists as query parameters.
macro_rules! cursor {
    ($($(#[$doc:meta])* $name:ident($position:ty) by $decode:path;)+) => {
        $(
            $(#[$doc])*
            #[derive(Clone, Debug)]
            pub(super) struct $name(pub(super) $position);

            leaf! { $name, serde_json::json!({"type": "string", "maxLength": CHARACTERS_MAX});
                |scalar| $decode(&scalar.text()?).map(Self).map_err(str::to_owned)
            }
        )+
    };
}

/// The maximum length of a cursor in the schema; no cursor is as long.
const CHARACTERS_MAX: usize = 512;

cursor! {
    /// The position of a page of stocks.
    StockCursor(StockKey) by to_stocks;
    /// The position of a page of low stocks.
    DeficitCursor(DeficitPosition) by to_deficits;
    /// The position of a page of a stock's ledger.
    LedgerCursor(u64) by to_ledger;
    /// The position of a page of the log.
    EventCursor(u64) by to_events;
    /// The position of a page of reservations.
    ReservationCursor(u64) by to_reservations;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cursor_is_decoded_to_its_position() {
        let key = StockKey::parse("a/b=~".into(), "north".into()).unwrap();
        assert_eq!(to_stocks(&of_stocks(&key)), Ok(key.clone()));
        let place = DeficitPosition { deficit: 7, key };
        assert_eq!(to_deficits(&of_deficits(&place)), Ok(place));
        assert_eq!(to_ledger(&of_ledger(99)), Ok(99));
    }

    #[test]
    fn any_other_text_is_refused() {
        for bad in ["", "!", "AAAA", "cyBh", &of_ledger(3), &"A".repeat(10_000)] {
            assert!(to_stocks(bad).is_err(), "{bad}");
        }
        assert!(to_ledger(&encode(LEDGER, &["-1"])).is_err());
        assert!(to_ledger(&encode(LEDGER, &["1", "2"])).is_err());
        for bad in ["01", "+1", "9223372036854775808", "18446744073709551615"] {
            assert!(to_ledger(&encode(LEDGER, &[bad])).is_err(), "{bad}");
            assert!(to_events(&encode(EVENTS, &[bad])).is_err(), "{bad}");
            assert!(to_deficits(&encode(DEFICITS, &[bad, "a", "b"])).is_err(), "{bad}");
        }
        assert_eq!(to_events(&of_events(i64::MAX.unsigned_abs())), Ok(i64::MAX.unsigned_abs()));
    }
}
