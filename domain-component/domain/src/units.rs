//! Plain numbers with a unit.

/// A point in time, in milliseconds since the Unix epoch. It always comes from the caller, because
/// the domain has no clock.
pub type Timestamp = u64;

/// The number of accepted changes of a stock or of a reservation. Its creation is change 1.
pub type Version = u64;
