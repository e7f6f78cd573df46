use super::*;
use std::cell::Cell;

const MINUTE: i64 = 60 * SECOND;
const HOUR: i64 = 60 * MINUTE;
const BOUND_MS: u64 = 3_600_000;

/// The wall clock when a test begins, in microseconds.
const BEGIN: i64 = 1_800_000_000 * SECOND;

/// A machine whose clocks the test sets.
struct FakeMachine {
    wall: Cell<i64>,
    boot: Cell<i64>,
}

impl Machine for FakeMachine {
    fn wall(&self) -> i64 {
        self.wall.get()
    }

    fn boot(&self) -> i64 {
        self.boot.get()
    }
}

impl Clock<FakeMachine> {
    fn fake(recorded: i64, accept: bool) -> Self {
        let machine = FakeMachine { wall: Cell::new(BEGIN), boot: Cell::new(5 * SECOND) };
        Self::on(machine, milliseconds(recorded), BOUND_MS, accept)
    }

    fn pass(&self, time: i64) {
        self.machine.wall.set(self.machine.wall.get() + time);
        self.machine.boot.set(self.machine.boot.get() + time);
    }

    fn set(&self, by: i64) {
        self.machine.wall.set(self.machine.wall.get() + by);
    }

    /// Lets a minute pass, and checks that the time never goes back. Returns the time since the
    /// test began.
    fn after_a_minute(&self) -> i64 {
        let mut latest = self.now();
        for _ in 0..6_000 {
            self.pass(LOOK_INTERVAL);
            let now = self.now();
            assert!(now >= latest, "{now} after {latest}");
            latest = now;
        }
        i64::try_from(latest).unwrap() * MS - BEGIN
    }

    fn status(&self) -> ClockStatus {
        self.read().status
    }
}

#[test]
fn the_time_is_that_of_the_wall_clock() {
    let clock = Clock::fake(0, false);
    assert_eq!(clock.after_a_minute(), MINUTE);
    assert_eq!(
        clock.read(),
        ClockReading {
            status: ClockStatus::Following,
            wall_ahead_ms: 0,
            now: milliseconds(BEGIN + MINUTE)
        }
    );
    assert!(Clock::new(0, BOUND_MS, false).now() > 1_700_000_000_000, "of this machine, too");
}

#[test]
fn time_passes_between_two_readings_of_the_wall_clock() {
    let clock = Clock::fake(0, false);
    let begin = clock.now();
    for passed in 1..9 {
        clock.pass(MS);
        assert_eq!(clock.now(), begin + passed);
    }
}

#[test]
fn time_goes_on_when_the_wall_clock_is_set_back() {
    let clock = Clock::fake(0, false);
    assert_eq!(clock.after_a_minute(), MINUTE);
    clock.set(-3 * HOUR);
    assert_eq!(clock.after_a_minute(), 2 * MINUTE, "elapsed time goes on");
    let reading = clock.read();
    assert_eq!(reading.status, ClockStatus::Behind);
    assert_eq!(reading.wall_ahead_ms, -3 * HOUR / MS);
    clock.set(3 * HOUR);
    assert_eq!(clock.after_a_minute(), 3 * MINUTE);
    assert_eq!(clock.read().wall_ahead_ms, 0);
    assert_eq!(clock.status(), ClockStatus::Following);
}

#[test]
fn a_small_step_back_is_not_worth_a_warning() {
    let clock = Clock::fake(0, false);
    clock.set(-2 * SECOND);
    assert_eq!(clock.after_a_minute(), MINUTE);
    assert_eq!(clock.status(), ClockStatus::Following);
    assert_eq!(clock.read().wall_ahead_ms, -2_000);
}

#[test]
fn a_step_forward_is_followed_within_the_bound() {
    let clock = Clock::fake(0, false);
    clock.set(HOUR / 2);
    assert_eq!(clock.after_a_minute(), HOUR / 2 + MINUTE);
    assert_eq!(clock.status(), ClockStatus::Following);
}

