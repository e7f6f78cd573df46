use super::command::ActionBody;
use crate::model::{Action, LineRequest, LocationId, ProductId, StockKey};

/// A command of each kind.
fn actions() -> [Action; 12] {
    let key = StockKey::parse("a".to_owned(), "north".to_owned()).unwrap();
    let (id, quantity, lines) =
        (|| "r".to_owned(), 3, vec![LineRequest { key: key.clone(), quantity: 3 }]);
    let (from, to) = (LocationId::default(), key.location_id.clone());
    let product_id = ProductId::parse("a".to_owned()).unwrap();
    [
        Action::AdjustSet { key: key.clone(), total: 3, minimum: None },
        Action::AdjustBy { key: key.clone(), delta: -3 },
        Action::Reserve { key: key.clone(), quantity },
        Action::Release { key, quantity },
        Action::Transfer { product_id, from, to, quantity },
        Action::Hold { id: id(), lines: lines.clone(), ttl_seconds: None },
        Action::Replace { id: id(), lines: lines.clone() },
        Action::Extend { id: id(), ttl_seconds: 3 },
        Action::Confirm { id: id() },
        Action::Fulfill { id: id(), lines: Some(lines) },
        Action::Cancel { id: id(), lines: None },
        Action::Expire { id: id() },
    ]
}

#[test]
fn the_type_of_a_command_is_its_name() {
    for action in actions() {
        let body = serde_json::to_value(ActionBody::from(&action)).unwrap();
        assert_eq!(body["type"], action.name(), "{body}");
    }
}

/// Every schema that the document refers to is defined, and every object has its members described.
#[test]
fn every_schema_of_the_admin_routes_is_complete() {
    let document: serde_json::Value =
        serde_json::from_str(&crate::http::document().unwrap()).unwrap();
    let schemas = &document["components"]["schemas"];
    let mut left = vec!["ShadowBody", "ReplayBody", "ExplanationBody", "DomainBody", "SwapBody"];
    let mut seen = std::collections::BTreeSet::new();
    while let Some(name) = left.pop() {
        if !seen.insert(name) {
            continue;
        }
        let mut parts = vec![&schemas[name]];
        assert!(parts[0].is_object(), "{name} is in the document");
        while let Some(part) = parts.pop() {
            if let Some(reference) = part["$ref"].as_str() {
                left.push(reference.rsplit('/').next().unwrap());
            }
            let untyped = part["type"] == "object" && part.get("properties").is_none();
            assert!(!untyped, "{name} has an untyped object: {part}");
            match part {
                serde_json::Value::Object(members) => {
                    parts.extend(
                        members.iter().filter(|(name, _)| *name != "example").map(|it| it.1),
                    );
                }
                serde_json::Value::Array(items) => parts.extend(items),
                _ => {}
            }
        }
    }
    assert!(seen.contains("CallBody") && seen.contains("StockEventBody"), "{seen:?}");
}
