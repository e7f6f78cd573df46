use super::{Faults, Json, Part, faults::token, receive, work_on};
use crate::{
    http::{App, problem::Problem},
    model::{LineRequest, LocationId, ProductId, QUANTITY_MAX, StockKey},
};
use axum::{
    body::Body,
    extract::{FromRequest, Request},
    http::{HeaderMap, header},
};
use bytes::Bytes;

/// The longest reason or reference, in characters.
pub(in crate::http) const TEXT_CHARACTERS_MAX: usize = 256;

/// The most lines of a reservation, or of a command on one.
const LINES_MAX: usize = 100;

const RESERVATION_ID: &str = "reservation_id";

/// The name of a time to live, how long it is where nobody says, and at most: 31 days.
const TTL: &str = "ttl_seconds";
const TTL_SECONDS: u32 = 900;
const TTL_SECONDS_MAX: u32 = 2_678_400;

/// The members of a JSON object, each to be asked for by name. A member that is at fault
/// gives a default and a fault; whoever asks must call [`JsonBody::finish`] before using
/// anything.
#[derive(Debug)]
pub(in crate::http) struct JsonBody {
    members: Vec<(String, Json)>,
    /// Of the object within the body.
    pointer: String,
    faults: Faults,
}

impl FromRequest<App> for JsonBody {
    type Rejection = Problem;

    async fn from_request(request: Request, app: &App) -> Result<Self, Problem> {
        let (parts, body) = request.into_parts();
        let bytes = Self::receive(&parts.headers, body, app).await?;
        work_on(bytes.len(), move || Self::parse(&bytes)).await?
    }
}

/// JSON, or nothing said.
fn check_media_type(headers: &HeaderMap) -> Result<(), Problem> {
    let Some(value) = headers.get(header::CONTENT_TYPE) else { return Ok(()) };
    let essence = value.to_str().unwrap_or_default().split(';').next().unwrap_or_default().trim();
    let json = essence.eq_ignore_ascii_case("application/json")
        || (essence.len() > 5 && essence.to_ascii_lowercase().ends_with("+json"));
    if json {
        return Ok(());
    }
    let detail = format!("content-type is {essence:?}, expected is application/json");
    Err(Problem::new("unsupported-media-type", detail))
}

/// A problem with one fault in the body.
fn invalid(pointer: &str, detail: &str) -> Problem {
    let mut faults = Faults::default();
    faults.add(Part::Body, pointer, detail);
    match faults.none() {
        Err(problem) => problem,
        Ok(()) => Problem::new("invalid-request", detail),
    }
}

impl JsonBody {
    /// The bytes of a body that may be JSON, within its limits.
    pub(in crate::http) async fn receive(
        headers: &HeaderMap,
        body: Body,
        app: &App,
    ) -> Result<Bytes, Problem> {
        check_media_type(headers)?;
        receive(headers, body, &app.body_limits).await
    }

    pub(in crate::http) fn parse(bytes: &[u8]) -> Result<Self, Problem> {
        if bytes.is_empty() {
            return Err(invalid("", "the body is empty, expected is a JSON object"));
        }
        match serde_json::from_slice(bytes) {
            Ok(Json::Object(members)) => {
                Ok(Self { members, pointer: String::new(), faults: Faults::default() })
            }
            Ok(other) => {
                Err(invalid("", &format!("expected is a JSON object, this is {}", other.kind())))
            }
            Err(error) => Err(invalid("", &format!("this is not JSON: {error}"))),
        }
    }

    /// The member, where it is given once. An explicit null is as good as absent.
    fn take(&mut self, name: &str) -> Option<Json> {
        let mut found = None;
        let mut repeated = false;
        self.members.retain_mut(|(given, value)| {
            if given != name {
                return true;
            }
            repeated |= found.is_some();
            found = Some(std::mem::replace(value, Json::Null));
            false
        });
        if repeated {
            self.fault(name, "is given more than once");
            return None;
        }
        found.filter(|value| *value != Json::Null)
    }

