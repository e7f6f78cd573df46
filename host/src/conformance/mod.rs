//! Whether a component is a domain: scenarios from files, properties over random commands, each
//! over a store in memory, watched as the host watches it.

mod desk;
mod properties;
mod random;
mod scenario;
mod scenarios;
mod show;

pub use scenario::Kind;

use crate::{
    component::{Compiled, Refused},
    model::Fault,
};
use serde::Serialize;

/// What was looked at, and what is wrong, if anything.
#[derive(Clone, Debug, Serialize)]
pub struct Finding {
    /// What it is about.
    pub group: String,
    /// The promise.
    pub name: String,
    /// Whom it binds.
    pub kind: Kind,
    /// How it is broken; none: it is kept.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub failure: Option<String>,
}

/// How thoroughly to look.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Depth {
    /// What every domain must keep, and a few random commands: before a component may decide.
    Admission,
    /// Everything.
    Whole,
}

/// Random commands for each depth: an interpreted component takes milliseconds for one.
const ADMISSION_COMMANDS: u32 = 120;
const WHOLE_COMMANDS: u32 = 4_000;

/// Looks at a component.
///
/// # Errors
/// Where it cannot be looked at: it does not fit the contract, or not even start.
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

/// Calls a component once: one that does not fit in its innermost types fails only there.
///
/// # Errors
/// How it fails.
pub fn call_once(compiled: &Compiled) -> Result<(), Fault> {
    let fault = |refused: Refused| Fault(refused.to_string());
    let (deciding, answering) = (compiled.fit().map_err(fault)?, compiled.fit().map_err(fault)?);
    let mut desk = desk::Desk::new(&deciding, &answering, true)?;
    let mut random = random::Random::new(0);
    // Whatever it decides: that it comes back is what is asked for.
    desk.execute(&random.opening(), 1).map(|_| ())
}
