//! Preconditions: the demands on a stock or a reservation without which a command changes nothing.

use crate::{rejection::Rejection, units::Version};
use alloc::vec::Vec;

/// A demand on the stock or reservation that a command is about to change.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Precondition {
    /// The stock or reservation exists.
    Exists,
    /// The stock or reservation does not exist yet.
    Absent,
    /// The stock or reservation exists and has one of these versions.
    VersionIn(Vec<Version>),
}

/// Checks a precondition. `current` is the version that is there; `None` where the stock or
/// reservation does not exist. Without a precondition, the check always passes.
///
/// # Errors
/// [`Rejection::VersionMismatch`] with the current version.
pub fn check_precondition(
    precondition: Option<&Precondition>,
    current: Option<Version>,
) -> Result<(), Rejection> {
    let holds = match (precondition, current) {
        (None, _) | (Some(Precondition::Exists), Some(_)) | (Some(Precondition::Absent), None) => {
            true
        }
        (Some(Precondition::VersionIn(versions)), Some(version)) => versions.contains(&version),
        _ => false,
    };
    if holds { Ok(()) } else { Err(Rejection::VersionMismatch { current_version: current }) }
}

#[cfg(test)]
#[path = "precondition_tests.rs"]
mod tests;
