//! The conformance suite: does a component decide as a domain must?
//!
//! The suite plays scenarios from files and properties over random commands. Each runs over a
//! store in memory, with the checks that the host makes.

mod harness;
mod properties;
mod random;
mod scenario;
mod scenarios;
mod tables;

pub use scenario::Kind;

use crate::{
    component::{Compiled, Refused},
    model::Fault,
};

/// The result of one scenario or property.
#[derive(Clone, Debug)]
pub struct Finding {
    /// The group that the scenario or property belongs to.
    pub group: String,
    /// The promise that is checked.
    pub name: String,
    /// The components that must keep the promise.
    pub kind: Kind,
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
    let (deciding, answering) = (compiled.fit()?, compiled.fit()?);
    let (kinds, commands): (&[_], _) = match depth {
        Depth::Admission => (&[Kind::Core], ADMISSION_COMMANDS),
        Depth::Whole => (&[Kind::Core, Kind::Policy], WHOLE_COMMANDS),
    };
    let mut findings = scenarios::run(&deciding, &answering, kinds);
    findings.extend(properties::run(&deciding, &answering, kinds, commands));
    Ok(findings)
}

/// Calls a component once. A component whose types differ from the contract only in their inner
/// parts fails at its first call and not before.
///
/// # Errors
/// The fault with which the call ends.
pub fn call_once(compiled: &Compiled) -> Result<(), Fault> {
    let fault = |refused: Refused| Fault(refused.to_string());
    let (deciding, answering) = (compiled.fit().map_err(fault)?, compiled.fit().map_err(fault)?);
    let mut harness = harness::Harness::new(&deciding, &answering, true)?;
    let mut random = random::Random::new(0);
    // Any decision will do.
    harness.execute(&random.opening(), 1).map(|_| ())
}
