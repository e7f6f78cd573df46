use super::{InvalidId, key};
use std::{fmt, sync::Arc};

/// The name of all callers that have no name of their own. Events and log lines show it.
const ANONYMOUS: &str = "anonymous";

/// The name of the operator, who brings the admin token. Events and log lines show it.
const OPERATOR: &str = "admin";

/// The reason why a text is not the name of a caller.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum InvalidSubject {
    /// The text breaks the rule that ids and names of callers share.
    #[error(transparent)]
    Id(#[from] InvalidId),
    /// The text is the name by which events show the operator.
    #[error("must not be {OPERATOR}: the name is reserved for the operator with the admin token")]
    Operator,
    /// The text is the name by which events show callers without a name.
    #[error("must not be {ANONYMOUS}: the name is reserved for callers without a name")]
    Anonymous,
}

/// The name of a caller: 1 to 128 printable ASCII characters without spaces, and neither `admin`
/// nor `anonymous`, which events show for the operator and for callers without a name.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Subject(Arc<str>);

impl Subject {
    /// Reads a subject. Names are compared as they are written: `Admin` is not reserved.
    ///
    /// # Errors
    /// [`InvalidSubject`] says which bound the text breaks, or which reserved name the text is.
    pub fn parse(text: &str) -> Result<Self, InvalidSubject> {
        key::check(text)?;
        match text {
            OPERATOR => Err(InvalidSubject::Operator),
            ANONYMOUS => Err(InvalidSubject::Anonymous),
            _ => Ok(Self(text.into())),
        }
    }

    /// The subject as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// How an identity was established. Only the log of requests shows it; no decision depends on it.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum IdentityKind {
    /// The request named no caller.
    Anonymous,
    /// A trusted proxy named the caller in a header.
    TrustedHeader,
    /// The request brought the administrator's token.
    Operator,
}

impl IdentityKind {
    /// The kind as the log spells it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Anonymous => "anonymous",
            Self::TrustedHeader => "trusted-header",
            Self::Operator => "operator",
        }
    }
}

/// A permission that a route can require.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
#[repr(u8)]
pub enum Scope {
    /// `inventory:read`: read stocks, their ledgers, and reservations.
    InventoryRead = 1,
    /// `inventory:write`: commands on stocks.
    InventoryWrite = 1 << 1,
    /// `reservations:write`: commands on reservations.
    ReservationsWrite = 1 << 2,
    /// `events:read`: read the event log.
    EventsRead = 1 << 3,
    /// `admin`: exchange the component, and everything else under `/v1/admin`.
    Admin = 1 << 4,
}

impl Scope {
    /// Every scope.
    pub const ALL: [Self; 5] = [
        Self::InventoryRead,
        Self::InventoryWrite,
        Self::ReservationsWrite,
        Self::EventsRead,
        Self::Admin,
    ];

    /// The scope as settings and tokens spell it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::InventoryRead => "inventory:read",
            Self::InventoryWrite => "inventory:write",
            Self::ReservationsWrite => "reservations:write",
            Self::EventsRead => "events:read",
            Self::Admin => "admin",
        }
    }
}

/// A set of scopes.
#[derive(Clone, Copy, PartialEq, Eq, Default)]
pub struct Scopes(u8);

impl Scopes {
    /// No scope.
    pub const NONE: Self = Self(0);
    /// Every scope.
    pub const ALL: Self = Self::NONE
        .with(Scope::InventoryRead)
        .with(Scope::InventoryWrite)
        .with(Scope::ReservationsWrite)
        .with(Scope::EventsRead)
        .with(Scope::Admin);
    /// Every scope but [`Scope::Admin`].
    pub const ALL_BUT_ADMIN: Self = Self::ALL.without(Scope::Admin);

    /// The set with this scope added.
    #[must_use]
    pub const fn with(self, scope: Scope) -> Self {
        Self(self.0 | scope as u8)
    }

    /// The set with this scope removed.
    #[must_use]
    pub const fn without(self, scope: Scope) -> Self {
        Self(self.0 & !(scope as u8))
    }

    /// Whether the set contains this scope.
    #[must_use]
    pub const fn contains(self, scope: Scope) -> bool {
        self.0 & scope as u8 != 0
    }
}

impl fmt::Debug for Scopes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let contained = Scope::ALL.into_iter().filter(|scope| self.contains(*scope));
        f.debug_set().entries(contained.map(Scope::name)).finish()
    }
}

