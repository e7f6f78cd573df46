use crate::{
    InvalidArgument,
    text::{
        Part::{Count, Text},
        text,
    },
};
use alloc::{string::String, vec::Vec};
use core::cmp::Ordering;

/// The longest product or location id.
pub const ID_CHARACTERS_MAX: usize = 128;

/// Words that name routes of the REST interface and so cannot name products.
pub const RESERVED_PRODUCT_IDS: [&str; 2] = ["low-stock", "query"];

/// Names one stock: a product at a location.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct StockKey {
    product_id: String,
    location_id: String,
}

impl StockKey {
    /// A key of two valid ids.
    ///
    /// # Errors
    /// Names every id that is not valid, and why.
    pub fn parse(product_id: String, location_id: String) -> Result<Self, Vec<InvalidArgument>> {
        let product = check_id("product_id", &product_id).and_then(|()| {
            if RESERVED_PRODUCT_IDS.contains(&product_id.as_str()) {
                let message = text(&[Text(&product_id), Text(" is a reserved word")]);
                return Err(InvalidArgument::new("product_id", message));
            }
            Ok(())
        });
        let location = check_id("location_id", &location_id);
        if product.is_ok() && location.is_ok() {
            return Ok(Self { product_id, location_id });
        }
        Err([product, location].into_iter().filter_map(Result::err).collect())
    }

    /// What is stocked.
    #[must_use]
    pub fn product_id(&self) -> &str {
        &self.product_id
    }

    /// Where it is stocked.
    #[must_use]
    pub fn location_id(&self) -> &str {
        &self.location_id
    }

    /// Any order, but cheap.
    fn order(&self, other: &Self) -> Ordering {
        order(&self.product_id, &other.product_id)
            .then_with(|| order(&self.location_id, &other.location_id))
    }

    /// Both ids, product first.
    #[must_use]
    pub fn into_ids(self) -> (String, String) {
        (self.product_id, self.location_id)
    }
}

/// An order that is cheap for the component, which compares texts byte by byte otherwise: by length,
/// then by eight bytes at a time.
fn order(a: &str, b: &str) -> Ordering {
    let by_length = a.len().cmp(&b.len());
    if by_length != Ordering::Equal {
        return by_length;
    }
    let (mut a, mut b) = (a.as_bytes(), b.as_bytes());
    while let (Some((first, rest_of_a)), Some((other, rest_of_b))) =
        (a.split_first_chunk::<8>(), b.split_first_chunk::<8>())
    {
        let (first, other) = (u64::from_le_bytes(*first), u64::from_le_bytes(*other));
        if first != other {
            return first.cmp(&other);
        }
        (a, b) = (rest_of_a, rest_of_b);
    }
    a.cmp(b)
}

/// Positions in a list of things with a key, ordered by key: finds a key in logarithmic time.
#[derive(Clone, Default, Debug)]
pub(crate) struct KeyIndex(Vec<usize>);

impl KeyIndex {
    /// The position at which the key stands; where it stands nowhere, the place to
    /// [`KeyIndex::insert`] its position at. `key_at` knows the key at each position.
    pub(crate) fn find<'k>(
        &self,
        key: &StockKey,
        key_at: impl Fn(usize) -> Option<&'k StockKey>,
    ) -> Result<usize, usize> {
        let order = |at: &usize| key_at(*at).map_or(Ordering::Less, |known| known.order(key));
        let place = self.0.binary_search_by(order)?;
        self.0.get(place).copied().ok_or(place)
    }

    pub(crate) fn insert(&mut self, place: usize, position: usize) {
        self.0.insert(place.min(self.0.len()), position);
    }
}

