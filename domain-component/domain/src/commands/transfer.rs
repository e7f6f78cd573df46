use crate::{
    Context, InvalidArgument, Quantity, Rejection, Stock, World, arguments::Arguments,
    check_precondition, session::Session,
};
use alloc::string::String;

/// Both stocks after a transfer.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct TransferOutcome {
    /// Where the units were.
    pub source: Stock,
    /// Where they are.
    pub target: Stock,
}

/// Moves units from one location to another in one step.
///
/// # Errors
/// As the contract lists them for `transfer`.
pub fn transfer(
    world: &mut dyn World,
    context: &Context,
    product_id: String,
    from_location_id: String,
    to_location_id: String,
    quantity: u64,
) -> Result<TransferOutcome, Rejection> {
    let mut arguments = Arguments::default();
    let known = arguments.check(if from_location_id == to_location_id {
        Err(InvalidArgument::new("to_location_id", "must not be where the units are".into()))
    } else {
        Ok(())
    });
    let quantity = arguments.check(Quantity::parse("quantity", quantity, 1));
    let source = arguments.key((product_id.clone(), from_location_id));
    let target = arguments.key((product_id, to_location_id));
    let (Some(()), Some(quantity), Some(source), Some(target)) = (known, quantity, source, target)
    else {
        return Err(arguments.rejection());
    };
    let now = context.now;
    let mut session = Session::new(world, now);
    let from = session.require(&source)?;
    let to = session.stock(&target);
    let current = session.look(from).map(|stock| stock.level().version());
    check_precondition(context.precondition.as_ref(), current)?;
    session.change(from, &mut |stock| stock.transfer_out(quantity, &target, now).map(Some))?;
    let to = match to {
        Some(slot) => {
            session
                .change(slot, &mut |stock| stock.transfer_in(quantity, &source, now).map(Some))?;
            slot
        }
        None => {
            let (stock, event) = Stock::received(target.clone(), quantity, &source, now);
            session.create(stock, event)
        }
    };
    let outcome = match (session.look(from), session.look(to)) {
        (Some(source), Some(target)) => {
            TransferOutcome { source: source.clone(), target: target.clone() }
        }
        _ => return Err(Rejection::ProductNotFound { key: source }),
    };
    session.commit();
    Ok(outcome)
}
