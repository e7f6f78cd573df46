use axum::http::Response;
use bytes::Bytes;

/// An answer whose body is there as a whole.
pub(super) type Whole = Response<Bytes>;
