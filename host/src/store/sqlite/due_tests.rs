use super::*;

fn change(stock_id: i64, at: Timestamp, number: i64, units: u64, removed: bool) -> DueChange {
    DueChange { stock_id, at, number, units, removed }
}

#[test]
fn sums_are_exact_at_every_time_and_per_stock() {
    let mut sums = DueSums::folded(100);
    let changes =
        [change(1, 50, 1, 2, false), change(1, 200, 2, 3, false), change(2, 200, 2, 5, false)];
    sums.apply(&changes);
    assert_eq!([150, 199, 200, 999].map(|at| sums.until(1, at)), [2, 2, 5, 5]);
    assert_eq!([199, 200].map(|at| sums.until(2, at)), [0, 5]);
    assert_eq!(sums.until(3, 999), 0);
    sums.apply(&[change(1, 50, 1, 2, true), change(1, 200, 2, 1, true)]);
    assert_eq!([199, 200].map(|at| sums.until(1, at)), [0, 2]);
}

#[test]
fn a_copy_stays_as_it_was() {
    let mut sums = DueSums::folded(0);
    sums.apply(&[change(1, 10, 1, 2, false)]);
    let copy = sums.clone();
    sums.apply(&[change(1, 10, 1, 2, true)]);
    assert_eq!((sums.until(1, 10), copy.until(1, 10)), (0, 2));
}

mod in_a_store {
    use crate::{
        model::{
            Digest, DomainEvent, DomainEventKind, Event, Level, Reservation, ReservationLine,
            ReservationState, ReservationStatus, Stock, StockKey, Timestamp,
        },
        store::{
            Batch, BatchKeys, Lane, NewEntry, ReservationWrite, StockWrite, Store,
            StoredReservation,
            sqlite::{ReservationHandle, SqliteLane, SqliteStore},
        },
    };
    use uuid::Uuid;

    fn key() -> StockKey {
        StockKey::parse("a".to_owned(), "default".to_owned()).unwrap()
    }

    fn reservation(state: ReservationState, expires_at: Timestamp) -> Reservation {
        let line =
            ReservationLine { key: key(), quantity: 1, fulfilled: 0, released: 0, expired: 0 };
        Reservation {
            lines: vec![line],
            status: ReservationStatus { state, expires_at: Some(expires_at), version: 1 },
            ttl_seconds: None,
            reference: None,
            created_at: 1,
            updated_at: 1,
        }
    }

    /// Commits a reservation, and its stock where the reservation is new.
    fn commit(
        lane: &mut SqliteLane,
        id: &str,
        stored: Option<&StoredReservation<ReservationHandle>>,
        reservation: &Reservation,
    ) -> StoredReservation<ReservationHandle> {
        let level = Level { total: 9, reserved: 0, unattributed: 0, minimum: 0, version: 1 };
        let stock = Stock { level, due: 0, created_at: 1, updated_at: 1 };
        let (kind, digest) = (DomainEventKind::DomainSwapped, Digest([7; 32]));
        let log = [NewEntry {
            at: 1,
            command_id: Uuid::from_u128(1),
            caller: None,
            reason: None,
            reference: None,
            component: digest,
            event: Event::Domain(DomainEvent { kind, from: digest, to: digest }),
        }];
        let (key, mut handle) = (key(), None);
        let mut stocks =
            [StockWrite { key: &key, handle: &mut handle, before: None, stock: &stock }];
        let new = lane.log_end().unwrap().sequence == 0;
        lane.begin_batch(&BatchKeys::NONE).unwrap();
        let committed = lane.commit(Batch {
            stocks: if new { &mut stocks } else { &mut [] },
            reservations: &[ReservationWrite { id, stored, reservation }],
            log: &log,
            ..Batch::empty(1)
        });
        let handle = committed.unwrap().reservation_handles[0];
        StoredReservation { handle, reservation: reservation.clone() }
    }

    #[test]
    fn the_lane_knows_when_the_next_hold_comes_due_after_every_commit() {
        let folder = tempfile::tempdir().unwrap();
        let store = SqliteStore::open(&folder.path().join("inventory.db")).unwrap();
        let mut lane = store.lane().unwrap();
        assert_eq!(lane.next_due(), Some(0), "nothing is known before reading ahead");
        lane.look_ahead(1).unwrap();
        assert_eq!(lane.next_due(), None);
        let held = |at| reservation(ReservationState::Held, at);
        let first = commit(&mut lane, "first", None, &held(5_000));
        assert_eq!(lane.next_due(), Some(5_000));
        let second = commit(&mut lane, "second", None, &held(3_000));
        assert_eq!(lane.next_due(), Some(3_000));
        commit(&mut lane, "far", None, &held(500_000));
        assert_eq!(lane.next_due(), Some(3_000));
        for (id, stored) in [("second", &second), ("first", &first)] {
            commit(&mut lane, id, Some(stored), &reservation(ReservationState::Cancelled, 0));
        }
        assert_eq!(lane.next_due(), Some(500_000));
        commit(&mut lane, "farther", None, &held(400_000));
        lane.look_ahead(399_000).unwrap();
        assert_eq!(lane.next_due(), Some(400_000), "found by reading ahead at the latest");
    }
}
