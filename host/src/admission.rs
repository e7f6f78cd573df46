//! Admission: the steps that a component must pass before it may decide. Each step is reported.

use crate::{
    component::{Compiled, EMBEDDED, Library, Refused, Runtime},
    conformance::{self, Depth},
    model::Digest,
};
use std::{fmt, time::Instant};

/// The bound on the failures that the report of the self-check lists.
const FAILURES_SHOWN_MAX: usize = 10;

/// A component to be examined.
#[derive(Clone, Copy, Debug)]
pub struct Candidate<'a> {
    /// The bytes of the component.
    pub bytes: &'a [u8],
    /// The digest that the bytes must have; `None` accepts any digest.
    pub expected: Option<Digest>,
    /// The last step of the examination.
    pub until: Until,
}

/// The last step of an examination.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Until {
    /// The component answers a call. This is enough for a candidate that is only compared.
    Call,
    /// The component keeps the promises that every domain must keep.
    SelfCheck,
}

/// A step of an examination and its result.
#[derive(Clone, Debug)]
pub struct Step {
    /// The name of the step.
    pub step: &'static str,
    /// What the step found, in words.
    pub outcome: String,
    /// Whether the component passed the step.
    pub passed: bool,
    /// The time that the step took, in milliseconds.
    pub took_ms: u64,
}

/// A component that passed its examination.
pub struct Admitted {
    /// The component, ready to be installed.
    pub compiled: Compiled,
    /// The steps of the examination.
    pub steps: Vec<Step>,
}

/// The report on a component that did not pass its examination.
#[derive(Clone, Debug, thiserror::Error)]
pub struct Refusal {
    /// The steps of the examination. The component failed the last one.
    pub steps: Vec<Step>,
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.steps.last() {
            Some(last) => write!(f, "the component is refused ({}): {}", last.step, last.outcome),
            None => f.write_str("the component is refused"),
        }
    }
}

/// An examination in progress. It ends with the first step that fails.
struct Examination {
    steps: Vec<Step>,
}

impl Examination {
    fn step<T>(
        &mut self,
        step: &'static str,
        take: impl FnOnce() -> Result<(T, String), String>,
    ) -> Result<T, Refusal> {
        let begun = Instant::now();
        let taken = take();
        let took_ms = u64::try_from(begun.elapsed().as_millis()).unwrap_or(u64::MAX);
        let (value, outcome) = match taken {
            Ok((value, outcome)) => (Some(value), outcome),
            Err(outcome) => (None, outcome),
        };
        self.steps.push(Step { step, outcome, passed: value.is_some(), took_ms });
        value.ok_or_else(|| Refusal { steps: std::mem::take(&mut self.steps) })
    }
}

/// Examines a candidate. The call blocks while the component is compiled, which takes
/// milliseconds to a minute.
///
/// # Errors
/// [`Refusal`] says which step failed, and why.
pub fn examine(
    runtime: &Runtime,
    library: Option<&Library>,
    candidate: &Candidate<'_>,
    bytes_max: usize,
) -> Result<Admitted, Refusal> {
    let bytes = candidate.bytes;
    let mut examination = Examination { steps: Vec::new() };
    examination.step("size", || within(bytes.len(), bytes_max))?;
    examination.step("digest", || as_expected(Digest::of(bytes), candidate.expected))?;
    let compile = |bytes: &[u8]| match library {
        Some(library) => library.compile(runtime, bytes),
        None => Compiled::new(runtime, bytes),
    };
    let compiled = examination.step("compile", || {
        let compiled = compile(bytes).map_err(in_words)?;
        Ok((compiled, "it is a component".to_owned()))
    })?;
    examination.step("contract", || {
        let fitting = compile(EMBEDDED).map_err(in_words)?;
        compiled.check_contract(&fitting).map_err(in_words)?;
        let foreign = compiled.foreign_imports();
        let besides = match foreign.len() {
            0 => "nothing else".to_owned(),
            _ => foreign.join(", "),
        };
        Ok(((), format!("it fits; besides the contract it imports {besides}")))
    })?;
    examination.step("call", || {
        conformance::call_once(&compiled).map_err(|fault| fault.to_string())?;
        Ok(((), "it answers".to_owned()))
    })?;
    if candidate.until == Until::SelfCheck {
        examination.step("self-check", || self_check(&compiled))?;
    }
    Ok(Admitted { compiled, steps: examination.steps })
}

