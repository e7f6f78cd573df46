use super::{ReservationOutcome, reservation};
use crate::{
    Change, Context, Rejection, World, arguments::Arguments, reservation::Resolution,
    session::Session,
};
use alloc::string::String;

/// Expires a hold that is due: frees what it still holds, as of the time it came due, so that it
/// does not matter when this is called.
///
/// # Errors
/// As the contract lists them for `expire`.
pub fn expire(
    world: &mut dyn World,
    context: &Context,
    id: String,
) -> Result<ReservationOutcome, Rejection> {
    let mut arguments = Arguments::default();
    let Some(id) = arguments.reservation_id(id) else {
        return Err(arguments.rejection());
    };
    let mut session = Session::new(world, context.now);
    let mut reservation = reservation::load(&mut session, context, &id)?;
    let status = reservation.status;
    let Some(due) = status.expires_at.filter(|_| reservation.is_due(context.now)) else {
        let (state, expires_at) = (status.state, status.expires_at);
        return Err(Rejection::ReservationNotDue { id, state, expires_at });
    };
    let held = reservation.holdings();
    reservation::move_units(&mut session, &id, &held, Resolution::Expire, due)?;
    reservation.resolve_all(Resolution::Expire);
    let event = reservation.change(Change::Expired, Some(due), due);
    session.say(event);
    Ok(reservation::finish(session, reservation, false))
}