    fn fault(&mut self, name: &str, detail: impl ToString) {
        if !self.faults.lists_more() {
            // A large body can have very many.
            return self.faults.count_one();
        }
        let pointer = format!("{}/{}", self.pointer, token(name));
        self.faults.add(Part::Body, &pointer, detail);
    }

    /// A member that must be there.
    fn require(&mut self, name: &str) -> Option<Json> {
        let faults = self.faults_so_far();
        let value = self.take(name);
        if value.is_none() && self.faults_so_far() == faults {
            self.fault(name, "is required");
        }
        value
    }

    fn faults_so_far(&self) -> usize {
        self.faults.count()
    }

    /// A quantity of at least `least` that must be there.
    pub(in crate::http) fn quantity(&mut self, name: &str, least: u64) -> u64 {
        let value = self.require(name);
        value.map_or(0, |value| self.as_quantity(name, &value, least))
    }

    /// A quantity that may be absent.
    pub(in crate::http) fn optional_quantity(&mut self, name: &str, least: u64) -> Option<u64> {
        let value = self.take(name)?;
        Some(self.as_quantity(name, &value, least))
    }

    fn as_quantity(&mut self, name: &str, value: &Json, least: u64) -> u64 {
        match value {
            Json::Unsigned(units) if (least..=QUANTITY_MAX).contains(units) => *units,
            Json::Unsigned(units) => {
                self.fault(name, format!("must be from {least} to {QUANTITY_MAX}, is {units}"));
                0
            }
            other => {
                let kind = other.kind();
                let wanted = format!("must be an integer from {least} to {QUANTITY_MAX}");
                let detail = match other {
                    Json::Signed(units) => format!("{wanted}, is {units}"),
                    _ => format!("{wanted}, is {kind}"),
                };
                self.fault(name, detail);
                0
            }
        }
    }

    /// A signed change of a quantity other than 0 that must be there.
    pub(in crate::http) fn delta(&mut self, name: &str) -> i64 {
        let Some(value) = self.require(name) else { return 0 };
        let most = i64::try_from(QUANTITY_MAX).unwrap_or(i64::MAX);
        let delta = match &value {
            Json::Unsigned(units) => i64::try_from(*units).ok(),
            Json::Signed(units) => Some(*units),
            _ => None,
        };
        match delta {
            Some(delta) if delta != 0 && (-most..=most).contains(&delta) => delta,
            _ => {
                let kind = value.kind();
                let wanted = format!("must be an integer from -{most} to {most} other than 0");
                let is = match value {
                    Json::Unsigned(units) => units.to_string(),
                    Json::Signed(units) => units.to_string(),
                    _ => kind.to_owned(),
                };
                self.fault(name, format!("{wanted}, is {is}"));
                0
            }
        }
    }

    fn string(&mut self, name: &str) -> Option<String> {
        let value = self.take(name)?;
        self.as_string(name, value)
    }

    fn required_string(&mut self, name: &str) -> Option<String> {
        let value = self.require(name)?;
        self.as_string(name, value)
    }

    fn as_string(&mut self, name: &str, value: Json) -> Option<String> {
        match value {
            Json::String(text) => Some(text),
            other => {
                self.fault(name, format!("must be a string, is {}", other.kind()));
                None
            }
        }
    }

    /// A free text of bounded length.
    pub(in crate::http) fn text(&mut self, name: &str) -> Option<String> {
        let text = self.string(name)?;
        let characters = text.chars().count();
        if characters == 0 || characters > TEXT_CHARACTERS_MAX {
            self.fault(
                name,
                format!("must have 1 to {TEXT_CHARACTERS_MAX} characters, has {characters}"),
            );
            return None;
        }
        if text.chars().any(char::is_control) {
            self.fault(name, "must not contain control characters");
            return None;
        }
        Some(text)
    }

