//! Idempotency records: what a request with a key was, and what it was answered.

/// Names a request that its sender may send again.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct IdempotencyKey {
    /// The caller whose key it is; empty where the key belongs to nobody in particular.
    pub caller: String,
    /// The key.
    pub key: String,
}

/// What a request with a key was, and what it was answered.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct IdempotencyRecord {
    /// SHA-256 of the request.
    pub fingerprint: [u8; 32],
    /// The whole answer. Answers are rendered before the commit and contain no sequence, because
    /// only the commit gives one.
    pub response: Vec<u8>,
}

/// Bounds on the idempotency records of large answers, in bytes. Where a new record exceeds a
/// bound, the oldest records are deleted before their time.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct IdempotencyBounds {
    /// The most for one caller.
    pub caller_bytes_max: u64,
    /// The most for all callers together.
    pub bytes_max: u64,
}

impl IdempotencyBounds {
    /// No bounds.
    pub const NONE: Self = Self { caller_bytes_max: u64::MAX, bytes_max: u64::MAX };
}

/// The idempotency records of large answers, as of the latest commit.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub struct LargeRecords {
    /// The bytes of the records that are kept.
    pub bytes: u64,
    /// The number of records that were deleted before their time since the start.
    pub forgotten_early: u64,
}
