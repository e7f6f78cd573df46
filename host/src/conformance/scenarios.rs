//! Runs the scenarios that come with the program.

use super::{
    Finding,
    harness::{Candidate, Harness},
    scenario::{File, PromiseKind, Scenario, ScenarioStep, StepCall, difference},
    tables,
};
use crate::model::{Event, Rejection, Timestamp};
use toml::Table;

/// The files of scenarios, one for each subject.
const FILES: [&str; 6] = [
    include_str!("../../../tests/conformance/stocks.toml"),
    include_str!("../../../tests/conformance/reservations.toml"),
    include_str!("../../../tests/conformance/expiry.toml"),
    include_str!("../../../tests/conformance/checks.toml"),
    include_str!("../../../tests/conformance/queries.toml"),
    include_str!("../../../tests/conformance/low_stock.toml"),
];

/// Runs all scenarios of these kinds.
pub(super) fn run(candidate: &Candidate, kinds: &[PromiseKind]) -> Vec<Finding> {
    let mut findings = Vec::new();
    for text in FILES {
        let file: File = match toml::from_str(text) {
            Ok(file) => file,
            Err(error) => {
                // A test reads all files, so this is a defect of the build.
                let failure = Some(format!("the scenarios cannot be read: {error}"));
                let name = "the scenarios can be read".to_owned();
                findings.push(Finding {
                    group: String::new(),
                    name,
                    kind: PromiseKind::Core,
                    failure,
                });
                continue;
            }
        };
        if kinds.contains(&file.kind) {
            findings.extend(file.scenario.iter().map(|scenario| Finding {
                group: file.title.clone(),
                name: scenario.name.clone(),
                kind: file.kind,
                failure: run_scenario(candidate, scenario).err(),
            }));
        }
    }
    findings
}

fn run_scenario(candidate: &Candidate, scenario: &Scenario) -> Result<(), String> {
    let mut harness = Harness::new(candidate, false).map_err(|fault| fault.to_string())?;
    let mut now = 0;
    for (index, step) in scenario.steps.iter().enumerate() {
        now = step.at.unwrap_or(now);
        take_step(&mut harness, step, index, now)
            .map_err(|failure| format!("step {}: {failure}", index + 1))?;
    }
    Ok(())
}

fn take_step(
    harness: &mut Harness<'_>,
    step: &ScenarioStep,
    index: usize,
    now: Timestamp,
) -> Result<(), String> {
    let (answer, published) = match step.call()? {
        StepCall::Command(action) => {
            let command = step.command(action, index as u128 + 1);
            let (decided, published) =
                harness.execute(&command, now).map_err(|fault| fault.to_string())?;
            (decided.map(|outcome| tables::outcome(&outcome)), published)
        }
        StepCall::Query(query) => {
            let answer =
                harness.query(step.caller(), query, now).map_err(|fault| fault.to_string())?;
            (answer.map(|answer| tables::answer(&answer)), Vec::new())
        }
    };
    check_answer(step, &answer)?;
    check_events(step, &published)
}

fn check_answer(step: &ScenarioStep, answer: &Result<Table, Rejection>) -> Result<(), String> {
    let difference = match (answer, &step.rejected) {
        (Ok(_), Some(code)) => Some(format!("it was accepted, expected was {code}")),
        (Ok(table), None) => step.ok.as_ref().and_then(|expected| difference(expected, table)),
        (Err(rejection), Some(code)) if rejection.code == *code => {
            difference(&step.with, &tables::details(rejection))
        }
        (Err(rejection), expected) => {
            let expected = expected.as_deref().unwrap_or("acceptance");
            Some(format!(
                "it was rejected as {} ({}), expected was {expected}",
                rejection.code, rejection.message
            ))
        }
    };
    difference.map_or(Ok(()), Err)
}

fn check_events(step: &ScenarioStep, published: &[Event]) -> Result<(), String> {
    if step.rejected.is_some() && !published.is_empty() {
        return Err(format!("it was rejected and published {} events", published.len()));
    }
    let Some(expected) = &step.events else { return Ok(()) };
    let published: Vec<_> = published.iter().map(tables::event).collect();
    if published == *expected {
        return Ok(());
    }
    Err(format!("the events are {published:?}, expected are {expected:?}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_scenario_can_be_read_and_every_step_is_one_call() {
        for text in FILES {
            let file: File = toml::from_str(text).unwrap();
            assert!(!file.scenario.is_empty(), "{}", file.title);
            for scenario in &file.scenario {
                for step in &scenario.steps {
                    let call = step.call().err();
                    assert!(call.is_none(), "{}: {call:?}", scenario.name);
                }
            }
        }
    }

    #[test]
    fn a_missing_or_different_member_is_named() {
        let found: Table = toml::from_str("a = 1").unwrap();
        let expect = |text: &str| difference(&toml::from_str(text).unwrap(), &found);
        assert_eq!(expect("a = 1"), None);
        assert_eq!(expect("a = 2").unwrap(), "a is 1, expected was 2");
        assert_eq!(expect("b = 2").unwrap(), "there is no b, expected was 2");
    }
}
