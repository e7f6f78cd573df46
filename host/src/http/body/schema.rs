//! The parts that schemas of bodies and parameters are made of.

use super::value::{Schema, Value};
use serde_json::{Map, json};
use utoipa::openapi::RefOr;

/// The description of an object's member for the OpenAPI document.
pub(in crate::http) struct Property {
    /// The member's name.
    pub(in crate::http) name: &'static str,
    /// Whether the member is required.
    pub(in crate::http) required: bool,
    /// The schema of the member's value, with the member's description.
    pub(in crate::http) schema: Schema,
}

impl Property {
    /// Describes a member of the type `T`. `comment` has the lines of its doc comment.
    pub(in crate::http) fn of<T: Value>(name: &'static str, comment: &[&str]) -> Self {
        let mut schema = T::schema();
        if let (Some(schema), false) = (schema.as_object_mut(), comment.is_empty()) {
            schema.insert("description".to_owned(), text(comment).into());
        }
        Self { name, required: T::absent().is_none(), schema }
    }
}

/// Returns the text of a doc comment, given its lines.
pub(in crate::http) fn text(comment: &[&str]) -> String {
    let lines: Vec<_> = comment.iter().map(|line| line.trim()).collect();
    lines.join("\n")
}

/// Returns the schema of an object that has these members and no others. `comment` has the lines of
/// the object's doc comment.
pub(in crate::http) fn object(
    properties: Vec<Property>,
    comment: &[&str],
    example: Option<serde_json::Value>,
) -> Schema {
    let required: Vec<_> = properties.iter().filter(|it| it.required).map(|it| it.name).collect();
    let members = properties.into_iter().map(|it| (it.name.to_owned(), it.schema));
    let mut schema = json!({
        "type": "object",
        "description": text(comment),
        "properties": members.collect::<Map<_, _>>(),
        "additionalProperties": false,
    });
    if let Some(schema) = schema.as_object_mut() {
        if !required.is_empty() {
            schema.insert("required".to_owned(), required.into());
        }
        if let Some(example) = example {
            schema.insert("example".to_owned(), example);
        }
    }
    schema
}

/// Returns a reference to a named schema.
pub(in crate::http) fn reference(name: &str) -> Schema {
    json!({"$ref": format!("#/components/schemas/{name}")})
}

/// Returns a schema that allows null besides the values of `schema`.
pub(super) fn nullable(mut schema: Schema) -> Schema {
    let Some(members) = schema.as_object_mut() else { return schema };
    let Some(kind) = members.get("type").cloned() else {
        return json!({"oneOf": [{"type": "null"}, schema]});
    };
    members.insert("type".to_owned(), json!([kind, "null"]));
    if let Some(words) = members.get_mut("enum").and_then(serde_json::Value::as_array_mut) {
        words.push(serde_json::Value::Null);
    }
    schema
}

/// Converts a schema to the type that utoipa has for it.
pub(in crate::http) fn described(schema: Schema) -> RefOr<utoipa::openapi::Schema> {
    // The schemas are constants, so that this never fails; the snapshot test of the document covers
    // all of them.
    serde_json::from_value(schema).unwrap_or_else(|error| {
        tracing::error!(%error, "a schema cannot be part of the document");
        RefOr::T(utoipa::openapi::Schema::default())
    })
}
