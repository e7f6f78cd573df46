use super::{Faults, Part};
use crate::{
    http::problem::Problem,
    model::{LocationId, ProductId, StockKey},
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
        let product = match Path::<String>::from_request_parts(parts, state).await {
            Ok(Path(text)) => ProductId::parse(text).map_err(|error| error.to_string()),
            Err(_) => Err("must be UTF-8, percent-encoded where needed".to_owned()),
        };
        Ok(Self { product })
    }
}

impl StockPath {
    /// The key of a stock of the product, where the path and everything checked so far is
    /// without fault; `finish` tells the faults of the rest of the request.
    pub(in crate::http) fn key(
        self,
        location_id: LocationId,
        finish: impl FnOnce(Faults) -> Result<(), Problem>,
    ) -> Result<StockKey, Problem> {
        let mut faults = Faults::default();
        let product = self.product.map_err(|detail| faults.add(Part::Path, "/product_id", detail));
        finish(faults)?;
        match product {
            Ok(product_id) => Ok(StockKey { product_id, location_id }),
            Err(()) => Err(Problem::new("invalid-request", "the product id is not valid")),
        }
    }
}
