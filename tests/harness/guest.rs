//! The component's decisions, as values of the reference model.

use super::{
    memory::MemoryWorld,
    model::{self, Key, Line, Seen},
};
use crate::component;
use holdfast::{
    component::{Decision, Domain, Guest},
    model::{
        Action, Ask, Command, Ended, LineRequest, LocationId, Outcome, Precondition, ProductId,
        Reservation, ReservationState, StockKey, StockView,
    },
};

pub fn key((product, location): Key) -> StockKey {
    StockKey::parse(product.to_owned(), location.to_owned()).unwrap()
}

fn lines(lines: &[Line]) -> Vec<LineRequest> {
    lines.iter().map(|(of, quantity)| LineRequest { key: key(*of), quantity: *quantity }).collect()
}

pub fn command(command: &model::Command) -> Command {
    let action = match &command.action {
        model::Action::Set { key: of, total, minimum } => {
            Action::AdjustSet { key: key(*of), total: *total, minimum: *minimum }
        }
        model::Action::Adjust { key: of, delta } => {
            Action::AdjustBy { key: key(*of), delta: *delta }
        }
        model::Action::Reserve { key: of, quantity } => {
            Action::Reserve { key: key(*of), quantity: *quantity }
        }
        model::Action::Release { key: of, quantity } => {
            Action::Release { key: key(*of), quantity: *quantity }
        }
        model::Action::Transfer { product, from, to, quantity } => Action::Transfer {
            product_id: ProductId::parse((*product).to_owned()).unwrap(),
            from: LocationId::parse((*from).to_owned()).unwrap(),
            to: LocationId::parse((*to).to_owned()).unwrap(),
            quantity: *quantity,
        },
        model::Action::Hold { id, lines: of, ttl } => {
            Action::Hold { id: (*id).to_owned(), lines: lines(of), ttl_seconds: *ttl }
        }
        model::Action::Replace { id, lines: of } => {
            Action::Replace { id: (*id).to_owned(), lines: lines(of) }
        }
        model::Action::Extend { id, ttl } => {
            Action::Extend { id: (*id).to_owned(), ttl_seconds: *ttl }
        }
        model::Action::Confirm { id } => Action::Confirm { id: (*id).to_owned() },
        model::Action::Fulfill { id, lines: of } => {
            Action::Fulfill { id: (*id).to_owned(), lines: of.as_deref().map(lines) }
        }
        model::Action::Cancel { id, lines: of } => {
            Action::Cancel { id: (*id).to_owned(), lines: of.as_deref().map(lines) }
        }
    };
    let precondition = command.if_version.map(|version| Precondition::VersionIn(vec![version]));
    component::command(action, precondition)
}

pub fn stock(view: &StockView) -> model::Stock {
    let level = view.stock.level;
    let stock = model::Stock {
        total: level.total,
        reserved: view.reserved,
        unattributed: level.unattributed,
        minimum: level.minimum,
        version: level.version,
    };
    assert_eq!(view.reserved, level.reserved - view.stock.due);
    assert_eq!((view.available, view.low), (level.total - view.reserved, stock.low()));
    stock
}

pub fn state(state: ReservationState) -> &'static str {
    match state {
        ReservationState::Held => "held",
        ReservationState::Confirmed => "confirmed",
        ReservationState::Fulfilled => "fulfilled",
        ReservationState::Cancelled => "cancelled",
        ReservationState::Expired => "expired",
    }
}

pub fn reservation(it: &Reservation) -> model::Reservation {
    let named = |key: &StockKey| -> Key {
        let known = [("a", "default"), ("a", "north"), ("b", "default"), ("c", "default")];
        let pair = (key.product_id.as_str(), key.location_id.as_str());
        known.into_iter().find(|known| *known == pair).unwrap()
    };
    model::Reservation {
        state: state(it.status.state),
        lines: it
            .lines
            .iter()
            .map(|line| (named(&line.key), line.quantity, line.remaining().unwrap()))
            .collect(),
        ttl: it.ttl_seconds,
        expires_at: it.status.expires_at,
        version: it.status.version,
    }
}

/// Lets the component decide a command as a host does: when the command meets due holds, the call
/// ends, the holds expire in one call each, and a new instance decides the command again.
pub fn decide(
    domain: &Domain<MemoryWorld>,
    mut guest: Guest<MemoryWorld>,
    command: &Command,
    now: u64,
) -> (Guest<MemoryWorld>, Decision<Outcome>) {
    loop {
        let before = guest.world().clone();
        let due = match guest.execute(command, now) {
            Err(Ended::Due(due)) => due,
            decided => return (guest, decided.unwrap()),
        };
        guest = Guest::new(domain, before).map_err(|(fault, _)| fault).unwrap();
        for id in guest.world().due(&due, now) {
            guest = expire(guest, &id, now);
        }
    }
}

/// Lets the component answer a query of an anonymous caller.
pub fn ask<Q: Ask>(guest: &mut Guest<MemoryWorld>, query: &Q, now: u64) -> Decision<Q::Answer> {
    let answer = guest.query(None, query.as_query(), now).unwrap();
    answer.map(|answer| Q::answer(answer).unwrap())
}

/// Expires a hold that is due.
pub fn expire(mut guest: Guest<MemoryWorld>, id: &str, now: u64) -> Guest<MemoryWorld> {
    let expire = component::command(Action::Expire { id: id.to_owned() }, None);
    guest.execute(&expire, now).unwrap().unwrap();
    guest
}

/// Decides a command of the reference model.
pub fn execute(
    domain: &Domain<MemoryWorld>,
    guest: Guest<MemoryWorld>,
    given: &model::Command,
    now: u64,
) -> (Guest<MemoryWorld>, Result<Seen, String>) {
    let (guest, decision) = decide(domain, guest, &command(given), now);
    let seen = decision.map_err(|rejection| rejection.code).map(|outcome| match outcome {
        Outcome::Stock { view, created } => Seen::Stock(stock(&view), created),
        Outcome::Transfer { source, target } => Seen::Transfer(stock(&source), stock(&target)),
        Outcome::Reservation { reservation: it, created, .. } => {
            Seen::Reservation(reservation(&it), created)
        }
    });
    (guest, seen)
}
