use std::fmt;

/// The most characters of an id and of a caller's name.
pub const ID_CHARACTERS_MAX: usize = 128;

/// Words that name routes, and so cannot name products.
const RESERVED_PRODUCT_IDS: [&str; 2] = ["low-stock", "query"];

/// The reason why a text is not an id.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum InvalidId {
    /// The text is empty or too long. The number is its length in characters.
    #[error("must have 1 to {ID_CHARACTERS_MAX} characters, has {0}")]
    Length(usize),
    /// A character is not printable ASCII, or is a space. The number is its index.
    #[error("must be printable ASCII without spaces, character {0} is not")]
    Character(usize),
    /// The text is a word that names a route.
    #[error("{0} is a reserved word")]
    Reserved(String),
}

/// Checks that a text is 1 to 128 printable ASCII characters without spaces, as ids and the names
/// of callers are.
pub(super) fn check(text: &str) -> Result<(), InvalidId> {
    // The common case needs no count of characters. The code after it only finds the reason.
    let bytes = text.as_bytes();
    if (1..=ID_CHARACTERS_MAX).contains(&bytes.len()) && bytes.iter().all(u8::is_ascii_graphic) {
        return Ok(());
    }
    let characters = text.chars().count();
    if characters == 0 || characters > ID_CHARACTERS_MAX {
        return Err(InvalidId::Length(characters));
    }
    match text.chars().position(|character| !character.is_ascii_graphic()) {
        Some(position) => Err(InvalidId::Character(position)),
        None => Ok(()),
    }
}

/// The id of a product.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct ProductId(String);

impl ProductId {
    /// Reads an id.
    ///
    /// # Errors
    /// [`InvalidId`] says which rule the text breaks.
    pub fn parse(text: String) -> Result<Self, InvalidId> {
        check(&text)?;
        if RESERVED_PRODUCT_IDS.contains(&text.as_str()) {
            return Err(InvalidId::Reserved(text));
        }
        Ok(Self(text))
    }

    /// Checks that an id can begin with the text.
    ///
    /// # Errors
    /// [`InvalidId`] says which rule the text breaks.
    pub fn parse_prefix(text: &str) -> Result<(), InvalidId> {
        check(text)
    }

    /// The id as a text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// The id of a location. The default is the location `default`.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct LocationId(String);

impl LocationId {
    /// Reads an id.
    ///
    /// # Errors
    /// [`InvalidId`] says which rule the text breaks.
    pub fn parse(text: String) -> Result<Self, InvalidId> {
        check(&text).map(|()| Self(text))
    }

    /// Checks that the text is an id. The ids of reservations follow the same rule.
    ///
    /// # Errors
    /// [`InvalidId`] says which rule the text breaks.
    pub fn check(text: &str) -> Result<(), InvalidId> {
        check(text)
    }

    /// The id as a text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl Default for LocationId {
    fn default() -> Self {
        Self("default".to_owned())
    }
}

/// The key of a stock: a product at a location.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct StockKey {
    /// The product.
    pub product_id: ProductId,
    /// The location.
    pub location_id: LocationId,
}

impl StockKey {
    /// Reads a key from the ids of a product and of a location.
    ///
    /// # Errors
    /// [`InvalidId`] says which rule one of the texts breaks.
    pub fn parse(product_id: String, location_id: String) -> Result<Self, InvalidId> {
        Ok(Self {
            product_id: ProductId::parse(product_id)?,
            location_id: LocationId::parse(location_id)?,
        })
    }
}

impl fmt::Debug for StockKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}@{}", self.product_id.0, self.location_id.0)
    }
}

impl fmt::Display for StockKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} at {}", self.product_id.0, self.location_id.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_follow_the_rule_of_the_contract() {
        for good in ["a", "~", "SKU/1:red", &"x".repeat(128)] {
            assert!(ProductId::parse(good.to_owned()).is_ok(), "{good}");
        }
        for bad in ["", " ", "a b", "ä", "\u{7f}", "tab\t", &"x".repeat(129), "query", "low-stock"]
        {
            assert!(ProductId::parse(bad.to_owned()).is_err(), "{bad}");
        }
        assert!(LocationId::parse("query".to_owned()).is_ok());
    }

    #[test]
    fn lengths_are_told_in_characters() {
        assert_eq!(ProductId::parse("ä".repeat(200)).err(), Some(InvalidId::Length(200)));
    }
}
