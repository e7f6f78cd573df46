//! What the engine is asked to do, and what it answers.

use super::Error;
use crate::{
    model::{Command, Event, Outcome},
    store::{BatchKey, RequestKey},
};

/// What to do.
#[derive(Clone, Debug)]
pub enum Work {
    /// One command.
    One(Command),
    /// Several, in order, all or none.
    Together(Vec<Command>),
    /// Several, in order, each for itself.
    Each(Vec<Command>),
}

impl Work {
    /// The commands.
    #[must_use]
    pub fn as_slice(&self) -> &[Command] {
        match self {
            Self::One(command) => std::slice::from_ref(command),
            Self::Together(commands) | Self::Each(commands) => commands,
        }
    }

    /// How many lines its commands name; a command that names none counts as one.
    #[must_use]
    pub fn lines(&self) -> usize {
        self.as_slice().iter().map(|command| command.action.lines().len().max(1)).sum()
    }

    /// How many commands it is.
    #[must_use]
    pub fn commands(&self) -> usize {
        match self {
            Self::One(_) => 1,
            Self::Together(commands) | Self::Each(commands) => commands.len(),
        }
    }
}

/// Makes the whole answer of what was done, where it is one that is kept. What it is made of
/// is the caller's business.
pub type Render = dyn Fn(&Result<Done, Error>) -> Option<Vec<u8>> + Send;

/// How to answer a request that may be sent again.
pub struct Recording {
    /// Names it.
    pub key: RequestKey,
    /// SHA-256 of it.
    pub fingerprint: [u8; 32],
    /// Makes its answer.
    pub render: Box<Render>,
}

/// Something to do.
pub struct Request {
    /// What.
    pub work: Work,
    /// Whether nothing is to remain of it.
    pub rehearsal: bool,
    /// Whether its answer is kept, so that it can be sent again.
    pub recording: Option<Box<Recording>>,
}

impl Request {
    /// Shows each key that the request names: stocks, reservations, and its own key.
    pub(super) fn show_keys(&self, show: &mut dyn FnMut(BatchKey<'_>)) {
        if let Some(recording) = &self.recording {
            show(BatchKey::Request(&recording.key));
        }
        for Command { action, .. } in self.work.as_slice() {
            if let Some(id) = action.reservation_id() {
                show(BatchKey::Reservation(id));
            }
            action.stocks().iter().for_each(|key| show(BatchKey::Stock(key)));
        }
    }
}

/// What was done.
#[derive(Clone, Debug)]
pub enum Done {
    /// One command.
    One(Outcome),
    /// Several: of each what it did, or why not.
    Many(Vec<Result<Outcome, Error>>),
    /// What would have been done, and what would have been said.
    Rehearsed(Box<Self>, Vec<Event>),
    /// A request whose answer is kept.
    Recorded {
        /// The answer.
        response: Vec<u8>,
        /// Whether it was given before.
        replayed: bool,
    },
}
