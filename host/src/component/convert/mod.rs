//! Conversions between the contract's types and the host's.

pub(super) mod reservation;

use super::bindings::{
    exports::holdfast::inventory::inventory as exported,
    holdfast::inventory::{storage, types},
};
use crate::model::{
    Command, DeficitPosition, DeficitScan, Detail, Event, Fault, Level, LocationId, LowStockPage,
    Outcome, Precondition, Rejection, ReservationEvent, ReservationEventKind, Stock, StockEvent,
    StockEventKind, StockFilter, StockKey, StockPage, StockScan, StockView, Timestamp, Value,
};

pub(super) fn key_to_wit(key: &StockKey) -> types::StockKey {
    types::StockKey {
        product_id: key.product_id.as_str().to_owned(),
        location_id: key.location_id.as_str().to_owned(),
    }
}

pub(super) fn key_from_wit(key: types::StockKey) -> Result<StockKey, Fault> {
    StockKey::parse(key.product_id, key.location_id)
        .map_err(|error| Fault(format!("it named a stock whose id {error}")))
}

pub(super) fn context_to_wit(command: &Command, now: Timestamp) -> types::Context {
    types::Context {
        now,
        command_id: command.id.to_string(),
        caller: command.origin.caller.as_deref().map(str::to_owned),
        reason: command.origin.reason.as_deref().map(str::to_owned),
        reference: command.origin.reference.as_deref().map(str::to_owned),
        precondition: command.precondition.as_ref().map(|precondition| match precondition {
            Precondition::Exists => types::Precondition::Exists,
            Precondition::Absent => types::Precondition::Absent,
            Precondition::VersionIn(versions) => types::Precondition::VersionIn(versions.clone()),
        }),
    }
}

pub(super) fn query_context(caller: Option<&str>, now: Timestamp) -> types::QueryContext {
    types::QueryContext { now, caller: caller.map(str::to_owned) }
}

pub(super) fn filter_to_wit(filter: &StockFilter) -> exported::StockFilter {
    exported::StockFilter {
        location_id: filter.location_id.as_ref().map(|id| id.as_str().to_owned()),
        product_prefix: filter.product_prefix.clone(),
        low: filter.low,
    }
}

fn level_from_wit(level: types::StockLevel) -> Level {
    let types::StockLevel { total, reserved, unattributed, minimum, version } = level;
    Level { total, reserved, unattributed, minimum, version }
}

fn level_to_wit(level: Level) -> types::StockLevel {
    let Level { total, reserved, unattributed, minimum, version } = level;
    types::StockLevel { total, reserved, unattributed, minimum, version }
}

pub(super) fn stock_from_wit(stock: types::Stock) -> Stock {
    Stock {
        level: level_from_wit(stock.level),
        due: stock.due,
        created_at: stock.created_at,
        updated_at: stock.updated_at,
    }
}

pub(super) fn stock_to_wit(stock: Stock) -> types::Stock {
    types::Stock {
        level: level_to_wit(stock.level),
        due: stock.due,
        created_at: stock.created_at,
        updated_at: stock.updated_at,
    }
}

pub(super) fn entry_to_wit((key, stock): (StockKey, Stock)) -> types::StockEntry {
    types::StockEntry { key: key_to_wit(&key), stock: stock_to_wit(stock) }
}

pub(super) fn view_from_wit(view: types::StockView) -> StockView {
    StockView {
        stock: stock_from_wit(view.stock),
        reserved: view.reserved,
        available: view.available,
        low: view.low,
    }
}

pub(super) fn outcome_from_wit(outcome: exported::StockOutcome) -> Outcome {
    Outcome::Stock { view: view_from_wit(outcome.view), created: outcome.created }
}

pub(super) fn transfer_from_wit(outcome: exported::TransferOutcome) -> Outcome {
    let (source, target) = (view_from_wit(outcome.source), view_from_wit(outcome.target));
    Outcome::Transfer { source, target }
}

