use super::*;
use crate::{
    component::{Purpose, World},
    model::{
        Action, DeficitScan, Due, Ended, Level, Origin, ReservationLine, ReservationState,
        ReservationStatus, StockEvent, StockEventKind, StockScan, StockView,
    },
    store::MemoryLane,
};
use uuid::Uuid;

fn key(product: &str) -> StockKey {
    StockKey::parse(product.to_owned(), "default".to_owned()).unwrap()
}

fn level(total: u64, minimum: u64, version: u64) -> Level {
    Level { total, reserved: 0, unattributed: 0, minimum, version }
}

fn stock(level: Level) -> Stock {
    Stock { level, due: 0, created_at: 1, updated_at: 1 }
}

fn command(action: Action) -> Command {
    Command { id: Uuid::nil(), origin: Origin::default(), precondition: None, action }
}

/// Accepts the draft, with an answer that agrees with it: about its first stock, or about its first
/// reservation where it writes no stock.
fn accept_draft(unit: &mut UnitOfWork<MemoryLane>) -> Result<(), Fault> {
    let draft = unit.draft();
    let (action, outcome) = match (draft.stocks.first(), draft.reservations.first()) {
        (Some((key, stock)), _) => {
            let Level { total, reserved, .. } = stock.level;
            let available = total.saturating_sub(reserved);
            let view = StockView { stock: *stock, reserved, available, low: false };
            let action = Action::AdjustSet { key: key.clone(), total, minimum: None };
            (action, Outcome::Stock { view, created: false })
        }
        (None, Some((id, reservation))) => {
            let (id, reservation) = (id.clone(), Box::new(reservation.clone()));
            let action = Action::Confirm { id: id.clone() };
            (action, Outcome::Reservation { id, reservation, created: false })
        }
        (None, None) => unreachable!("nothing is written"),
    };
    unit.accept(&command(action), 5, Digest([0; 32]), &outcome)
}

/// Writes as a guest would, without accepting.
fn write(unit: &mut UnitOfWork<MemoryLane>, product: &str, to: Level) {
    let from = unit.stock(&key(product)).unwrap().map(|stock| stock.level);
    unit.put_stock(key(product), stock(to)).unwrap();
    let event = StockEvent {
        kind: StockEventKind::InventoryAdjusted,
        key: key(product),
        quantity: None,
        reservation_id: None,
        expires_at: None,
        counterpart_id: None,
        from,
        to,
    };
    unit.publish(vec![Event::Stock(event)]).unwrap();
}

fn accept(unit: &mut UnitOfWork<MemoryLane>, product: &str, to: Level) {
    write(unit, product, to);
    accept_draft(unit).unwrap();
}

fn unit() -> UnitOfWork<MemoryLane> {
    UnitOfWork::new(MemoryLane::default()).unwrap()
}

fn names(found: &[(StockKey, Stock)]) -> Vec<&str> {
    found.iter().map(|(key, _)| key.product_id.as_str()).collect()
}

#[test]
fn an_abandoned_command_leaves_no_trace() {
    let mut unit = unit();
    write(&mut unit, "a", level(5, 0, 1));
    unit.abandon();
    assert_eq!(unit.stock(&key("a")).unwrap(), None);
    unit.commit(5).unwrap();
    assert!(unit.state.stocks.is_empty() && unit.state.log.is_empty());
}

#[test]
fn a_later_command_sees_what_an_earlier_one_wrote() {
    let mut unit = unit();
    accept(&mut unit, "a", level(5, 0, 1));
    assert_eq!(unit.stock(&key("a")).unwrap().unwrap().level, level(5, 0, 1));
    assert!(unit.state.stocks.is_empty(), "not before the commit");
}

#[test]
fn a_broken_invariant_drops_the_command_alone() {
    let mut unit = unit();
    accept(&mut unit, "a", level(5, 0, 1));
    unit.put_stock(key("b"), stock(level(5, 0, 1))).unwrap();
    assert!(accept_draft(&mut unit).is_err(), "no event");
    unit.commit(5).unwrap();
    assert_eq!(unit.state.stocks.len(), 1);
    assert_eq!(unit.state.log.len(), 1);
}

#[test]
fn the_log_is_numbered_without_a_gap_over_batches_and_failures() {
    let mut unit = unit();
    accept(&mut unit, "a", level(5, 0, 1));
    accept(&mut unit, "a", level(6, 0, 2));
    unit.commit(5).unwrap();
    unit.state.failing = true;
    accept(&mut unit, "b", level(1, 0, 1));
    assert!(unit.commit(5).is_err());
    unit.recover().unwrap();
    assert_eq!(unit.stock(&key("b")).unwrap(), None, "nothing of the failed batch remains");
    accept(&mut unit, "c", level(1, 0, 1));
    unit.commit(5).unwrap();
    let sequences: Vec<_> = unit.state.log.iter().map(|entry| entry.sequence).collect();
    assert_eq!(sequences, [1, 2, 3]);
}

