use super::*;
use alloc::string::ToString;

fn parse(product_id: &str, location_id: &str) -> Result<StockKey, Vec<&'static str>> {
    StockKey::parse(product_id.to_string(), location_id.to_string())
        .map_err(|invalid| invalid.into_iter().map(|argument| argument.name).collect())
}

#[test]
fn both_ids_of_a_key_are_checked_and_every_invalid_one_is_named() {
    for bad in ["", " ", "a b", "\u{e4}", "tab\t", "\u{7f}", &"x".repeat(129)] {
        assert_eq!(parse(bad, "default"), Err(["product_id"].to_vec()), "{bad}");
        assert_eq!(parse("a", bad), Err(["location_id"].to_vec()), "{bad}");
        assert_eq!(parse(bad, bad), Err(["product_id", "location_id"].to_vec()), "{bad}");
    }
}

#[test]
fn a_key_gives_its_ids_back() {
    let key = parse("SKU-1/red", "north").unwrap();
    assert_eq!((key.product_id(), key.location_id()), ("SKU-1/red", "north"));
    assert_eq!(key.into_ids(), ("SKU-1/red".to_string(), "north".to_string()));
}

#[test]
fn route_words_are_no_product_ids_but_may_be_locations() {
    assert_eq!(parse("low-stock", "default"), Err(["product_id"].to_vec()));
    assert_eq!(parse("query", "default"), Err(["product_id"].to_vec()));
    assert!(parse("Query", "query").is_ok());
    let invalid = StockKey::parse("query".to_string(), "default".to_string()).unwrap_err();
    assert_eq!(invalid[0].message, "query is a reserved word");
}

#[test]
fn ids_are_case_sensitive() {
    assert_ne!(parse("a", "default"), parse("A", "default"));
}
