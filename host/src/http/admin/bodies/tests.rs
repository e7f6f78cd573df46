use super::command::ActionBody;
use crate::model::Action;

#[test]
fn the_type_of_a_command_is_its_name() {
    for action in Action::one_of_each() {
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
