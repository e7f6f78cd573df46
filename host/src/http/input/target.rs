//! The target of a request: the product, the reservation or the event that its path names.

use super::App;
use crate::{
    http::body::{
        EventNumber, Leaf, Object, Part, ReservationId, Scalar, Violations, check_addressable,
        object,
    },
    model::ProductId,
};
use axum::{
    extract::{FromRequestParts, Path},
    http::request::Parts,
};
use std::convert::Infallible;

/// A kind of target. The path of a single request names it; in a batch, a member of the command
/// does.
pub(in crate::http) trait Target: Object + Send + Sync + 'static {
    /// The name of the path's variable segment; `None` where the path has no such segment.
    const SEGMENT: Option<&'static str>;

    /// Makes the target of the text of the path's segment, which is empty where the path has no
    /// such segment.
    ///
    /// # Errors
    /// The segment names no target. The message says why.
    fn parse(segment: String) -> Result<Self, String>;
}

object! {
    /// The product that a request is about.
    pub(in crate::http) struct StockTarget {
        /// The product.
        product_id: ProductId,
    }
}

object! {
    /// The reservation that a request is about.
    pub(in crate::http) struct ReservationTarget {
        /// The reservation.
        reservation_id: ReservationId,
    }
}

object! {
    /// The event that a request is about.
    pub(in crate::http) struct EventTarget {
        /// The number of the event.
        sequence: EventNumber,
    }
}

object! {
    /// The target of a request whose path names none.
    pub(in crate::http) struct NoTarget {}
}

impl Target for StockTarget {
    const SEGMENT: Option<&'static str> = Some("product_id");

    fn parse(segment: String) -> Result<Self, String> {
        check_addressable(&segment)?;
        let product_id = ProductId::parse(segment).map_err(|error| error.to_string())?;
        Ok(Self { product_id })
    }
}

impl Target for ReservationTarget {
    const SEGMENT: Option<&'static str> = Some("reservation_id");

    fn parse(segment: String) -> Result<Self, String> {
        Ok(Self { reservation_id: ReservationId::of(segment)? })
    }
}

impl Target for EventTarget {
    const SEGMENT: Option<&'static str> = Some("sequence");

    fn parse(segment: String) -> Result<Self, String> {
        let sequence = EventNumber::parse(Scalar::Word(segment.into()))?;
        Ok(Self { sequence })
    }
}

impl Target for NoTarget {
    const SEGMENT: Option<&'static str> = None;

    fn parse(_: String) -> Result<Self, String> {
        Ok(Self {})
    }
}

/// The extractor of the target. It never rejects a request, so that a violation in the path can be
/// reported together with those in the other parts.
#[derive(Debug)]
pub(in crate::http) struct InPath<T>(Result<T, String>);

impl<T: Target> FromRequestParts<App> for InPath<T> {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Infallible> {
        if T::SEGMENT.is_none() {
            return Ok(Self(T::parse(String::new())));
        }
        Ok(Self(match Path::<String>::from_request_parts(parts, app).await {
            Ok(Path(segment)) => T::parse(segment),
            Err(_) => Err("must be UTF-8, percent-encoded where needed".to_owned()),
        }))
    }
}

impl<T: Target> InPath<T> {
    /// Returns the target, or adds the violation that the path names none.
    pub(in crate::http) fn take(self, violations: &mut Violations) -> Option<T> {
        let refuse = |detail| {
            let pointer = format!("/{}", T::SEGMENT.unwrap_or_default());
            violations.add(Part::Path, &pointer, detail);
        };
        self.0.map_err(refuse).ok()
    }
}