fn items_from_wit(items: Vec<types::StockItem>) -> Result<Vec<(StockKey, StockView)>, Fault> {
    items.into_iter().map(|item| Ok((key_from_wit(item.key)?, view_from_wit(item.view)))).collect()
}

pub(super) fn page_from_wit(page: exported::StockPage) -> Result<StockPage, Fault> {
    Ok(StockPage {
        items: items_from_wit(page.items)?,
        next: page.next.map(key_from_wit).transpose()?,
    })
}

pub(super) fn low_page_from_wit(page: exported::LowStockPage) -> Result<LowStockPage, Fault> {
    Ok(LowStockPage {
        items: items_from_wit(page.items)?,
        next: page.next.map(position_from_wit).transpose()?,
    })
}

pub(super) fn position_to_wit(position: &DeficitPosition) -> storage::DeficitPosition {
    storage::DeficitPosition { deficit: position.deficit, key: key_to_wit(&position.key) }
}

fn position_from_wit(position: storage::DeficitPosition) -> Result<DeficitPosition, Fault> {
    Ok(DeficitPosition { deficit: position.deficit, key: key_from_wit(position.key)? })
}

pub(super) fn scan_from_wit(scan: storage::StockScan) -> Result<StockScan, Fault> {
    Ok(StockScan {
        location_id: scan.location_id,
        product_prefix: scan.product_prefix,
        below_minimum: scan.below_minimum,
        after: scan.after.map(key_from_wit).transpose()?,
        limit: scan.limit,
    })
}

pub(super) fn deficit_scan_from_wit(scan: storage::DeficitScan) -> Result<DeficitScan, Fault> {
    Ok(DeficitScan {
        location_id: scan.location_id,
        after: scan.after.map(position_from_wit).transpose()?,
        limit: scan.limit,
    })
}

/// The longest code of a rejection, and the longest name of a detail, in bytes.
const NAME_BYTES_MAX: usize = 64;

/// The longest message of a rejection, and the longest text of a detail, in bytes.
const TEXT_BYTES_MAX: usize = 4_096;

/// The most details of a rejection: about ten for each of a hundred lines.
const DETAILS_MAX: usize = 1_024;

/// Checks that a rejection is within its bounds.
fn check_rejection(rejection: &types::Rejection) -> Result<(), Fault> {
    let (names, texts): (Vec<_>, Vec<_>) = rejection
        .details
        .iter()
        .take(DETAILS_MAX)
        .map(|detail| match &detail.value {
            types::DetailValue::Text(text) => (detail.name.len(), text.len()),
            _ => (detail.name.len(), 0),
        })
        .unzip();
    let longest = |lengths: &[usize]| lengths.iter().copied().max().unwrap_or(0);
    let sizes = [
        ("a code", rejection.code.len(), NAME_BYTES_MAX),
        ("a message", rejection.message.len(), TEXT_BYTES_MAX),
        ("a name", longest(&names), NAME_BYTES_MAX),
        ("a text", longest(&texts), TEXT_BYTES_MAX),
    ];
    if rejection.details.len() > DETAILS_MAX {
        let count = rejection.details.len();
        return Err(Fault(format!("it refused with {count} details, allowed are {DETAILS_MAX}")));
    }
    match sizes.into_iter().find(|(_, size, most)| size > most) {
        Some((what, size, most)) => {
            Err(Fault(format!("it refused with {what} of {size} bytes, allowed are {most}")))
        }
        None => Ok(()),
    }
}

pub(super) fn rejection_from_wit(rejection: types::Rejection) -> Result<Rejection, Fault> {
    check_rejection(&rejection)?;
    let detail = |detail: types::Detail| Detail {
        line: detail.line,
        name: detail.name,
        value: match detail.value {
            types::DetailValue::Text(text) => Value::Text(text),
            types::DetailValue::Unsigned(number) => Value::Unsigned(number),
            types::DetailValue::Signed(number) => Value::Signed(number),
            types::DetailValue::Flag(flag) => Value::Flag(flag),
        },
    };
    Ok(Rejection {
        code: rejection.code,
        message: rejection.message,
        details: rejection.details.into_iter().map(detail).collect(),
    })
}