#[test]
fn scans_see_what_is_written_and_keep_their_limit_and_order() {
    let mut unit = unit();
    for product in ["a", "c", "e"] {
        accept(&mut unit, product, level(5, 0, 1));
    }
    unit.commit(5).unwrap();
    accept(&mut unit, "b", level(5, 0, 1));
    write(&mut unit, "d", level(5, 0, 1));
    let all = StockScan { limit: 10, ..StockScan::default() };
    assert_eq!(names(&unit.scan_stocks(&all).unwrap()), ["a", "b", "c", "d", "e"]);
    let some = StockScan { limit: 2, after: Some(key("a")), ..StockScan::default() };
    assert_eq!(names(&unit.scan_stocks(&some).unwrap()), ["b", "c"]);
}

#[test]
fn scans_by_deficit_see_what_is_written() {
    let mut unit = unit();
    accept(&mut unit, "a", level(5, 9, 1));
    accept(&mut unit, "b", level(5, 7, 1));
    unit.commit(5).unwrap();
    accept(&mut unit, "a", level(9, 9, 2));
    accept(&mut unit, "c", level(0, 9, 1));
    let all = DeficitScan { limit: 10, ..DeficitScan::default() };
    assert_eq!(names(&unit.scan_deficits(&all).unwrap()), ["c", "b"]);
}

#[test]
fn a_flood_is_a_fault_and_not_a_growing_memory() {
    let mut unit = unit();
    let flood = (0..=world::STOCKS_PER_COMMAND_MAX)
        .try_for_each(|i| unit.put_stock(key(&i.to_string()), stock(level(1, 0, 1))));
    assert!(matches!(flood, Err(Ended::Fault(_))));
}

/// A hold of 3 of "a", which must exist, due at 50.
fn hold(unit: &mut UnitOfWork<MemoryLane>, id: &str, version: u64) {
    let level = unit.stock(&key("a")).unwrap().unwrap().level;
    let to = Level { reserved: level.reserved + 3, version: level.version + 1, ..level };
    unit.put_stock(key("a"), stock(to)).unwrap();
    unit.put_reservation(id.to_owned(), reservation(ReservationState::Held, version)).unwrap();
    let event = StockEvent {
        kind: StockEventKind::InventoryReserved,
        key: key("a"),
        quantity: Some(3),
        reservation_id: Some(id.to_owned()),
        expires_at: Some(50),
        counterpart_id: None,
        from: Some(level),
        to,
    };
    unit.publish(vec![Event::Stock(event)]).unwrap();
}

fn reservation(state: ReservationState, version: u64) -> Reservation {
    let gone = if state.is_active() { 0 } else { 3 };
    Reservation {
        lines: vec![ReservationLine {
            key: key("a"),
            quantity: 3,
            fulfilled: 0,
            released: gone,
            expired: 0,
        }],
        status: ReservationStatus { state, expires_at: Some(50), version },
        ttl_seconds: None,
        reference: None,
        created_at: 1,
        updated_at: 1,
    }
}

#[test]
fn undoable_commands_are_undone_together() {
    let mut unit = unit();
    accept(&mut unit, "a", level(9, 0, 1));
    unit.begin_undoable();
    accept(&mut unit, "a", level(8, 0, 2));
    accept(&mut unit, "b", level(1, 0, 1));
    hold(&mut unit, "r", 1);
    accept_draft(&mut unit).unwrap();
    unit.undo();
    assert_eq!(unit.stock(&key("a")).unwrap().unwrap().level, level(9, 0, 1));
    assert_eq!(unit.stock(&key("b")).unwrap(), None);
    assert_eq!(unit.reservation("r").unwrap(), None);
    unit.commit(5).unwrap();
    assert_eq!((unit.state.stocks.len(), unit.state.reservations.len()), (1, 0));
    assert_eq!(unit.state.log.len(), 1);
    unit.begin_undoable();
    accept(&mut unit, "b", level(1, 0, 1));
    unit.keep();
    unit.commit(5).unwrap();
    assert_eq!(unit.state.log.iter().map(|entry| entry.sequence).collect::<Vec<_>>(), [1, 2]);
}

#[test]
fn a_hold_is_due_from_its_time_on_until_it_is_resolved() {
    let mut unit = unit();
    accept(&mut unit, "a", level(9, 0, 1));
    assert_eq!(unit.next_due(), None);
    hold(&mut unit, "r", 1);
    accept_draft(&mut unit).unwrap();
    unit.commit(5).unwrap();
    assert_eq!(unit.next_due(), Some(50));
    let due_on = |unit: &mut UnitOfWork<MemoryLane>, of: Due, now| {
        let due = unit.due(Some(&of), now, 9).unwrap();
        unit.begin_call(Purpose::Command, now);
        let met = match &of {
            Due::Stock(key) => unit.stock(key).map(|_| ()),
            Due::Reservation(id) => unit.reservation(id).map(|_| ()),
        };
        assert_eq!(matches!(met, Err(Ended::Due(due)) if due == of), !due.is_empty());
        due
    };
    let (a, b, r) = (Due::Stock(key("a")), Due::Stock(key("b")), Due::Reservation("r".to_owned()));
    accept(&mut unit, "b", level(9, 0, 1));
    for (of, due) in [(&a, 1), (&b, 0), (&r, 1)] {
        assert_eq!(due_on(&mut unit, of.clone(), 49).len(), 0);
        assert_eq!(due_on(&mut unit, of.clone(), 50).len(), due);
    }
    assert_eq!(unit.due(None, 50, 9).unwrap(), ["r"]);
    // The command that expires the hold may meet it.
    unit.begin_call(Purpose::Expiry, 50);
    assert!(unit.reservation("r").unwrap().is_some() && unit.stock(&key("a")).unwrap().is_some());
}

