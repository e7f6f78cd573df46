use super::{Faults, Part};
use crate::{
    http::problem::Problem,
    model::{InvalidId, LocationId, ProductId, StockKey},
};
use axum::{
    extract::{FromRequestParts, Path},
    http::request::Parts,
};

/// The product named by the path.
#[derive(Debug)]
pub(in crate::http) struct StockPath {
    product: Result<ProductId, String>,
}

impl<S: Send + Sync> FromRequestParts<S> for StockPath {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let product = segment(parts, state, ProductId::parse).await;
        Ok(Self { product })
    }
}

/// The one variable segment of a path, decoded and parsed.
async fn segment<S: Send + Sync, T>(
    parts: &mut Parts,
    state: &S,
    parse: impl FnOnce(String) -> Result<T, InvalidId>,
) -> Result<T, String> {
    match Path::<String>::from_request_parts(parts, state).await {
        Ok(Path(text)) => parse(text).map_err(|error| error.to_string()),
        Err(_) => Err("must be UTF-8, percent-encoded where needed".to_owned()),
    }
}

/// The reservation that a path names.
#[derive(Debug)]
pub(in crate::http) struct ReservationPath {
    id: Result<String, String>,
}

impl<S: Send + Sync> FromRequestParts<S> for ReservationPath {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let parse = |text: String| LocationId::check(&text).map(|()| text);
        Ok(Self { id: segment(parts, state, parse).await })
    }
}

impl ReservationPath {
    /// The id, after `finish` has told every fault, that of the path among them.
    pub(in crate::http) fn id<T>(
        self,
        finish: impl FnOnce(Faults) -> Result<T, Problem>,
    ) -> Result<(String, T), Problem> {
        let mut faults = Faults::default();
        let fault = |detail| faults.add(Part::Path, "/reservation_id", detail);
        let id = self.id.map_err(fault);
        let finished = finish(faults)?;
        match id {
            Ok(id) => Ok((id, finished)),
            Err(()) => Err(Problem::new("invalid-request", "the reservation's id is not valid")),
        }
    }
}

impl StockPath {
    /// The key of a stock of the product, where the path and everything checked so far is
    /// without fault; `finish` tells the faults of the rest of the request.
    pub(in crate::http) fn key<T>(
        self,
        location_id: LocationId,
        finish: impl FnOnce(Faults) -> Result<T, Problem>,
    ) -> Result<(StockKey, T), Problem> {
        let mut faults = Faults::default();
        let product = self.product.map_err(|detail| faults.add(Part::Path, "/product_id", detail));
        let finished = finish(faults)?;
        match product {
            Ok(product_id) => Ok((StockKey { product_id, location_id }, finished)),
            Err(()) => Err(Problem::new("invalid-request", "the product id is not valid")),
        }
    }
}
