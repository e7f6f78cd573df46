//! The violations of a request. They are collected, so that one answer reports all of them.

use crate::http::problem::Problem;
use serde_json::{Value, json};
use std::fmt::Display;

/// The maximum number of violations that one answer lists. The others are only counted.
const LISTED_MAX: usize = 50;

/// The part of a request that a violation is in.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(in crate::http) enum Part {
    Path,
    Query,
    Header,
    Body,
}

impl Part {
    /// The names of all parts: the values of a violation's member `in`.
    pub(in crate::http) const NAMES: [&str; 4] = ["path", "query", "header", "body"];

    fn name(self) -> &'static str {
        let [path, query, header, body] = Self::NAMES;
        match self {
            Self::Path => path,
            Self::Query => query,
            Self::Header => header,
            Self::Body => body,
        }
    }
}

/// The violations of one request.
#[derive(Default, Debug)]
pub(in crate::http) struct Violations {
    /// The first violations, as JSON.
    listed: Vec<Value>,
    /// The number of all violations.
    count: usize,
    /// The number of commands of a batch that has too many; `None` otherwise. Such a batch is
    /// answered with a problem of its own.
    commands: Option<usize>,
}

impl Violations {
    /// Returns the problem of a request with a single violation.
    pub(in crate::http) fn one(part: Part, pointer: &str, detail: impl Display) -> Problem {
        let mut violations = Self::default();
        violations.add(part, pointer, detail);
        violations.into_problem()
    }

    /// Adds a violation. `pointer` is a JSON pointer (RFC 6901) into the part; for a parameter or a
    /// header, it is `/` followed by the name.
    pub(in crate::http) fn add(&mut self, part: Part, pointer: &str, detail: impl Display) {
        self.add_at(part, || pointer.to_owned(), detail);
    }

    /// Adds a violation. `pointer` is called only where the violation is listed.
    pub(super) fn add_at(
        &mut self,
        part: Part,
        pointer: impl FnOnce() -> String,
        detail: impl Display,
    ) {
        self.count += 1;
        if self.listed.len() < LISTED_MAX {
            let detail = detail.to_string();
            self.listed.push(json!({"in": part.name(), "pointer": pointer(), "detail": detail}));
        }
    }

    /// Adds the violation that a batch has more than [`super::COMMANDS_MAX`] commands.
    pub(super) fn too_many_commands(&mut self, commands: usize) {
        self.count += 1;
        self.commands = Some(commands);
    }

    /// Adds the violations of another part of the same request.
    pub(super) fn join(&mut self, other: Self) {
        self.count += other.count;
        self.commands = self.commands.or(other.commands);
        let free = LISTED_MAX.saturating_sub(self.listed.len());
        self.listed.extend(other.listed.into_iter().take(free));
    }

    /// Returns the value that was read.
    ///
    /// # Errors
    /// There are violations: the error is the problem that lists them.
    pub(in crate::http) fn valid<T>(self, read: Option<T>) -> Result<T, Problem> {
        match read {
            Some(read) if self.count == 0 => Ok(read),
            _ => Err(self.into_problem()),
        }
    }

    /// Makes the problem that lists the violations.
    fn into_problem(self) -> Problem {
        if let Some(commands) = self.commands {
            let most = super::COMMANDS_MAX;
            let detail = format!("a batch may have {most} commands, this batch has {commands}");
            return Problem::new("batch-too-large", detail).with("limit", most);
        }
        let plural = if self.count == 1 { "" } else { "s" };
        let detail = format!("{} violation{plural} in the request", self.count);
        Problem::new("invalid-request", detail).with("errors", self.listed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn violations_beyond_the_limit_are_counted_but_not_listed() {
        let mut violations = Violations::default();
        for _ in 0..1000 {
            violations.add(Part::Body, "/x", "wrong");
        }
        assert_eq!((violations.count, violations.listed.len()), (1000, LISTED_MAX));
        assert!(violations.valid(Some(())).is_err());
    }

    #[test]
    fn a_request_without_a_violation_is_valid() {
        assert!(Violations::default().valid(Some(())).is_ok());
    }
}