#[test]
fn a_hold_that_the_batch_has_ended_is_not_due_any_more() {
    let mut unit = unit();
    accept(&mut unit, "a", level(9, 0, 1));
    hold(&mut unit, "r", 1);
    accept_draft(&mut unit).unwrap();
    unit.commit(5).unwrap();
    unit.begin_call(Purpose::Expiry, 50);
    let Level { version, .. } = unit.stock(&key("a")).unwrap().unwrap().level;
    let from = unit.stock(&key("a")).unwrap().unwrap().level;
    let to = Level { reserved: 0, version: version + 1, ..from };
    unit.put_stock(key("a"), stock(to)).unwrap();
    let ended = reservation(ReservationState::Cancelled, 2);
    let was = reservation(ReservationState::Held, 1).status;
    unit.put_reservation("r".to_owned(), ended.clone()).unwrap();
    unit.publish(vec![
        Event::Stock(StockEvent {
            kind: StockEventKind::InventoryReleased,
            key: key("a"),
            quantity: Some(3),
            reservation_id: Some("r".to_owned()),
            expires_at: None,
            counterpart_id: None,
            from: Some(from),
            to,
        }),
        Event::Reservation(crate::model::ReservationEvent {
            kind: crate::model::ReservationEventKind::ReservationCancelled,
            reservation_id: "r".to_owned(),
            from: was,
            to: ended.status,
        }),
    ])
    .unwrap();
    accept_draft(&mut unit).unwrap();
    assert_eq!(unit.due(None, 50, 9).unwrap(), [""; 0]);
    assert_eq!(unit.due(Some(&Due::Stock(key("a"))), 50, 9).unwrap(), [""; 0]);
    unit.begin_call(Purpose::Command, 50);
    assert!(unit.stock(&key("a")).unwrap().is_some());
    unit.commit(50).unwrap();
    assert_eq!(unit.next_due(), None);
}

#[test]
fn units_held_by_reservations_and_units_reserved_in_stocks_must_agree() {
    let mut unit = unit();
    accept(&mut unit, "a", level(9, 0, 1));
    unit.put_reservation("r".to_owned(), reservation(ReservationState::Held, 1)).unwrap();
    let broken = accept_draft(&mut unit).unwrap_err();
    assert!(broken.0.contains("changed by 3"), "{broken}");
    hold(&mut unit, "r", 1);
    accept_draft(&mut unit).unwrap();
    hold(&mut unit, "r", 3);
    let skipped = accept_draft(&mut unit).unwrap_err();
    assert!(skipped.0.contains("version 3"), "{skipped}");
}

#[test]
fn a_final_reservation_stays_as_it_is() {
    let mut unit = unit();
    unit.state
        .reservations
        .insert("r".to_owned(), (1, reservation(ReservationState::Cancelled, 2)));
    unit.put_reservation("r".to_owned(), reservation(ReservationState::Held, 3)).unwrap();
    let broken = accept_draft(&mut unit).unwrap_err();
    assert!(broken.0.contains("from Cancelled to Held"), "{broken}");
}

fn answered(
    unit: &mut UnitOfWork<MemoryLane>,
    level_answered: Level,
    available: u64,
) -> Result<(), Fault> {
    let reserve = Action::Reserve { key: key("a"), quantity: 1 };
    let reserved = level_answered.reserved;
    let view = StockView { stock: stock(level_answered), reserved, available, low: false };
    unit.accept(&command(reserve), 5, Digest([0; 32]), &Outcome::Stock { view, created: false })
}

#[test]
fn an_answer_that_differs_from_the_state_is_a_fault() {
    let mut unit = unit();
    accept(&mut unit, "a", level(5, 0, 1));
    let mut lie = |level_answered, available| {
        write(&mut unit, "a", level(6, 0, 2));
        answered(&mut unit, level_answered, available).unwrap_err().0
    };
    assert!(lie(level(9, 0, 2), 6).contains("differs from the state after the command"));
    assert!(
        lie(level(6, 0, 2), 7).contains("differs from the state after the command"),
        "more than there is"
    );
    write(&mut unit, "a", level(6, 0, 2));
    answered(&mut unit, level(6, 0, 2), 4).unwrap();
    assert!(answered(&mut unit, level(7, 0, 3), 7).is_err(), "nothing was written");
    let wrong = command(Action::Confirm { id: "r".to_owned() });
    let view = StockView { stock: stock(level(6, 0, 2)), reserved: 0, available: 6, low: false };
    let outcome = Outcome::Stock { view, created: false };
    assert!(unit.accept(&wrong, 5, Digest([0; 32]), &outcome).is_err(), "of another kind");
}
