use super::*;
use tracing::{Metadata, callsite::Callsite, subscriber::Interest};

/// A place in a program.
struct TestCallsite(#[allow(dead_code, reason = "so that each has an address of its own")] u8);

impl Callsite for TestCallsite {
    fn set_interest(&self, _: Interest) {}

    fn metadata(&self) -> &Metadata<'_> {
        unreachable!("only its address counts")
    }
}

fn place(number: usize) -> Identifier {
    static PLACES: [TestCallsite; 2] = [TestCallsite(0), TestCallsite(1)];
    Identifier(&PLACES[number])
}

fn repeats() -> Repeats {
    Repeats::new(Box::leak(Box::default()))
}

fn line(code: &str) -> KindFields {
    KindFields { name: format!("request: {code}"), code: code.to_owned() }
}

fn admitted(repeats: &Repeats, code: &str, now: Instant, lines: u32) -> u32 {
    (0..lines).map(|_| u32::from(repeats.admits(place(0), line(code), Level::INFO, now))).sum()
}

#[test]
fn of_each_kind_a_few_lines_are_written_in_each_period() {
    let (repeats, now) = (repeats(), Instant::now());
    assert_eq!(admitted(&repeats, "a", now, 100), LINES_PER_PERIOD_MAX);
    assert_eq!(admitted(&repeats, "b", now, 5), 5, "another kind");
    assert!(repeats.admits(place(1), line("a"), Level::WARN, now), "another place");
    assert_eq!(admitted(&repeats, "a", now + PERIOD / 2, 1), 0);
    assert_eq!(admitted(&repeats, "a", now + PERIOD, 100), LINES_PER_PERIOD_MAX);
    assert_eq!(repeats.counters.held_back.load(Ordering::Relaxed), 161);
}

#[test]
fn lines_held_back_are_reported_once_when_the_period_is_over() {
    let (repeats, now) = (repeats(), Instant::now());
    admitted(&repeats, "a", now, LINES_PER_PERIOD_MAX + 7);
    assert!(repeats.take_unreported(now, false).is_empty(), "it may become more");
    let reported = |number| vec![(Level::INFO, "request: a".to_owned(), number)];
    assert_eq!(repeats.take_unreported(now + PERIOD, false), reported(7));
    assert!(repeats.take_unreported(now + PERIOD, true).is_empty());
    // Lines of the next period are reported too, also when a third period has begun by then.
    admitted(&repeats, "a", now + PERIOD, LINES_PER_PERIOD_MAX + 2);
    assert_eq!(admitted(&repeats, "a", now + PERIOD * 2, 1), 1);
    assert_eq!(repeats.take_unreported(now + PERIOD * 2, false), reported(2));
    // At the end of the process all held back lines are reported.
    admitted(&repeats, "a", now + PERIOD * 2, LINES_PER_PERIOD_MAX);
    assert_eq!(repeats.take_unreported(now + PERIOD * 2, true), reported(1));
}

#[test]
fn kinds_have_a_bound() {
    let (repeats, now) = (repeats(), Instant::now());
    for number in 0..2 * KINDS_MAX {
        admitted(&repeats, &number.to_string(), now, 1);
    }
    assert_eq!(repeats.lock().len(), KINDS_MAX + 1);
    assert_eq!(
        repeats.take_unreported(now, true),
        vec![(
            Level::INFO,
            "lines of other kinds".to_owned(),
            KINDS_MAX as u64 - u64::from(LINES_PER_PERIOD_MAX)
        )]
    );
}
