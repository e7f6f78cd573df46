use std::sync::atomic::{AtomicU8, Ordering};

/// Whether the engine accepts commands.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Status {
    /// The engine accepts commands.
    Ready,
    /// The store cannot be written. The engine answers queries, and the writer tries to recover the
    /// store.
    ReadOnly,
    /// The writer has ended.
    Stopped,
}

/// The status as an atomic: the writer's thread sets it, and all other threads read it.
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
