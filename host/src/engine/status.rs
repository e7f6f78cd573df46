use std::sync::atomic::{AtomicU8, Ordering};

/// Whether the engine accepts commands.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Status {
    /// It accepts commands.
    Ready,
    /// The store failed to write. Queries are answered, and the writer tries the store until it can
    /// be written again.
    ReadOnly,
    /// The writer has ended.
    Stopped,
}

/// The status, which the writer's thread sets and all others read.
#[derive(Default)]
pub(super) struct StatusCell(AtomicU8);

impl StatusCell {
    pub(super) fn get(&self) -> Status {
        match self.0.load(Ordering::Relaxed) {
            0 => Status::Ready,
            1 => Status::ReadOnly,
            _ => Status::Stopped,
        }
    }

    pub(super) fn set(&self, status: Status) {
        let value = match status {
            Status::Ready => 0,
            Status::ReadOnly => 1,
            Status::Stopped => 2,
        };
        self.0.store(value, Ordering::Relaxed);
    }
}