fn in_words(refused: Refused) -> String {
    refused.to_string()
}

fn within(size: usize, most: usize) -> Result<((), String), String> {
    if size <= most {
        return Ok(((), format!("{size} bytes")));
    }
    Err(format!("{size} bytes, allowed are {most} (COMPONENT_BYTES_MAX)"))
}

fn as_expected(found: Digest, expected: Option<Digest>) -> Result<((), String), String> {
    match expected {
        Some(expected) if expected != found => {
            Err(format!("it is {found}, expected was {expected}: it was changed on its way"))
        }
        _ => Ok(((), found.to_string())),
    }
}

fn self_check(compiled: &Compiled) -> Result<((), String), String> {
    let findings = conformance::check(compiled, Depth::Admission).map_err(in_words)?;
    let broken: Vec<_> = findings
        .iter()
        .filter_map(|finding| Some(format!("{}: {}", finding.name, finding.failure.as_ref()?)))
        .collect();
    if broken.is_empty() {
        return Ok(((), format!("{} promises kept", findings.len())));
    }
    let shown = broken.iter().take(FAILURES_SHOWN_MAX).cloned().collect::<Vec<_>>().join("; ");
    Err(format!("{} of {} promises broken: {shown}", broken.len(), findings.len()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::component::Limits;

    #[test]
    fn the_embedded_component_passes_every_step() {
        let runtime = Runtime::new(Limits::default()).unwrap();
        let expected = Some(Digest::of(EMBEDDED));
        let candidate = Candidate { bytes: EMBEDDED, expected, until: Until::SelfCheck };
        let admitted = examine(&runtime, None, &candidate, EMBEDDED.len()).unwrap();
        let names: Vec<_> = admitted.steps.iter().map(|step| step.step).collect();
        assert_eq!(names, ["size", "digest", "compile", "contract", "call", "self-check"]);
        assert!(admitted.steps.iter().all(|step| step.passed));
    }

    /// The bytes of a component with components nested to this depth.
    fn nested(depth: usize) -> Vec<u8> {
        let mut bytes = b"\0asm\x0d\0\x01\0".to_vec();
        for _ in 0..depth {
            let mut size = bytes.len();
            let mut outer = b"\0asm\x0d\0\x01\0\x04".to_vec();
            // The size of the section, as LEB128.
            while size >= 0x80 {
                outer.push(0x80 | u8::try_from(size & 0x7f).unwrap());
                size >>= 7;
            }
            outer.push(u8::try_from(size).unwrap());
            outer.append(&mut bytes);
            bytes = outer;
        }
        bytes
    }

    #[test]
    fn a_component_is_refused_at_the_first_step_that_fails_in_words() {
        let runtime = Runtime::new(Limits::default()).unwrap();
        let refused = |bytes: &[u8], expected: Option<Digest>, most: usize| {
            let candidate = Candidate { bytes, expected, until: Until::Call };
            let refusal = examine(&runtime, None, &candidate, most).err().unwrap();
            let last = refusal.steps.last().unwrap().clone();
            assert!(!last.passed);
            (last.step, last.outcome)
        };
        let (step, outcome) = refused(EMBEDDED, None, 10);
        assert_eq!(step, "size");
        assert!(outcome.contains("allowed are 10"), "{outcome}");
        assert_eq!(refused(EMBEDDED, Some(Digest([0; 32])), 1 << 20).0, "digest");
        assert_eq!(refused(&EMBEDDED[..5_000], None, 1 << 20).0, "compile");
        assert_eq!(refused(&[0; 100_000], None, 1 << 20).0, "compile");
        assert_eq!(refused(&nested(5_000), None, 1 << 20).0, "contract", "deep, but empty");
        let (step, outcome) = refused(b"\0asm\x0d\0\x01\0", None, 1 << 20);
        assert_eq!(step, "contract");
        assert!(outcome.contains("it exports nothing; expected is holdfast:inventory/inventory"));
    }
}
