//! Commands on one stock.

use crate::{
    Context, Event, InvalidArgument, Quantity, RawKey, Rejection, Stock, StockKey, World,
    arguments::Arguments,
    check_precondition, low_stock,
    session::{Session, Slot},
};
use alloc::vec::Vec;

/// What a command on one stock did.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct StockOutcome {
    /// The stock after the command.
    pub stock: Stock,
    /// Whether the command created it.
    pub created: bool,
}

/// Sets total and minimum; creates the stock where there is none.
///
/// # Errors
/// As the contract lists them for `adjust-set`.
pub fn adjust_set(
    world: &mut dyn World,
    context: &Context,
    key: RawKey,
    total: u64,
    minimum: Option<u64>,
) -> Result<StockOutcome, Rejection> {
    let mut arguments = Arguments::default();
    let key = arguments.key(key);
    let total = arguments.check(Quantity::parse("total", total, 0));
    let minimum =
        arguments.check(minimum.map(|units| Quantity::parse("minimum", units, 0)).transpose());
    let (Some(key), Some(total), Some(minimum)) = (key, total, minimum) else {
        return Err(arguments.rejection());
    };
    let mut session = Session::new(world, context.now);
    let found = session.stock(&key);
    let current = found.and_then(|slot| session.look(slot)).map(|stock| stock.level().version());
    check_precondition(context.precondition.as_ref(), current)?;
    let slot = match found {
        Some(slot) => {
            session.change(slot, &mut |stock| stock.adjust_set(total, minimum, context.now))?;
            slot
        }
        None => {
            let minimum = minimum.unwrap_or(Quantity::ZERO);
            let (stock, event) = Stock::create(key.clone(), total, minimum, context.now);
            session.create(stock, event)
        }
    };
    finish(session, slot, key, found.is_none())
}

/// Changes the total by a signed amount.
///
/// # Errors
/// As the contract lists them for `adjust-by`.
pub fn adjust_by(
    world: &mut dyn World,
    context: &Context,
    key: RawKey,
    delta: i64,
) -> Result<StockOutcome, Rejection> {
    let invalid = (delta == 0).then(|| InvalidArgument::new("delta", "must not be 0".into()));
    on_stock(world, context, key, invalid, &mut |stock| stock.adjust_by(delta, context.now))
}

/// Reserves a quantity for nobody in particular.
///
/// # Errors
/// As the contract lists them for `reserve`.
pub fn reserve(
    world: &mut dyn World,
    context: &Context,
    key: RawKey,
    quantity: u64,
) -> Result<StockOutcome, Rejection> {
    with_quantity(world, context, key, quantity, Stock::reserve)
}

/// Gives back what [`reserve`] took.
///
/// # Errors
/// As the contract lists them for `release`.
pub fn release(
    world: &mut dyn World,
    context: &Context,
    key: RawKey,
    quantity: u64,
) -> Result<StockOutcome, Rejection> {
    with_quantity(world, context, key, quantity, Stock::release)
}

fn with_quantity(
    world: &mut dyn World,
    context: &Context,
    key: RawKey,
    quantity: u64,
    decide: fn(&mut Stock, Quantity, u64) -> Result<Event, Rejection>,
) -> Result<StockOutcome, Rejection> {
    let (quantity, invalid) = match Quantity::parse("quantity", quantity, 1) {
        Ok(quantity) => (quantity, None),
        Err(invalid) => (Quantity::ZERO, Some(invalid)),
    };
    on_stock(world, context, key, invalid, &mut |stock| decide(stock, quantity, context.now))
}

/// The way of every command on one stock that must exist.
fn on_stock(
    world: &mut dyn World,
    context: &Context,
    key: RawKey,
    invalid: Option<InvalidArgument>,
    decide: &mut dyn FnMut(&mut Stock) -> Result<Event, Rejection>,
) -> Result<StockOutcome, Rejection> {
    let mut arguments = Arguments::default();
    let key = arguments.key(key);
    let argument = arguments.check(invalid.map_or(Ok(()), Err));
    let (Some(key), Some(())) = (key, argument) else {
        return Err(arguments.rejection());
    };
    let Some(mut stock) = world.stock(&key) else {
        return Err(Rejection::ProductNotFound { key });
    };
    // The command concerns no other stock, so it needs no session.
    let before = stock.level();
    check_precondition(context.precondition.as_ref(), Some(before.version()))?;
    let mut events = Vec::with_capacity(2);
    events.push(decide(&mut stock)?);
    events.extend(low_stock::judge(&stock.key, Some(before), stock.level()));
    world.save(&stock);
    world.publish(events);
    Ok(StockOutcome { stock, created: false })
}

fn finish(
    session: Session<'_>,
    slot: Slot,
    key: StockKey,
    created: bool,
) -> Result<StockOutcome, Rejection> {
    let stock = session.look(slot).cloned().ok_or(Rejection::ProductNotFound { key })?;
    session.commit();
    Ok(StockOutcome { stock, created })
}
