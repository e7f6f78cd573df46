//! Panics as lines of the log. By default the standard library writes a panic to standard error,
//! where a full pipe would block the panicking thread for ever.

use std::{backtrace::Backtrace, panic};

/// Logs every panic from now on, with a backtrace when `RUST_BACKTRACE` asks for one.
pub(super) fn install_hook() {
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

/// Restores the panic hook of the standard library. The log calls it when it ends.
pub(super) fn restore_hook() {
    // A panicking thread cannot change the hook: `take_hook` would panic again.
    if !std::thread::panicking() {
        drop(panic::take_hook());
    }
}