    /// `location_id`, or the default location.
    pub(in crate::http) fn location(&mut self) -> LocationId {
        let Some(text) = self.string("location_id") else { return LocationId::default() };
        LocationId::parse(text).unwrap_or_else(|error| {
            self.fault("location_id", error);
            LocationId::default()
        })
    }

    /// An array of 1 to `most` objects, each read by `read`; nothing where something about it
    /// is at fault.
    fn objects<T>(
        &mut self,
        name: &str,
        value: Json,
        most: usize,
        mut read: impl FnMut(&mut Self) -> Option<T>,
    ) -> Option<Vec<T>> {
        let items = match value {
            Json::Array(items) => items,
            other => {
                self.fault(name, format!("must be an array, is {}", other.kind()));
                return None;
            }
        };
        if items.is_empty() || items.len() > most {
            self.fault(name, format!("must have 1 to {most} items, has {}", items.len()));
            return None;
        }
        let pointer = format!("{}/{}", self.pointer, token(name));
        let mut values = Some(Vec::with_capacity(items.len()));
        for (i, item) in items.into_iter().enumerate() {
            let value = self.object(item, format!("{pointer}/{i}"), &mut read);
            match (&mut values, value) {
                (Some(values), Some(value)) => values.push(value),
                _ => values = None,
            }
        }
        values
    }

    fn object<T>(
        &mut self,
        item: Json,
        pointer: String,
        read: impl FnOnce(&mut Self) -> Option<T>,
    ) -> Option<T> {
        let members = match item {
            Json::Object(members) => members,
            other => {
                let detail = format!("must be an object, is {}", other.kind());
                self.faults.add(Part::Body, &pointer, detail);
                return None;
            }
        };
        let mut object = Self { members, pointer, faults: Faults::default() };
        let value = read(&mut object);
        object.refuse_unknown();
        let sound = object.faults.count() == 0;
        self.faults.join(object.faults);
        value.filter(|_| sound)
    }

    /// A list of keys `{product_id, location_id?}` of bounded length that must be there.
    pub(in crate::http) fn keys(&mut self, name: &str, most: usize) -> Vec<StockKey> {
        let Some(value) = self.require(name) else { return Vec::new() };
        self.objects(name, value, most, Self::key).unwrap_or_default()
    }

    /// `{product_id, location_id?}`.
    pub(in crate::http) fn key(&mut self) -> Option<StockKey> {
        let location_id = self.location();
        Some(StockKey { product_id: self.product()?, location_id })
    }

    fn line(&mut self) -> Option<LineRequest> {
        let (key, quantity) = (self.key(), self.quantity("quantity", 1));
        Some(LineRequest { key: key?, quantity })
    }

    /// The lines of a reservation, which must be there.
    pub(in crate::http) fn lines(&mut self) -> Vec<LineRequest> {
        let Some(value) = self.require("lines") else { return Vec::new() };
        self.objects("lines", value, LINES_MAX, Self::line).unwrap_or_default()
    }

    /// The lines of a reservation, or all of them.
    pub(in crate::http) fn optional_lines(&mut self) -> Option<Vec<LineRequest>> {
        let value = self.take("lines")?;
        Some(self.objects("lines", value, LINES_MAX, Self::line).unwrap_or_default())
    }

    /// A list of objects that must be there, each read by `read`. Longer ones are another
    /// problem than malformed ones.
    pub(in crate::http) fn list<T>(
        &mut self,
        name: &str,
        most: usize,
        read: impl FnMut(&mut Self) -> Option<T>,
    ) -> Result<Vec<T>, usize> {
        let Some(value) = self.require(name) else { return Ok(Vec::new()) };
        match &value {
            Json::Array(items) if items.len() > most => Err(items.len()),
            _ => Ok(self.objects(name, value, most, read).unwrap_or_default()),
        }
    }

