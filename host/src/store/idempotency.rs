//! Idempotency records: the fingerprints of requests that carry a key, and their answers.

/// The idempotency key of a request, in the scope of its caller.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct IdempotencyKey {
    /// The name of the caller who chose the key; empty for the anonymous identity.
    pub caller: String,
    /// The value of the header `Idempotency-Key`.
    pub key: String,
}

/// The fingerprint of a request with a key, and the answer to it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct IdempotencyRecord {
    /// The SHA-256 of the parsed request.
    pub fingerprint: [u8; 32],
    /// The whole answer. An answer is rendered before the commit and contains no sequence, because
    /// only the commit assigns sequences.
    pub response: Vec<u8>,
}

/// Bounds on the idempotency records of large answers, in bytes. A new record that exceeds a bound
/// evicts the oldest records before they expire.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct IdempotencyBounds {
    /// The bound on the records of one caller.
    pub caller_bytes_max: u64,
    /// The bound on the records of all callers together.
    pub bytes_max: u64,
}

impl IdempotencyBounds {
    /// No bounds.
    pub const NONE: Self = Self { caller_bytes_max: u64::MAX, bytes_max: u64::MAX };
}

/// Figures of the idempotency records of large answers, as of the latest commit.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub struct LargeRecords {
    /// The total size of the stored records, in bytes.
    pub bytes: u64,
    /// The number of records that were evicted before they expired, since the start.
    pub forgotten_early: u64,
}
