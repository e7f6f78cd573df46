use super::{Faults, Part};
use crate::{
    http::{problem::Problem, time},
    model::{LocationId, ProductId, Timestamp},
};
use axum::{extract::FromRequestParts, http::request::Parts};

/// The parameters of a query string, each to be asked for by name; as with a body, unknown
/// and repeated ones are refused, since a misspelt filter would answer another question.
#[derive(Default, Debug)]
pub(in crate::http) struct Params {
    given: Vec<(String, String)>,
    faults: Faults,
}

impl<S: Sync> FromRequestParts<S> for Params {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        Ok(Self::parse(parts.uri.query()))
    }
}

impl Params {
    pub(in crate::http) fn parse(query: Option<&str>) -> Self {
        let Some(query) = query.filter(|query| !query.is_empty()) else { return Self::default() };
        match serde_urlencoded::from_str(query) {
            Ok(given) => Self { given, faults: Faults::default() },
            Err(error) => {
                let mut faults = Faults::default();
                faults.add(Part::Query, "", error);
                Self { given: Vec::new(), faults }
            }
        }
    }

    pub(in crate::http) fn take(&mut self, name: &str) -> Option<String> {
        let mut found = None;
        let mut repeated = false;
        self.given.retain_mut(|(given, value)| {
            if given != name {
                return true;
            }
            repeated |= found.is_some();
            found = Some(std::mem::take(value));
            false
        });
        if repeated {
            self.fault(name, "is given more than once");
        }
        found
    }

    pub(in crate::http) fn fault(&mut self, name: &str, detail: impl ToString) {
        self.faults.add(Part::Query, &format!("/{name}"), detail);
    }

    /// One of a few words; the first is the default.
    pub(in crate::http) fn choice<T: Copy>(
        &mut self,
        name: &str,
        choices: &[(&str, T)],
    ) -> Option<T> {
        let Some(given) = self.take(name) else { return choices.first().map(|choice| choice.1) };
        let found = choices.iter().find(|(word, _)| *word == given);
        if found.is_none() {
            let words: Vec<_> = choices.iter().map(|(word, _)| *word).collect();
            self.fault(name, format!("must be {}, is {given:?}", words.join(" or ")));
        }
        found.map(|(_, value)| *value)
    }

    /// One of some words, if it is given.
    pub(in crate::http) fn optional_choice<T: Copy>(
        &mut self,
        name: &str,
        choices: &[(&str, T)],
    ) -> Option<T> {
        if !self.given.iter().any(|(given, _)| given == name) {
            return None;
        }
        self.choice(name, choices)
    }

    /// A number, if it is given.
    pub(in crate::http) fn number(&mut self, name: &str) -> Option<u64> {
        let given = self.take(name)?;
        let number = given.parse().ok();
        if number.is_none() {
            self.fault(name, format!("must be an integer of at least 0, is {given:?}"));
        }
        number
    }

    pub(in crate::http) fn flag(&mut self, name: &str) -> Option<bool> {
        self.optional_choice(name, &[("true", true), ("false", false)])
    }

    /// How many items a page may have.
    pub(in crate::http) fn limit(&mut self, default: u32, most: u32) -> u32 {
        let Some(given) = self.take("limit") else { return default };
        match given.parse() {
            Ok(limit) if (1..=most).contains(&limit) => limit,
            _ => {
                self.fault("limit", format!("must be an integer from 1 to {most}, is {given:?}"));
                default
            }
        }
    }

    pub(in crate::http) fn optional_location(&mut self) -> Option<LocationId> {
        let given = self.take("location_id")?;
        LocationId::parse(given).map_err(|error| self.fault("location_id", error)).ok()
    }

    /// `location_id`, or the default location.
    /// `product_id`, where it is given.
    pub(in crate::http) fn product(&mut self) -> Option<ProductId> {
        let given = self.take("product_id")?;
        ProductId::parse(given).map_err(|error| self.fault("product_id", error)).ok()
    }

    /// A time, where it is given.
    pub(in crate::http) fn time(&mut self, name: &str) -> Option<Timestamp> {
        let given = self.take(name)?;
        time::parse(&given).map_err(|detail| self.fault(name, detail)).ok()
    }

    pub(in crate::http) fn location(&mut self) -> LocationId {
        self.optional_location().unwrap_or_default()
    }

    /// Where the page begins.
    pub(in crate::http) fn cursor<T>(
        &mut self,
        decode: impl FnOnce(&str) -> Result<T, &'static str>,
    ) -> Option<T> {
        let given = self.take("cursor")?;
        decode(&given).map_err(|detail| self.fault("cursor", detail)).ok()
    }

    /// The faults of the query, those of unknown parameters among them.
    pub(in crate::http) fn into_faults(mut self) -> Faults {
        for (name, _) in std::mem::take(&mut self.given) {
            self.fault(&name, "is not a parameter of this route");
        }
        self.faults
    }

    /// Refuses whatever was not asked for, and tells every fault, those of `others` too.
    pub(in crate::http) fn finish(self, mut others: Faults) -> Result<(), Problem> {
        others.join(self.into_faults());
        others.none()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parameters_are_decoded_and_must_be_known() {
        let mut params = Params::parse(Some("location_id=n%2F1&limit=7&low_stock=true"));
        assert_eq!(params.location().as_str(), "n/1");
        assert_eq!(params.limit(100, 500), 7);
        assert_eq!(params.flag("low_stock"), Some(true));
        assert!(params.finish(Faults::default()).is_ok());
        assert!(Params::parse(Some("locaton_id=x")).finish(Faults::default()).is_err());
    }

    #[test]
    fn limits_and_flags_are_checked() {
        for bad in ["limit=0", "limit=501", "limit=-1", "limit=1.5", "limit=", "limit=1&limit=2"] {
            let mut params = Params::parse(Some(bad));
            params.limit(100, 500);
            assert!(params.finish(Faults::default()).is_err(), "{bad}");
        }
        for bad in ["low_stock=", "low_stock=1", "low_stock=TRUE"] {
            let mut params = Params::parse(Some(bad));
            params.flag("low_stock");
            assert!(params.finish(Faults::default()).is_err(), "{bad}");
        }
    }

    #[test]
    fn nothing_given_is_the_default() {
        let mut params = Params::parse(None);
        assert_eq!(params.location().as_str(), "default");
        assert_eq!(params.limit(100, 500), 100);
        assert_eq!(params.flag("low_stock"), None);
        assert!(params.finish(Faults::default()).is_ok());
    }
}
