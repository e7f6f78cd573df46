//! The parameters of a query string. They have the same types and rules as the members of a body.

use super::{
    object::{self, Object},
    schema::described,
    tree::Tree,
    value::{Reader, Schema},
    violations::{Part, Violations},
};
use crate::http::problem::Problem;
use axum::{extract::FromRequestParts, http::request::Parts};
use serde::de::value::{Error, MapDeserializer};
use utoipa::openapi::{
    Required,
    path::{Parameter, ParameterBuilder, ParameterIn},
};

/// The parameters of a request, or the violations in them.
#[derive(Debug)]
pub(in crate::http) struct Query<T> {
    /// The parameters; `None` where one was refused.
    read: Option<T>,
    violations: Violations,
}

impl<T: Object, S: Sync> FromRequestParts<S> for Query<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        let mut violations = Violations::default();
        let read = read(parts.uri.query(), &mut violations);
        Ok(Self { read, violations })
    }
}

impl<T> Query<T> {
    /// Returns the parameters where they are valid, and adds their violations to those of the
    /// request.
    pub(in crate::http) fn take(self, violations: &mut Violations) -> Option<T> {
        violations.join(self.violations);
        self.read
    }

    /// Returns the parameters of a request that has no other part to validate.
    ///
    /// # Errors
    /// A parameter is invalid: the error is the problem that lists all violations.
    pub(in crate::http) fn valid(self) -> Result<T, Problem> {
        let mut violations = Violations::default();
        let read = self.take(&mut violations);
        violations.valid(read)
    }
}

/// Reads the parameters of a query string. Returns `None` where one of them is refused.
pub(in crate::http) fn read<T: Object>(
    query: Option<&str>,
    violations: &mut Violations,
) -> Option<T> {
    let query = query.unwrap_or_default();
    let pairs: Vec<(String, String)> = match serde_urlencoded::from_str(query) {
        Ok(pairs) => pairs,
        Err(error) => {
            violations.add(Part::Query, "", error);
            return None;
        }
    };
    let pairs = pairs.into_iter().map(|(name, text)| (name, Tree::Text(text)));
    let source: MapDeserializer<'_, _, Error> = MapDeserializer::new(pairs);
    // Reading from memory cannot fail: invalid parameters are violations.
    object::read(source, &mut Reader::new(Part::Query, violations)).ok().flatten()
}

/// Returns the descriptions of the parameters for the OpenAPI document.
pub(in crate::http) fn parameters<T: Object>() -> Vec<Parameter> {
    let parameter = |property: super::Property| {
        let mut schema = not_null(property.schema);
        let description = schema.as_object_mut().and_then(|it| it.remove("description"));
        let required = if property.required { Required::True } else { Required::False };
        ParameterBuilder::new()
            .name(property.name)
            .parameter_in(ParameterIn::Query)
            .required(required)
            .description(description.as_ref().and_then(|it| it.as_str()))
            .schema(Some(described(schema)))
            .build()
    };
    T::properties().into_iter().map(parameter).collect()
}

/// The schema without null: a member of a body can be null in place of being absent, but a query
/// string has no null.
fn not_null(mut schema: Schema) -> Schema {
    let Some(members) = schema.as_object_mut() else { return schema };
    let is_null = |value: &Schema| {
        value.is_null() || value == "null" || value.get("type").is_some_and(|kind| kind == "null")
    };
    for name in ["type", "enum", "oneOf"] {
        let Some(choices) = members.get_mut(name).and_then(Schema::as_array_mut) else { continue };
        choices.retain(|choice| !is_null(choice));
        if let ("type" | "oneOf", [choice]) = (name, choices.as_mut_slice()) {
            let choice = choice.take();
            if name == "type" {
                members.insert(name.to_owned(), choice);
            } else if let (Some(_), Schema::Object(choice)) = (members.remove(name), choice) {
                members.extend(choice);
            }
        }
    }
    schema
}

impl<T: Object> utoipa::IntoParams for Query<T> {
    fn into_params(_: impl Fn() -> Option<ParameterIn>) -> Vec<Parameter> {
        parameters::<T>()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_parameter_is_never_null() {
        let text = json!({"type": ["string", "null"], "enum": ["a", null], "maxLength": 1});
        assert_eq!(not_null(text), json!({"type": "string", "enum": ["a"], "maxLength": 1}));
        let choice = json!({"oneOf": [{"type": "null"}, {"$ref": "#/x"}], "description": "d"});
        assert_eq!(not_null(choice), json!({"$ref": "#/x", "description": "d"}));
        let nested = json!({"oneOf": [{"type": "null"}, {"oneOf": [{"type": "integer"}, {"type": "string"}]}]});
        assert_eq!(not_null(nested), json!({"oneOf": [{"type": "integer"}, {"type": "string"}]}));
        let plain = json!({"type": "integer", "minimum": 1});
        assert_eq!(not_null(plain.clone()), plain);
    }
}
