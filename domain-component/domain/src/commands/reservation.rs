//! How every command on a reservation begins and ends.

use crate::{
    arguments::Arguments,
    event::Change,
    precondition::check_precondition,
    rejection::Rejection,
    reservation::Reservation,
    session::Session,
    units::Timestamp,
    world::{Context, World},
};
use alloc::string::String;

/// The result of an accepted command on a reservation.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ReservationOutcome {
    /// The reservation after the command.
    pub reservation: Reservation,
    /// Whether the command created the reservation.
    pub created: bool,
}

/// The outcome of a command on a reservation, or its refusal.
pub(super) type Outcome = Result<ReservationOutcome, Rejection>;

/// Begins a command on a reservation that must exist. `check` checks the arguments other than the
/// id. Returns what `check` returns, with the session and the reservation.
///
/// # Errors
/// [`Rejection::InvalidRequest`], [`Rejection::ReservationNotFound`],
/// [`Rejection::VersionMismatch`].
pub(super) fn begin<'w, T>(
    world: &'w mut dyn World,
    context: &Context,
    id: String,
    check: impl FnOnce(&mut Arguments) -> Option<T>,
) -> Result<(Session<'w>, Reservation, T), Rejection> {
    let mut arguments = Arguments::default();
    let (id, checked) = (arguments.reservation_id(id), check(&mut arguments));
    let (Some(id), Some(checked)) = (id, checked) else {
        return Err(arguments.rejection());
    };
    let mut session = Session::new(world, context.now);
    let Some(reservation) = session.reservation(&id) else {
        return Err(Rejection::ReservationNotFound { id });
    };
    check_precondition(context.precondition.as_ref(), Some(reservation.status.version))?;
    Ok((session, reservation, checked))
}

/// Accepts a command: saves the reservation as it is now and all that the session has changed.
pub(super) fn accept(session: Session<'_>, reservation: Reservation, created: bool) -> Outcome {
    session.commit(reservation.clone());
    Ok(ReservationOutcome { reservation, created })
}

/// Accepts a command that changes the status of the reservation.
pub(super) fn accept_change(
    mut session: Session<'_>,
    mut reservation: Reservation,
    change: Change,
    expires_at: Option<Timestamp>,
    at: Timestamp,
) -> Outcome {
    session.record(reservation.change(change, expires_at, at));
    accept(session, reservation, false)
}

/// Accepts a command that changes nothing.
pub(super) const fn accept_unchanged(reservation: Reservation) -> Outcome {
    Ok(ReservationOutcome { reservation, created: false })
}