pub(super) fn event_from_wit(event: types::Event) -> Result<Event, Fault> {
    use ReservationEventKind as Reservation;
    use StockEventKind as Kind;
    Ok(match event {
        types::Event::InventoryAdjusted(adjusted) => {
            stock_event(Kind::InventoryAdjusted, adjusted.key, adjusted.from, adjusted.to)?
        }
        types::Event::InventoryReserved(it) => movement(Kind::InventoryReserved, it)?,
        types::Event::InventoryReleased(it) => movement(Kind::InventoryReleased, it)?,
        types::Event::InventoryFulfilled(it) => movement(Kind::InventoryFulfilled, it)?,
        types::Event::InventoryTransferred(it) => transferred(it)?,
        types::Event::ReservationExtended(it) => change(Reservation::ReservationExtended, it)?,
        types::Event::ReservationConfirmed(it) => change(Reservation::ReservationConfirmed, it)?,
        types::Event::ReservationFulfilled(it) => change(Reservation::ReservationFulfilled, it)?,
        types::Event::ReservationCancelled(it) => change(Reservation::ReservationCancelled, it)?,
        types::Event::ReservationExpired(it) => change(Reservation::ReservationExpired, it)?,
        types::Event::LowStockDetected(it) => {
            stock_event(Kind::LowStockDetected, it.key, it.from, it.to)?
        }
        types::Event::LowStockResolved(it) => {
            stock_event(Kind::LowStockResolved, it.key, it.from, it.to)?
        }
    })
}

fn stock_event(
    kind: StockEventKind,
    key: types::StockKey,
    from: Option<types::StockLevel>,
    to: types::StockLevel,
) -> Result<Event, Fault> {
    Ok(Event::Stock(StockEvent {
        kind,
        key: key_from_wit(key)?,
        quantity: None,
        reservation_id: None,
        expires_at: None,
        counterpart_id: None,
        from: from.map(level_from_wit),
        to: level_from_wit(to),
    }))
}

fn movement(kind: StockEventKind, it: types::StockMovement) -> Result<Event, Fault> {
    it.reservation_id.as_deref().map_or(Ok(()), reservation::check_id)?;
    Ok(Event::Stock(StockEvent {
        kind,
        key: key_from_wit(it.key)?,
        quantity: Some(it.quantity),
        reservation_id: it.reservation_id,
        expires_at: it.expires_at,
        counterpart_id: None,
        from: Some(level_from_wit(it.from)),
        to: level_from_wit(it.to),
    }))
}

fn transferred(it: types::InventoryTransferred) -> Result<Event, Fault> {
    let kind = match it.direction {
        types::TransferDirection::Outgoing => StockEventKind::InventoryTransferredOut,
        types::TransferDirection::Incoming => StockEventKind::InventoryTransferredIn,
    };
    Ok(Event::Stock(StockEvent {
        kind,
        key: key_from_wit(it.key)?,
        quantity: Some(it.quantity),
        reservation_id: None,
        expires_at: None,
        counterpart_id: Some(location(it.counterpart_id)?),
        from: it.from.map(level_from_wit),
        to: level_from_wit(it.to),
    }))
}

fn location(id: String) -> Result<String, Fault> {
    match LocationId::check(&id) {
        Ok(()) => Ok(id),
        Err(error) => Err(Fault(format!("it named a location whose id {error}"))),
    }
}

fn change(kind: ReservationEventKind, it: types::ReservationChange) -> Result<Event, Fault> {
    reservation::check_id(&it.reservation_id)?;
    Ok(Event::Reservation(ReservationEvent {
        kind,
        reservation_id: it.reservation_id,
        from: reservation::status_from_wit(it.from),
        to: reservation::status_from_wit(it.to),
    }))
}
