use axum::http::Response;
use bytes::Bytes;

/// A response whose whole body is in memory. Idempotency records and batches need its bytes.
pub(super) type BufferedResponse = Response<Bytes>;