/// The caller of a request and what it may do. An identity is cheap to clone; the anonymous one
/// allocates nothing.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Identity {
    /// `None` for the anonymous identity.
    subject: Option<Subject>,
    kind: IdentityKind,
    scopes: Scopes,
}

impl Identity {
    /// The identity of a request that names no caller. An anonymous caller may do everything but
    /// administer.
    pub const ANONYMOUS: Self =
        Self { subject: None, kind: IdentityKind::Anonymous, scopes: Scopes::ALL_BUT_ADMIN };

    /// An identity with a name. [`Subject::parse`] refuses the reserved names.
    #[must_use]
    pub const fn new(subject: Subject, kind: IdentityKind, scopes: Scopes) -> Self {
        Self { subject: Some(subject), kind, scopes }
    }

    /// The identity of the operator. Its name is `admin`, and the operator may do everything.
    #[must_use]
    pub fn operator() -> Self {
        let subject = Subject(OPERATOR.into());
        Self { subject: Some(subject), kind: IdentityKind::Operator, scopes: Scopes::ALL }
    }

    /// The subject: the caller's name, or `anonymous`.
    #[must_use]
    pub fn subject(&self) -> &str {
        self.subject.as_ref().map_or(ANONYMOUS, Subject::as_str)
    }

    /// The caller's name for the component, the events and the scope of idempotency keys; `None`
    /// for the anonymous identity.
    #[must_use]
    pub fn caller(&self) -> Option<&Arc<str>> {
        self.subject.as_ref().map(|Subject(name)| name)
    }

    /// How the identity was established.
    #[must_use]
    pub const fn kind(&self) -> IdentityKind {
        self.kind
    }

    /// What the caller may do.
    #[must_use]
    pub const fn scopes(&self) -> Scopes {
        self.scopes
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn subject(text: &str) -> Subject {
        Subject::parse(text).unwrap()
    }

    #[test]
    fn a_subject_is_1_to_128_printable_ascii_characters_without_spaces() {
        for good in ["a", "web-7", "https://issuer/users#7", &"x".repeat(128)] {
            assert_eq!(subject(good).as_str(), good);
        }
        for bad in ["", " ", "a b", "ä", "tab\t", "\u{7f}", &"x".repeat(129)] {
            assert!(Subject::parse(bad).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn the_anonymous_identity_has_no_caller_and_may_do_everything_but_administer() {
        let nobody = Identity::ANONYMOUS;
        assert_eq!((nobody.caller(), nobody.subject()), (None, "anonymous"));
        let may = Scope::ALL.map(|scope| nobody.scopes().contains(scope));
        assert_eq!(may, [true, true, true, true, false]);
    }

    #[test]
    fn the_names_of_identities_that_nobody_names_are_nobody_elses() {
        let reserved = [Identity::ANONYMOUS, Identity::operator()];
        for name in reserved.iter().map(Identity::subject) {
            let refusal = Subject::parse(name).unwrap_err();
            assert!(refusal.to_string().starts_with(&format!("must not be {name}: ")), "{refusal}");
        }
        assert_eq!(subject("Admin").as_str(), "Admin", "names are compared as they are written");
    }

    #[test]
    fn a_named_identity_keeps_its_subject_kind_and_scopes() {
        let scopes = Scopes::NONE.with(Scope::EventsRead);
        let web = Identity::new(subject("web-7"), IdentityKind::TrustedHeader, scopes);
        assert_eq!(web.caller().map(AsRef::as_ref), Some("web-7"));
        assert_eq!((web.kind(), web.scopes()), (IdentityKind::TrustedHeader, scopes));
        assert_eq!(format!("{scopes:?}"), r#"{"events:read"}"#);
    }

    #[test]
    fn the_operator_may_do_everything() {
        let operator = Identity::operator();
        assert_eq!((operator.subject(), operator.scopes()), ("admin", Scopes::ALL));
    }

    #[test]
    fn a_set_contains_what_was_added_and_not_removed() {
        for scope in Scope::ALL {
            assert!(Scopes::ALL.contains(scope) && !Scopes::NONE.contains(scope));
            assert!(Scopes::NONE.with(scope).contains(scope));
            let others = Scopes::ALL.without(scope);
            assert!(Scope::ALL.iter().all(|it| others.contains(*it) == (*it != scope)));
        }
    }
}
