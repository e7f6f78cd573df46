//! The commands on one stock.

use crate::{
    argument::InvalidArgument,
    arguments::{Arguments, RawKey},
    event::Event,
    level::Level,
    low_stock,
    precondition::check_precondition,
    quantity::Quantity,
    rejection::Rejection,
    stock::Stock,
    units::Timestamp,
    world::{Context, World},
};
use alloc::vec::Vec;

/// The result of an accepted command on one stock.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct StockOutcome {
    /// The stock after the command.
    pub stock: Stock,
    /// Whether the command created the stock.
    pub created: bool,
}

/// The outcome of a command on one stock, or its refusal.
type Outcome = Result<StockOutcome, Rejection>;

/// Sets the total of a stock and, where it is given, the minimum. Creates the stock where there is
/// none, with a minimum of 0 unless one is given. The same values change nothing.
///
/// # Errors
/// The rejections that the contract lists for `adjust-set`.
pub fn adjust_set(
    world: &mut dyn World,
    context: &Context,
    key: RawKey,
    total: u64,
    minimum: Option<u64>,
) -> Outcome {
    let mut arguments = Arguments::default();
    let key = arguments.key(key);
    let total = arguments.check(Quantity::parse("total", total, 0));
    let minimum =
        arguments.check(minimum.map(|units| Quantity::parse("minimum", units, 0)).transpose());
    let (Some(key), Some(total), Some(minimum)) = (key, total, minimum) else {
        return Err(arguments.rejection());
    };
    let found = world.stock(&key);
    let before = found.as_ref().map(Stock::level);
    let version = before.map(|level| level.version());
    check_precondition(context.precondition.as_ref(), version)?;
    let (stock, event) = match found {
        Some(mut stock) => match stock.adjust_set(total, minimum, context.now)? {
            Some(event) => (stock, event),
            None => return Ok(StockOutcome { stock, created: false }),
        },
        None => Stock::create(key, total, minimum.unwrap_or_default(), context.now),
    };
    accept(world, before.as_ref(), &stock, event);
    Ok(StockOutcome { stock, created: before.is_none() })
}

/// Adds `delta` units to the total of a stock; a negative `delta` takes units away.
///
/// # Errors
/// The rejections that the contract lists for `adjust-by`.
pub fn adjust_by(world: &mut dyn World, context: &Context, key: RawKey, delta: i64) -> Outcome {
    let invalid = (delta == 0).then(|| InvalidArgument::new("delta", "must not be 0".into()));
    on_stock(world, context, key, invalid, &mut |stock, now| stock.adjust_by(delta, now))
}

/// Reserves a quantity of at least 1 that belongs to no reservation.
///
/// # Errors
/// The rejections that the contract lists for `reserve`.
pub fn reserve(world: &mut dyn World, context: &Context, key: RawKey, quantity: u64) -> Outcome {
    move_quantity(world, context, key, quantity, Stock::reserve)
}

/// Releases a quantity of at least 1 that [`reserve`] has reserved.
///
/// # Errors
/// The rejections that the contract lists for `release`.
pub fn release(world: &mut dyn World, context: &Context, key: RawKey, quantity: u64) -> Outcome {
    move_quantity(world, context, key, quantity, Stock::release)
}

fn move_quantity(
    world: &mut dyn World,
    context: &Context,
    key: RawKey,
    quantity: u64,
    change: fn(&mut Stock, Quantity, Timestamp) -> Result<Event, Rejection>,
) -> Outcome {
    let (quantity, invalid) = match Quantity::parse("quantity", quantity, 1) {
        Ok(quantity) => (quantity, None),
        Err(invalid) => (Quantity::ZERO, Some(invalid)),
    };
    on_stock(world, context, key, invalid, &mut |stock, now| change(stock, quantity, now))
}

/// Runs a command on one stock that must exist. `invalid` is the argument other than the key,
/// where it is invalid.
fn on_stock(
    world: &mut dyn World,
    context: &Context,
    key: RawKey,
    invalid: Option<InvalidArgument>,
    change: &mut dyn FnMut(&mut Stock, Timestamp) -> Result<Event, Rejection>,
) -> Outcome {
    let mut arguments = Arguments::default();
    let key = arguments.key(key);
    let argument = arguments.check(invalid.map_or(Ok(()), Err));
    let (Some(key), Some(())) = (key, argument) else {
        return Err(arguments.rejection());
    };
    let Some(mut stock) = world.stock(&key) else {
        return Err(Rejection::ProductNotFound { key });
    };
    let before = stock.level();
    check_precondition(context.precondition.as_ref(), Some(before.version()))?;
    let event = change(&mut stock, context.now)?;
    accept(world, Some(&before), &stock, event);
    Ok(StockOutcome { stock, created: false })
}

/// Accepts a command: saves the stock and publishes the event, with a low-stock event where the
/// change causes one. `before` is `None` where the command creates the stock.
fn accept(world: &mut dyn World, before: Option<&Level>, stock: &Stock, event: Event) {
    let mut events = Vec::with_capacity(2);
    events.push(event);
    events.extend(low_stock::judge(&stock.key, before, &stock.level()));
    world.save(stock);
    world.publish(events);
}