#[test]
fn a_step_forward_beyond_the_bound_waits_for_an_operator() {
    let clock = Clock::fake(0, false);
    clock.set(2 * HOUR);
    assert_eq!(clock.after_a_minute(), MINUTE);
    let (before, after) = clock.accept();
    assert_eq!((before.status, before.wall_ahead_ms), (ClockStatus::Ahead, 2 * HOUR / MS));
    assert_eq!((after.status, after.wall_ahead_ms), (ClockStatus::Following, 0));
    assert_eq!(clock.after_a_minute(), 2 * HOUR + 2 * MINUTE);
    // The next step needs a confirmation of its own.
    clock.set(2 * HOUR);
    assert_eq!(clock.after_a_minute(), 2 * HOUR + 3 * MINUTE);
    assert_eq!(clock.status(), ClockStatus::Ahead);
}

#[test]
fn a_step_forward_that_is_taken_back_has_no_effect() {
    let clock = Clock::fake(0, false);
    clock.set(300 * 24 * HOUR);
    assert_eq!(clock.after_a_minute(), MINUTE);
    clock.set(-300 * 24 * HOUR);
    assert_eq!(clock.after_a_minute(), 2 * MINUTE);
    assert_eq!(clock.status(), ClockStatus::Following);
}

#[test]
fn small_steps_forward_add_up_within_a_day() {
    let clock = Clock::fake(0, false);
    clock.set(40 * MINUTE);
    assert_eq!(clock.after_a_minute(), 41 * MINUTE);
    clock.set(40 * MINUTE);
    assert_eq!(clock.after_a_minute(), 42 * MINUTE);
    assert_eq!(clock.status(), ClockStatus::Ahead);
    clock.pass(STEPS_INTERVAL);
    assert_eq!(clock.after_a_minute(), STEPS_INTERVAL + 83 * MINUTE);
    assert_eq!(clock.status(), ClockStatus::Following);
}

#[test]
fn sleep_of_the_machine_is_no_step() {
    let clock = Clock::fake(0, false);
    clock.pass(100 * HOUR);
    assert_eq!(clock.after_a_minute(), 100 * HOUR + MINUTE);
    assert_eq!(clock.status(), ClockStatus::Following);
}

#[test]
fn a_start_that_was_down_for_long_follows_the_wall_clock() {
    let clock = Clock::fake(BEGIN - 50 * HOUR, false);
    assert_eq!(clock.after_a_minute(), MINUTE);
    assert_eq!(clock.status(), ClockStatus::Following);
}

#[test]
fn a_start_behind_the_recorded_time_goes_on_from_there() {
    let clock = Clock::fake(BEGIN + 5 * HOUR, false);
    assert_eq!(clock.status(), ClockStatus::Behind);
    assert_eq!(clock.after_a_minute(), 5 * HOUR + MINUTE);
}

#[test]
fn time_runs_slower_until_an_accepted_clock_that_is_behind_has_caught_up() {
    for at_start in [true, false] {
        let clock = Clock::fake(BEGIN + 12 * MINUTE, at_start);
        if !at_start {
            assert_eq!(clock.accept().0.status, ClockStatus::Behind);
        }
        assert_eq!(clock.status(), ClockStatus::Slowed);
        assert_eq!(clock.after_a_minute(), 12 * MINUTE + 54 * SECOND);
        assert_eq!(clock.accept().1.status, ClockStatus::Slowed, "once is enough");
        // A tenth of two hours.
        clock.pass(119 * MINUTE);
        assert_eq!(clock.after_a_minute(), 121 * MINUTE, "the wall clock has caught up");
        assert_eq!(clock.status(), ClockStatus::Following);
        assert_eq!(clock.after_a_minute(), 122 * MINUTE);
    }
}

#[test]
fn a_step_forward_beyond_the_bound_is_not_followed_while_time_runs_slower() {
    let clock = Clock::fake(BEGIN + 10 * MINUTE, true);
    assert_eq!(clock.status(), ClockStatus::Slowed);
    clock.set(5 * HOUR);
    assert_eq!(clock.after_a_minute(), 11 * MINUTE);
    assert_eq!(clock.status(), ClockStatus::Ahead);
}

#[test]
fn no_thread_sees_time_go_back_while_the_clock_is_accepted() {
    let begin = ThisMachine.wall();
    let clock = Clock::new(milliseconds(begin + HOUR), BOUND_MS, false);
    std::thread::scope(|scope| {
        for _ in 0..3 {
            scope.spawn(|| {
                let mut latest = 0;
                for _ in 0..50_000 {
                    let now = clock.now();
                    assert!(now >= latest, "{now} after {latest}");
                    latest = now;
                }
            });
        }
        scope.spawn(|| clock.accept());
    });
    assert_eq!(clock.read().status, ClockStatus::Slowed);
}
