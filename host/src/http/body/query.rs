//! The parameters of a query string. They have the same types and rules as the members of a body.

use super::{
    object::{self, Object},
    schema::described,
    tree::Tree,
    value::Reader,
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
        let mut schema = property.schema;
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

impl<T: Object> utoipa::IntoParams for Query<T> {
    fn into_params(_: impl Fn() -> Option<ParameterIn>) -> Vec<Parameter> {
        parameters::<T>()
    }
}
