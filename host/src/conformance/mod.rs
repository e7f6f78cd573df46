//! The conformance suite checks whether a component decides as a domain must.
//!
//! The suite runs scenarios from files, and properties over random commands. Each runs over a store
//! in memory, with the checks that the host makes.

mod harness;
mod properties;
mod random;
mod scenario;
mod scenarios;
mod tables;

pub use scenario::PromiseKind;

use crate::{
    component::{Compiled, Refused},
    model::Fault,
};
use harness::{Candidate, Harness};

/// The result of one scenario or property.
#[derive(Clone, Debug)]
pub struct Finding {
    /// The group that the scenario or property belongs to.
    pub group: String,
    /// The promise that is checked.
    pub name: String,
    /// The components that must keep the promise.
    pub kind: PromiseKind,
    /// How the component breaks the promise; `None` where it keeps it.
    pub failure: Option<String>,
}

/// The depth of a check.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Depth {
    /// The promises that every domain must keep, with a few random commands. A component must pass
    /// these before it may decide.
    Admission,
    /// All promises, with many random commands.
    Whole,
}

/// The number of random commands for each depth. An interpreted component takes milliseconds for
/// each.
const ADMISSION_COMMANDS: u32 = 120;
const WHOLE_COMMANDS: u32 = 4_000;

/// Checks a component.
///
/// # Errors
/// The component does not fit the contract, or does not start.
pub fn check(compiled: &Compiled, depth: Depth) -> Result<Vec<Finding>, Refused> {
    let candidate = Candidate::link(compiled)?;
    let (kinds, commands): (&[_], _) = match depth {
        Depth::Admission => (&[PromiseKind::Core], ADMISSION_COMMANDS),
        Depth::Whole => (&[PromiseKind::Core, PromiseKind::Policy], WHOLE_COMMANDS),
    };
    let mut findings = scenarios::run(&candidate, kinds);
    findings.extend(properties::run(&candidate, kinds, commands));
    Ok(findings)
}

/// Calls a component once. A component whose types differ from the contract only in their inner
/// parts fails at its first call and not before.
///
/// # Errors
/// The fault with which the call ends.
pub fn call_once(compiled: &Compiled) -> Result<(), Fault> {
    let fault = |refused: Refused| Fault(refused.to_string());
    let candidate = Candidate::link(compiled).map_err(fault)?;
    let mut harness = Harness::new(&candidate, true)?;
    let mut random = random::Random::new(0);
    // The decision does not matter.
    harness.execute(&random.opening(), 1).map(|_| ())
}
