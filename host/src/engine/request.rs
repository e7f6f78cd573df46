//! Requests to the engine and their results.

use super::Error;
use crate::{
    model::{Command, Event, Identity, Outcome},
    store::{BatchKey, IdempotencyKey},
};

/// The commands of a request.
#[derive(Clone, Debug)]
pub enum Work {
    /// One command.
    One(Command),
    /// Several commands in order. All of them are accepted or none is.
    Together(Vec<Command>),
    /// Several commands in order. Each is accepted or refused by itself.
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

    /// The number of lines that the commands name. A command that names none counts as one.
    #[must_use]
    pub fn lines(&self) -> usize {
        self.as_slice().iter().map(|command| command.action.lines().len().max(1)).sum()
    }

    /// The number of commands.
    #[must_use]
    pub fn commands(&self) -> usize {
        match self {
            Self::One(_) => 1,
            Self::Together(commands) | Self::Each(commands) => commands.len(),
        }
    }
}

/// Renders the answer to a request from its result, as bytes that the engine does not interpret.
/// `None` for an answer that is not to be stored.
pub type Render = dyn Fn(&Result<Done, Error>) -> Option<Vec<u8>> + Send;

/// How to store a request's answer in an idempotency record, so that the same request sent again
/// gets the same answer and is not carried out twice.
pub struct Recording {
    /// The idempotency key, within the scope of its caller.
    pub(super) key: IdempotencyKey,
    /// SHA-256 of the request. The same key with another request is refused.
    pub(super) fingerprint: [u8; 32],
    /// Renders the answer.
    pub(super) render: Box<Render>,
}

impl Recording {
    /// Stores the answer under `key` in the scope of this identity: callers with different names
    /// can use the same keys. All anonymous requests share one scope.
    #[must_use]
    pub fn new(
        identity: &Identity,
        key: String,
        fingerprint: [u8; 32],
        render: Box<Render>,
    ) -> Self {
        let caller = identity.caller().map_or_else(String::new, |name| (**name).to_owned());
        Self { key: IdempotencyKey { caller, key }, fingerprint, render }
    }
}

/// A request to the engine.
pub struct Request {
    /// The commands to carry out.
    pub work: Work,
    /// Whether to decide the commands and then undo them.
    pub dry_run: bool,
    /// How to store the answer; `None` stores none. A dry run stores none either.
    pub recording: Option<Box<Recording>>,
}

impl Request {
    /// Calls `show` with each key that the request names: stocks, reservations, and its idempotency
    /// key.
    pub(super) fn show_keys(&self, show: &mut dyn FnMut(BatchKey<'_>)) {
        if let Some(recording) = &self.recording {
            show(BatchKey::Idempotency(&recording.key));
        }
        for Command { action, .. } in self.work.as_slice() {
            if let Some(id) = action.reservation_id() {
                show(BatchKey::Reservation(id));
            }
            action.stocks().iter().for_each(|key| show(BatchKey::Stock(key)));
        }
    }
}

/// The result of a request that was carried out.
#[derive(Clone, Debug)]
pub enum Done {
    /// The outcome of one command.
    One(Outcome),
    /// The outcome of each of several commands, or the reason why it has none.
    Many(Vec<Result<Outcome, Error>>),
    /// The result of a dry run, and the events that it would have published.
    DryRun(Box<Self>, Vec<Event>),
    /// The stored answer of a request with a key.
    Recorded {
        /// The answer, as it was rendered.
        response: Vec<u8>,
        /// Whether this is the answer of an earlier request with the same key.
        replayed: bool,
    },
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{IdentityKind, Scopes, Subject};

    #[test]
    fn keys_belong_to_their_caller_and_all_anonymous_requests_share_one_scope() {
        let scope = |identity: &Identity| {
            Recording::new(identity, "k".to_owned(), [0; 32], Box::new(|_| None)).key
        };
        let named = |name: &str| {
            let subject = Subject::parse(name).unwrap();
            Identity::new(subject, IdentityKind::TrustedHeader, Scopes::ALL_BUT_ADMIN)
        };
        let key = |caller: &str| IdempotencyKey { caller: caller.to_owned(), key: "k".to_owned() };
        assert!(scope(&named("web-7")) == key("web-7"));
        assert!(scope(&Identity::ANONYMOUS) == key(""));
    }
}
