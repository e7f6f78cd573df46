use crate::{
    Context, DUE_HOLDS_MAX, InvalidArgument, Rejection, Timestamp, World,
    session::{DUE_LINES_MAX, Session},
};

/// What a sweep did.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct ExpiryOutcome {
    /// Reservations that it expired.
    pub expired: u32,
    /// Nothing comes due before this; none: nothing can.
    pub next_due: Option<Timestamp>,
}

/// Expires up to `limit` holds that are due, the longest due first.
///
/// # Errors
/// As the contract lists them for `expire-due`.
pub fn expire_due(
    world: &mut dyn World,
    context: &Context,
    limit: u32,
) -> Result<ExpiryOutcome, Rejection> {
    if !(1..=DUE_HOLDS_MAX).contains(&limit) {
        let most = DUE_HOLDS_MAX.into();
        return Err(InvalidArgument::out_of_range("limit", 1, most, limit.into()).into());
    }
    let mut session = Session::new(world, context.now);
    let due = session.due_holds(limit + 1);
    let (mut expired, mut lines, mut next_due) = (0, 0, due.next_due);
    for mut hold in due.holds {
        lines += hold.lines.len();
        if expired == limit || (expired > 0 && lines > DUE_LINES_MAX) {
            next_due = hold.status.expires_at;
            break;
        }
        session.expire(&mut hold);
        expired += 1;
    }
    session.commit();
    Ok(ExpiryOutcome { expired, next_due })
}
