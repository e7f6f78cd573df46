use crate::http::problem::Problem;
use serde_json::{Value, json};

/// The most faults that one answer lists.
const LISTED_MAX: usize = 50;

/// Which part of a request a fault is in.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(in crate::http) enum Part {
    Path,
    Query,
    Header,
    Body,
}

impl Part {
    fn name(self) -> &'static str {
        match self {
            Self::Path => "path",
            Self::Query => "query",
            Self::Header => "header",
            Self::Body => "body",
        }
    }
}

/// What is wrong with a request, collected.
#[derive(Default, Debug)]
pub(in crate::http) struct Faults {
    listed: Vec<Value>,
    count: usize,
}

impl Faults {
    /// `pointer` is a JSON pointer (RFC 6901) into the part; for parameters and headers, `/`
    /// and their name.
    pub(in crate::http) fn add(&mut self, part: Part, pointer: &str, detail: impl ToString) {
        self.count_one();
        if self.lists_more() {
            let detail = detail.to_string();
            self.listed.push(json!({"in": part.name(), "pointer": pointer, "detail": detail}));
        }
    }

    /// Counts one that is not listed.
    pub(super) fn count_one(&mut self) {
        self.count += 1;
    }

    /// Whether one more would be listed.
    pub(super) fn lists_more(&self) -> bool {
        self.listed.len() < LISTED_MAX
    }

    pub(in crate::http) fn join(&mut self, other: Self) {
        self.count += other.count;
        let free = LISTED_MAX - self.listed.len();
        self.listed.extend(other.listed.into_iter().take(free));
    }

    pub(super) fn count(&self) -> usize {
        self.count
    }

    /// The problem, where there is any fault.
    pub(in crate::http) fn none(self) -> Result<(), Problem> {
        if self.count == 0 {
            return Ok(());
        }
        let plural = if self.count == 1 { "" } else { "s" };
        let detail = format!("{} fault{plural} in the request", self.count);
        Err(Problem::new("invalid-request", detail).with("errors", self.listed))
    }
}

/// A name as a JSON pointer writes it.
pub(super) fn token(name: &str) -> String {
    name.replace('~', "~0").replace('/', "~1")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_flood_of_faults_is_counted_but_not_listed() {
        let mut faults = Faults::default();
        for _ in 0..1000 {
            faults.add(Part::Body, "/x", "wrong");
        }
        assert_eq!((faults.count, faults.listed.len()), (1000, LISTED_MAX));
        assert!(faults.none().is_err());
    }

    #[test]
    fn no_fault_is_fine() {
        assert!(Faults::default().none().is_ok());
    }

    #[test]
    fn names_are_escaped_as_the_pointer_asks() {
        assert_eq!(token("a/b~c"), "a~1b~0c");
    }
}
