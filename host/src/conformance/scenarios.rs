//! The scenarios that come with the program, and how one is played.

use super::{
    Finding,
    desk::{Answering, Deciding, Desk},
    scenario::{Call, File, Kind, Scenario, Step, lacking},
    show,
};
use crate::model::{Event, Rejection, Timestamp};
use toml::Table;

/// What scenarios say about: a file each.
const FILES: [&str; 6] = [
    include_str!("../../../tests/conformance/stocks.toml"),
    include_str!("../../../tests/conformance/reservations.toml"),
    include_str!("../../../tests/conformance/expiry.toml"),
    include_str!("../../../tests/conformance/checks.toml"),
    include_str!("../../../tests/conformance/queries.toml"),
    include_str!("../../../tests/conformance/low_stock.toml"),
];

/// Plays all scenarios of these kinds.
pub(super) fn run(deciding: &Deciding, answering: &Answering, kinds: &[Kind]) -> Vec<Finding> {
    let mut findings = Vec::new();
    for text in FILES {
        let file: File = match toml::from_str(text) {
            Ok(file) => file,
            Err(error) => {
                // A test reads them all; a program that was built without it says so.
                let failure = Some(format!("the scenarios cannot be read: {error}"));
                let name = "the scenarios can be read".to_owned();
                findings.push(Finding { group: String::new(), name, kind: Kind::Core, failure });
                continue;
            }
        };
        if kinds.contains(&file.kind) {
            findings.extend(file.scenario.iter().map(|scenario| Finding {
                group: file.title.clone(),
                name: scenario.name.clone(),
                kind: file.kind,
                failure: play(deciding, answering, scenario).err(),
            }));
        }
    }
    findings
}

fn play(deciding: &Deciding, answering: &Answering, scenario: &Scenario) -> Result<(), String> {
    let mut desk = Desk::new(deciding, answering, false).map_err(|fault| fault.to_string())?;
    let mut now = 0;
    for (index, step) in scenario.steps.iter().enumerate() {
        now = step.at.unwrap_or(now);
        take_step(&mut desk, step, index, now)
            .map_err(|failure| format!("step {}: {failure}", index + 1))?;
    }
    Ok(())
}

fn take_step(desk: &mut Desk<'_>, step: &Step, index: usize, now: Timestamp) -> Result<(), String> {
    let (answer, said) = match step.call()? {
        Call::Command(action) => {
            let command = step.command(action, index as u128 + 1);
            let (decided, said) = desk.execute(&command, now).map_err(|fault| fault.to_string())?;
            (decided.map(|outcome| show::outcome(&outcome)), said)
        }
        Call::Query(query) => {
            let answer =
                desk.query(step.caller(), query, now).map_err(|fault| fault.to_string())?;
            (answer.map(|answer| show::answer(&answer)), Vec::new())
        }
    };
    check_answer(step, &answer)?;
    check_events(step, &said)
}

fn check_answer(step: &Step, answer: &Result<Table, Rejection>) -> Result<(), String> {
    let lacks = match (answer, &step.rejected) {
        (Ok(_), Some(code)) => Some(format!("it was accepted, expected is {code}")),
        (Ok(table), None) => step.ok.as_ref().and_then(|expected| lacking(expected, table)),
        (Err(rejection), Some(code)) if rejection.code == *code => {
            lacking(&step.with, &show::details(rejection))
        }
        (Err(rejection), expected) => {
            let expected = expected.as_deref().unwrap_or("that it is accepted");
            Some(format!(
                "it was refused as {} ({}), expected is {expected}",
                rejection.code, rejection.message
            ))
        }
    };
    lacks.map_or(Ok(()), Err)
}

fn check_events(step: &Step, said: &[Event]) -> Result<(), String> {
    if step.rejected.is_some() && !said.is_empty() {
        return Err(format!("it was refused and said {} facts", said.len()));
    }
    let Some(expected) = &step.events else { return Ok(()) };
    let said: Vec<_> = said.iter().map(show::event).collect();
    if said == *expected {
        return Ok(());
    }
    Err(format!("the facts are {said:?}, expected are {expected:?}"))
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
    fn what_is_expected_and_not_so_is_named() {
        let found: Table = toml::from_str("a = 1").unwrap();
        let expect = |text: &str| lacking(&toml::from_str(text).unwrap(), &found);
        assert_eq!(expect("a = 1"), None);
        assert_eq!(expect("a = 2").unwrap(), "a is 1, expected is 2");
        assert_eq!(expect("b = 2").unwrap(), "there is no b, expected is 2");
    }
}