/// Whether there are only printable ASCII characters, and no space: eight at a time.
fn is_printable(mut bytes: &[u8]) -> bool {
    const EACH: u64 = u64::from_le_bytes([1; 8]);
    const HIGH: u64 = EACH * 0x80;
    while let Some((eight, rest)) = bytes.split_first_chunk::<8>() {
        let eight = u64::from_le_bytes(*eight);
        // Where no high bit is set, no sum carries over. Then it is set from '!' on, and behind '~'.
        let ascii = eight & HIGH == 0;
        let from_first = (eight & !HIGH) + EACH * (0x80 - 0x21);
        let behind_last = (eight & !HIGH) + EACH;
        if !ascii || from_first & HIGH != HIGH || behind_last & HIGH != 0 {
            return false;
        }
        bytes = rest;
    }
    bytes.iter().all(u8::is_ascii_graphic)
}

/// Whether a text may be an id: 1 to 128 printable ASCII characters, no space.
///
/// # Errors
/// Says what is wrong with the argument `name`.
pub fn check_id(name: &'static str, id: &str) -> Result<(), InvalidArgument> {
    let length = id.len();
    if (1..=ID_CHARACTERS_MAX).contains(&length) && is_printable(id.as_bytes()) {
        return Ok(());
    }
    let message = if length == 0 || length > ID_CHARACTERS_MAX {
        text(&[Text("must have 1 to 128 characters, has "), Count(length as u64)])
    } else if let Some(position) = id.bytes().position(|byte| !byte.is_ascii_graphic()) {
        text(&[
            Text("must be printable ASCII without spaces, byte "),
            Count(position as u64),
            Text(" is not"),
        ])
    } else {
        return Ok(());
    };
    Err(InvalidArgument::new(name, message))
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::{string::ToString, vec};

    fn parse(product_id: &str, location_id: &str) -> Result<StockKey, Vec<&'static str>> {
        StockKey::parse(product_id.to_string(), location_id.to_string())
            .map_err(|invalid| invalid.into_iter().map(|argument| argument.name).collect())
    }

    #[test]
    fn eight_at_a_time_are_the_same_as_one_at_a_time() {
        for place in 0..17 {
            for byte in 0..=u8::MAX {
                let mut bytes = [b'a'; 17];
                bytes[place] = byte;
                assert_eq!(is_printable(&bytes), byte.is_ascii_graphic(), "{byte} at {place}");
            }
        }
    }

    #[test]
    fn keys_are_found_whatever_their_order() {
        let mut keys: Vec<StockKey> = Vec::new();
        let mut index = KeyIndex::default();
        for length in [1, 7, 8, 9, 16, 17] {
            for place in 0..length {
                for byte in *b"!a~" {
                    let mut id = vec![b'm'; length];
                    id[place] = byte;
                    let id = String::from_utf8(id).unwrap();
                    for (product, location) in [(id.as_str(), "m"), ("m", id.as_str())] {
                        let key = parse(product, location).unwrap();
                        if let Err(at) = index.find(&key, |at| keys.get(at)) {
                            index.insert(at, keys.len());
                            keys.push(key);
                        }
                    }
                }
            }
        }
        for (position, key) in keys.iter().enumerate() {
            assert_eq!(index.find(key, |at| keys.get(at)), Ok(position), "{key:?}");
        }
    }

    #[test]
    fn an_id_is_printable_ascii_of_bounded_length() {
        for good in ["a", "!", "~", "SKU-1/red", &"x".repeat(128)] {
            assert!(parse(good, "default").is_ok(), "{good}");
        }
        for bad in ["", " ", "a b", "ä", "tab\t", "\u{7f}", &"x".repeat(129)] {
            assert_eq!(parse(bad, "default"), Err(["product_id"].to_vec()), "{bad}");
            assert_eq!(parse("a", bad), Err(["location_id"].to_vec()), "{bad}");
        }
    }

    #[test]
    fn every_invalid_id_is_named() {
        assert_eq!(parse("", ""), Err(["product_id", "location_id"].to_vec()));
    }

    #[test]
    fn route_words_are_no_product_ids_but_may_be_locations() {
        assert_eq!(parse("low-stock", "default"), Err(["product_id"].to_vec()));
        assert_eq!(parse("query", "default"), Err(["product_id"].to_vec()));
        assert!(parse("Query", "query").is_ok());
    }

    #[test]
    fn ids_are_case_sensitive() {
        assert_ne!(parse("a", "default"), parse("A", "default"));
    }
}
