//! Lists: filters, pages, order.

use crate::harness::{Client, Server};

/// Follows `next_cursor` to the end, and `Link` along with it.
fn all(client: &mut Client, path: &str) -> Vec<String> {
    let mut names = Vec::new();
    let mut next = Some(path.to_owned());
    while let Some(path) = next.take() {
        let page = client.get(&path);
        assert_eq!(page.status, 200, "{page:?}");
        let json = page.json();
        for item in json["items"].as_array().unwrap() {
            let (product, location) = (&item["product_id"], &item["location_id"]);
            names.push(format!("{}@{}", product.as_str().unwrap(), location.as_str().unwrap()));
        }
        let link = page.header("link");
        assert_eq!(json["next_cursor"].is_string(), !link.is_empty());
        if let Some((target, relation)) = link.split_once(">; ") {
            assert_eq!(relation, "rel=\"next\"");
            next = Some(target.trim_start_matches('<').to_owned());
        }
    }
    names
}

fn shop() -> (Server, Client) {
    let server = Server::start();
    let mut client = server.client();
    let stocks = [
        ("apple", "default", 10, 0),
        ("apple", "north", 3, 5),
        ("banana", "default", 0, 9),
        ("apricot", "default", 4, 5),
        ("Zebra", "default", 1, 1),
        ("banana", "north", 8, 10),
    ];
    for (product, location, total, minimum) in stocks {
        let body = format!(
            r#"{{"total_quantity": {total}, "minimum_stock_level": {minimum}, "location_id": "{location}"}}"#
        );
        assert_eq!(client.call("PUT", &format!("/v1/inventory/{product}"), &body).status, 201);
    }
    (server, client)
}

#[test]
fn pages_follow_the_keys_by_byte_value_whatever_their_size() {
    let (_server, mut client) = shop();
    let expected = [
        "Zebra@default",
        "apple@default",
        "apple@north",
        "apricot@default",
        "banana@default",
        "banana@north",
    ];
    for limit in [1, 2, 5, 6, 7] {
        assert_eq!(all(&mut client, &format!("/v1/inventory?limit={limit}")), expected, "{limit}");
    }
}

#[test]
fn filters_narrow_the_list() {
    let (_server, mut client) = shop();
    let mut list = |query: &str| all(&mut client, &format!("/v1/inventory?limit=2&{query}"));
    assert_eq!(list("location_id=north"), ["apple@north", "banana@north"]);
    assert_eq!(list("prefix=ap"), ["apple@default", "apple@north", "apricot@default"]);
    assert_eq!(list("prefix=ap&location_id=north"), ["apple@north"]);
    assert_eq!(list("prefix=q"), [""; 0]);
    let low = ["apple@north", "apricot@default", "banana@default", "banana@north"];
    assert_eq!(list("low_stock=true"), low);
    assert_eq!(list("low_stock=false"), ["Zebra@default", "apple@default"]);
    assert_eq!(list("low_stock=true&prefix=b&location_id=north"), ["banana@north"]);
}

#[test]
fn low_stocks_come_with_the_largest_deficit_first() {
    let (_server, mut client) = shop();
    let expected = ["banana@default", "apple@north", "banana@north", "apricot@default"];
    for limit in [1, 2, 3, 4, 100] {
        let path = format!("/v1/inventory/low-stock?limit={limit}");
        assert_eq!(all(&mut client, &path), expected, "{limit}");
    }
    let north = all(&mut client, "/v1/inventory/low-stock?location_id=north&limit=1");
    assert_eq!(north, ["apple@north", "banana@north"]);
    // A stock that is no longer low leaves the list.
    client.call("PUT", "/v1/inventory/banana", r#"{"total_quantity": 9}"#);
    assert_eq!(all(&mut client, "/v1/inventory/low-stock").len(), 3);
}

#[test]
fn a_cursor_of_another_list_is_refused() {
    let (_server, mut client) = shop();
    let stocks = client.get("/v1/inventory?limit=1").json()["next_cursor"].clone();
    let stocks = stocks.as_str().unwrap();
    for path in ["/v1/inventory/low-stock", "/v1/inventory/apple/events"] {
        assert_eq!(
            client.get(&format!("{path}?cursor={stocks}")).pointers(),
            ["/cursor"],
            "{path}"
        );
    }
    assert_eq!(client.get("/v1/inventory?cursor=%00").pointers(), ["/cursor"]);
}

/// Cursors in the form of the server's own, which name places that no log has: number 2^64 - 1.
#[test]
fn a_forged_cursor_is_refused() {
    let server = Server::start();
    let mut client = server.client();
    client.stock("a", 1, 5);
    for (list, cursor) in [
        ("/v1/events", "ZSAxODQ0Njc0NDA3MzcwOTU1MTYxNQ"),
        ("/v1/inventory/a/events", "bCAxODQ0Njc0NDA3MzcwOTU1MTYxNQ"),
        ("/v1/reservations", "ciAxODQ0Njc0NDA3MzcwOTU1MTYxNQ"),
        ("/v1/inventory/low-stock", "ZCAxODQ0Njc0NDA3MzcwOTU1MTYxNSBhIGI"),
    ] {
        let refused = client.get(&format!("{list}?cursor={cursor}"));
        assert_eq!(
            (refused.status, refused.pointers()),
            (400, vec!["/cursor".to_owned()]),
            "{list}"
        );
    }
}
