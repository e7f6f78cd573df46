//! The command that moves units from one location to another.

use crate::{
    argument::InvalidArgument,
    arguments::Arguments,
    low_stock,
    precondition::check_precondition,
    quantity::Quantity,
    rejection::Rejection,
    stock::Stock,
    world::{Context, World},
};
use alloc::{string::String, vec};

/// The result of an accepted transfer.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct TransferOutcome {
    /// The stock that the units have left.
    pub source: Stock,
    /// The stock at which the units have arrived.
    pub target: Stock,
}

/// Moves a quantity of at least 1 from one location to another in one step. Creates the stock at
/// the target where there is none. The precondition applies to the stock at the source.
///
/// # Errors
/// The rejections that the contract lists for `transfer`.
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
    let (Some(()), Some(quantity), Some(from), Some(to)) = (known, quantity, source, target) else {
        return Err(arguments.rejection());
    };
    let now = context.now;
    let Some(mut source) = world.stock(&from) else {
        return Err(Rejection::ProductNotFound { key: from });
    };
    let target = world.stock(&to);
    let source_before = source.level();
    check_precondition(context.precondition.as_ref(), Some(source_before.version()))?;
    let sent = source.transfer_out(quantity, &to, now)?;
    let target_before = target.as_ref().map(Stock::level);
    let (target, received) = match target {
        Some(mut target) => {
            let event = target.transfer_in(quantity, &from, now)?;
            (target, event)
        }
        None => Stock::create_by_transfer(to, quantity, &from, now),
    };
    let mut events = vec![sent, received];
    events.extend(low_stock::judge(&source.key, Some(&source_before), &source.level()));
    events.extend(low_stock::judge(&target.key, target_before.as_ref(), &target.level()));
    world.save(&source);
    world.save(&target);
    world.publish(events);
    Ok(TransferOutcome { source, target })
}
