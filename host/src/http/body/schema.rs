//! Schemas of bodies and parameters, put together.

use super::value::{Schema, Value};
use serde_json::{Map, json};
use utoipa::openapi::RefOr;

/// A member of an object, for the document.
pub(in crate::http) struct Property {
    /// The name.
    pub(in crate::http) name: &'static str,
    /// Whether the member has to be there.
    pub(in crate::http) required: bool,
    /// What the member can be, its description included.
    pub(in crate::http) schema: Schema,
}

impl Property {
    /// The property of a member with this type and these lines of comment.
    pub(in crate::http) fn of<T: Value>(name: &'static str, comment: &[&str]) -> Self {
        let mut schema = T::schema();
        if let (Some(schema), false) = (schema.as_object_mut(), comment.is_empty()) {
            schema.insert("description".to_owned(), text(comment).into());
        }
        Self { name, required: T::absent().is_none(), schema }
    }
}

/// The text of a comment.
pub(in crate::http) fn text(comment: &[&str]) -> String {
    let lines: Vec<_> = comment.iter().map(|line| line.trim()).collect();
    lines.join("\n")
}

/// The schema of an object that has these members and no others.
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

/// A reference to a named schema.
pub(in crate::http) fn reference(name: &str) -> Schema {
    json!({"$ref": format!("#/components/schemas/{name}")})
}

/// The schema, or null.
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

/// A schema in the document's own type.
pub(in crate::http) fn described(schema: Schema) -> RefOr<utoipa::openapi::Schema> {
    // Schemas are written as constants; the snapshot of the document shows each of them.
    serde_json::from_value(schema).unwrap_or_else(|error| {
        tracing::error!(%error, "a schema cannot be part of the document");
        RefOr::T(utoipa::openapi::Schema::default())
    })
}
