//! Panics are lines of the log: the standard library would write them to standard error, where a
//! stalled pipe would stop the thread for good.

use std::{backtrace::Backtrace, panic};

/// Lets the log tell of panics from now on. The backtrace is there if `RUST_BACKTRACE` says so.
pub(super) fn log() {
    panic::set_hook(Box::new(|panic| {
        let thread = std::thread::current();
        let thread = thread.name().unwrap_or("unnamed");
        let message = panic.payload_as_str().unwrap_or("no message");
        let place = panic.location().map(ToString::to_string).unwrap_or_default();
        let backtrace = Backtrace::capture();
        let backtrace = Some(backtrace.to_string()).filter(|it| !it.starts_with("disabled"));
        tracing::error!(thread, place, backtrace, "panicked: {message}");
    }));
}

/// Gives panics back to the standard library, when there is no log any more.
pub(super) fn leave() {
    // While a panic goes on, the hook cannot be changed.
    if !std::thread::panicking() {
        drop(panic::take_hook());
    }
}
