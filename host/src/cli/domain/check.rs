//! `holdfast domain check`.

use super::component;
use crate::{
    admission::{self, Candidate, Until},
    cli::print,
    component::Runtime,
    config::Config,
    conformance::{self, Depth, Finding, PromiseKind},
};
use std::{fmt::Write, path::Path, process::ExitCode};

/// Runs the conformance suite on a component and prints the results as a table. The exit
/// code is 1 when the component breaks a promise or is refused at admission.
pub(super) fn run(file: Option<&Path>, config: &Config) -> anyhow::Result<ExitCode> {
    let bytes = component(file)?;
    let runtime = Runtime::new(config.limits)?;
    let candidate = Candidate { bytes: &bytes, expected: None, until: Until::Call };
    let compiled = match admission::examine(&runtime, None, &candidate, config.component_bytes_max)
    {
        Ok(admitted) => admitted.compiled,
        Err(refusal) => {
            print(&refusal.to_string())?;
            return Ok(ExitCode::FAILURE);
        }
    };
    let foreign = compiled.foreign_imports();
    let findings = conformance::check(&compiled, Depth::Whole)?;
    print(&format!("component {}, {} bytes", compiled.digest(), bytes.len()))?;
    if !foreign.is_empty() {
        print(&format!("besides the contract it imports {}", foreign.join(", ")))?;
    }
    print(&table(&findings))?;
    let kept = findings.iter().all(|finding| finding.failure.is_none());
    Ok(if kept { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn table(findings: &[Finding]) -> String {
    let mut text = String::new();
    let mut group = "";
    for finding in findings {
        if finding.group != group {
            group = &finding.group;
            let kind = match finding.kind {
                PromiseKind::Core => "",
                PromiseKind::Policy => " (policy)",
            };
            // Writing to a string does not fail.
            let _ = writeln!(text, "\n{group}{kind}");
        }
        let _ = match &finding.failure {
            None => writeln!(text, "  ok    {}", finding.name),
            Some(failure) => writeln!(text, "  FAIL  {}\n        {failure}", finding.name),
        };
    }
    let failed = findings.iter().filter(|finding| finding.failure.is_some()).count();
    let _ = write!(
        text,
        "\n{} promises, {} kept, {failed} broken",
        findings.len(),
        findings.len() - failed
    );
    text
}
