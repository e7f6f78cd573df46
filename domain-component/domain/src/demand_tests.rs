use super::*;

fn key(product: &str) -> StockKey {
    StockKey::parse(product.into(), "default".into()).unwrap()
}

#[test]
fn a_stock_that_is_named_twice_counts_as_its_sum_where_it_was_named_first() {
    let mut demand = Demand::default();
    for (product, units) in [("b", 1), ("a", 2), ("b", 4)] {
        demand.add(&key(product), units);
    }
    let (a, b) = (key("a"), key("b"));
    assert_eq!(demand.iter().collect::<Vec<_>>(), [(&b, 5), (&a, 2)]);
    assert_eq!((demand.of(&a), demand.of(&b), demand.of(&key("c"))), (2, 5, 0));
}

#[test]
fn taking_subtracts_no_more_than_is_left() {
    let mut demand = Demand::default();
    demand.add(&key("a"), 5);
    assert_eq!(demand.take(&key("a"), 3), 3);
    assert_eq!(demand.of(&key("a")), 2);
    assert_eq!(demand.take(&key("a"), 3), 2);
    assert_eq!(demand.take(&key("a"), 3), 0);
    assert_eq!(demand.take(&key("b"), 3), 0);
}