    /// One of some words, which must be there.
    pub(in crate::http) fn choice<T: Copy>(
        &mut self,
        name: &str,
        choices: &[(&str, T)],
    ) -> Option<T> {
        let given = self.required_string(name)?;
        let found = choices.iter().find(|(word, _)| *word == given);
        if found.is_none() {
            let words: Vec<_> = choices.iter().map(|(word, _)| *word).collect();
            let given: String = given.chars().take(TEXT_CHARACTERS_MAX).collect();
            self.fault(name, format!("must be {}, is {given:?}", words.join(" or ")));
        }
        found.map(|(_, value)| *value)
    }

    /// A time to live in seconds; an explicit null is none at all.
    pub(in crate::http) fn ttl(&mut self) -> Option<u32> {
        let null = self.members.iter().any(|(name, value)| name == TTL && *value == Json::Null);
        match self.take(TTL) {
            None if null => None,
            None => Some(TTL_SECONDS),
            Some(value) => Some(self.as_ttl(&value)),
        }
    }

    /// A time to live in seconds that must be there.
    pub(in crate::http) fn required_ttl(&mut self) -> u32 {
        let value = self.require(TTL);
        value.map_or(0, |value| self.as_ttl(&value))
    }

    fn as_ttl(&mut self, value: &Json) -> u32 {
        let seconds = match value {
            Json::Unsigned(seconds) => u32::try_from(*seconds).ok(),
            _ => None,
        };
        let within = seconds.filter(|seconds| (1..=TTL_SECONDS_MAX).contains(seconds));
        within.unwrap_or_else(|| {
            let is = match value {
                Json::Unsigned(seconds) => seconds.to_string(),
                Json::Signed(seconds) => seconds.to_string(),
                other => other.kind().to_owned(),
            };
            self.fault(TTL, format!("must be an integer from 1 to {TTL_SECONDS_MAX}, is {is}"));
            0
        })
    }

    /// An id of a reservation.
    pub(in crate::http) fn reservation_id(&mut self) -> Option<String> {
        let id = self.string(RESERVATION_ID)?;
        self.as_reservation_id(id)
    }

    /// An id of a reservation that must be there.
    pub(in crate::http) fn required_reservation_id(&mut self) -> Option<String> {
        let id = self.required_string(RESERVATION_ID)?;
        self.as_reservation_id(id)
    }

    fn as_reservation_id(&mut self, id: String) -> Option<String> {
        match LocationId::check(&id) {
            Ok(()) => Some(id),
            Err(error) => {
                self.fault(RESERVATION_ID, error);
                None
            }
        }
    }

    /// A location by another name than usual, which must be there.
    pub(in crate::http) fn required_location(&mut self, name: &str) -> Option<LocationId> {
        let text = self.required_string(name)?;
        LocationId::parse(text).map_err(|error| self.fault(name, error)).ok()
    }

    /// A version, from 1.
    pub(in crate::http) fn optional_version(&mut self, name: &str) -> Option<u64> {
        match self.take(name)? {
            Json::Unsigned(version) if version >= 1 => Some(version),
            other => {
                self.fault(name, format!("must be an integer of at least 1, is {}", other.kind()));
                None
            }
        }
    }

    /// `product_id`, which must be there.
    pub(in crate::http) fn product(&mut self) -> Option<ProductId> {
        let text = self.required_string("product_id")?;
        ProductId::parse(text).map_err(|error| self.fault("product_id", error)).ok()
    }

    fn refuse_unknown(&mut self) {
        for (name, _) in std::mem::take(&mut self.members) {
            self.fault(&name, "is not a member of this request");
        }
    }

    /// Refuses whatever was not asked for, and tells every fault, those of `others` too.
    pub(in crate::http) fn finish(mut self, mut others: Faults) -> Result<(), Problem> {
        self.refuse_unknown();
        others.join(self.faults);
        others.none()
    }
}

#[cfg(test)]
#[path = "body_tests.rs"]
mod tests;
