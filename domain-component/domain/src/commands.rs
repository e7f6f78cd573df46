//! One function per command: parse the arguments, load, decide, save, publish.

use crate::{
    Changes, Context, Event, InvalidArgument, Quantity, RawKey, Rejection, Stock, Timestamp, World,
    arguments::Arguments, check_precondition,
};

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
pub fn adjust_set<W: World>(
    world: &mut W,
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
    let found = world.stock(&key);
    check_precondition(
        context.precondition.as_ref(),
        found.as_ref().map(|stock| stock.level().version()),
    )?;
    let mut changes = Changes::default();
    let Some(mut stock) = found else {
        let minimum = minimum.unwrap_or(Quantity::ZERO);
        let (stock, event) = Stock::create(key, total, minimum, context.now);
        changes.record(None, stock.clone(), event);
        commit(world, changes);
        return Ok(StockOutcome { stock, created: true });
    };
    let before = stock.level();
    if let Some(event) = stock.adjust_set(total, minimum, context.now)? {
        changes.record(Some(before), stock.clone(), event);
        commit(world, changes);
    }
    Ok(StockOutcome { stock, created: false })
}

/// Changes the total by a signed amount.
///
/// # Errors
/// As the contract lists them for `adjust-by`.
pub fn adjust_by<W: World>(
    world: &mut W,
    context: &Context,
    key: RawKey,
    delta: i64,
) -> Result<StockOutcome, Rejection> {
    let nonzero = if delta == 0 {
        Err(InvalidArgument { name: "delta", message: "must not be 0".into() })
    } else {
        Ok(delta)
    };
    on_stock(world, context, key, nonzero, Stock::adjust_by)
}

/// Reserves a quantity for nobody in particular.
///
/// # Errors
/// As the contract lists them for `reserve`.
pub fn reserve<W: World>(
    world: &mut W,
    context: &Context,
    key: RawKey,
    quantity: u64,
) -> Result<StockOutcome, Rejection> {
    let quantity = Quantity::parse("quantity", quantity, 1);
    on_stock(world, context, key, quantity, Stock::reserve)
}

/// Gives back what [`reserve`] took.
///
/// # Errors
/// As the contract lists them for `release`.
pub fn release<W: World>(
    world: &mut W,
    context: &Context,
    key: RawKey,
    quantity: u64,
) -> Result<StockOutcome, Rejection> {
    let quantity = Quantity::parse("quantity", quantity, 1);
    on_stock(world, context, key, quantity, Stock::release)
}

/// The way of every command on one stock that must exist.
fn on_stock<W: World, A>(
    world: &mut W,
    context: &Context,
    key: RawKey,
    argument: Result<A, InvalidArgument>,
    decide: fn(&mut Stock, A, Timestamp) -> Result<Event, Rejection>,
) -> Result<StockOutcome, Rejection> {
    let mut arguments = Arguments::default();
    let (Some(key), Some(argument)) = (arguments.key(key), arguments.check(argument)) else {
        return Err(arguments.rejection());
    };
    let Some(mut stock) = world.stock(&key) else {
        return Err(Rejection::ProductNotFound { key });
    };
    let before = stock.level();
    check_precondition(context.precondition.as_ref(), Some(before.version()))?;
    let event = decide(&mut stock, argument, context.now)?;
    let mut changes = Changes::default();
    changes.record(Some(before), stock.clone(), event);
    commit(world, changes);
    Ok(StockOutcome { stock, created: false })
}

fn commit<W: World>(world: &mut W, changes: Changes) {
    let (stocks, events) = changes.finish();
    for stock in stocks {
        world.save(stock);
    }
    world.publish(events);
}
