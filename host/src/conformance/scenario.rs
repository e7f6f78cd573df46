//! The form of scenarios: TOML files with one step in each line.

use crate::model::{
    Action, Ask, Command, GetReservation, GetStock, InvalidId, LineRequest, ListReservations,
    ListStocks, LocationId, LowStock, Origin, Precondition, ProductId, Query, ReservationFilter,
    StockFilter, StockKey, Timestamp,
};
use serde::Deserialize;
use toml::{Table, Value};
use uuid::Uuid;

/// A file of scenarios about one subject.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct File {
    /// The subject.
    pub(super) title: String,
    /// The components that must pass the scenarios.
    pub(super) kind: PromiseKind,
    /// The scenarios.
    pub(super) scenario: Vec<Scenario>,
}

/// The components that must keep a promise.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum PromiseKind {
    /// Every domain.
    Core,
    /// The standard domain. A rule that is composed with it may differ where it decides itself.
    Policy,
}

/// A sequence of steps, each with the result that it must have.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Scenario {
    /// The promise.
    pub(super) name: String,
    /// The steps that check the promise.
    pub(super) steps: Vec<ScenarioStep>,
}

/// A call and the result that it must have.
#[derive(Clone, Default, Debug, Deserialize)]
#[serde(deny_unknown_fields, default, rename_all = "kebab-case")]
pub(super) struct ScenarioStep {
    /// The time of the call in milliseconds since the epoch; `None` for the time of the step
    /// before.
    pub(super) at: Option<Timestamp>,
    caller: Option<String>,
    reason: Option<String>,
    reference: Option<String>,
    /// The precondition: `exists`, `absent`, or a list of versions.
    r#if: Option<If>,

    adjust_set: Option<AdjustSet>,
    adjust_by: Option<AdjustBy>,
    reserve: Option<Units>,
    release: Option<Units>,
    transfer: Option<Transfer>,
    hold: Option<Hold>,
    replace: Option<ReplaceForm>,
    extend: Option<Extend>,
    confirm: Option<String>,
    fulfill: Option<SomeLines>,
    cancel: Option<SomeLines>,
    expire: Option<String>,
    get_stock: Option<OneStock>,
    get_reservation: Option<OneReservation>,
    list_stocks: Option<Stocks>,
    low_stock: Option<LowStocks>,
    list_reservations: Option<Reservations>,

    /// The members that the answer must have; `None` where any answer will do.
    pub(super) ok: Option<Table>,
    /// The code of the rejection that the call must end with; `None` where it must succeed.
    pub(super) rejected: Option<String>,
    /// The details that the rejection must have, by name, or by line and name: `0.requested`.
    pub(super) with: Table,
    /// The events that the call must publish, in order, such as `InventoryReserved a@north 3` and
    /// `ReservationExpired r1`; `None` where any events will do.
    pub(super) events: Option<Vec<String>>,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(untagged)]
enum If {
    Word(Word),
    Versions(Vec<u64>),
}

#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Word {
    Exists,
    Absent,
}

/// The text of a stock's key: a product for the default location, `a`, or with a location,
/// `a@north`.
#[derive(Clone, Debug, Deserialize)]
#[serde(try_from = "String")]
struct StockText(StockKey);

impl TryFrom<String> for StockText {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        let (product, location) = text.split_once('@').unwrap_or((&text, "default"));
        StockKey::parse(product.to_owned(), location.to_owned())
            .map(Self)
            .map_err(|error| format!("{text:?} is not a stock: it {error}"))
    }
}

/// The id of a product.
#[derive(Clone, Debug, Deserialize)]
#[serde(try_from = "String")]
struct Product(ProductId);

impl TryFrom<String> for Product {
    type Error = InvalidId;

    fn try_from(text: String) -> Result<Self, InvalidId> {
        ProductId::parse(text).map(Self)
    }
}

/// The id of a location.
#[derive(Clone, Debug, Deserialize)]
#[serde(try_from = "String")]
struct Location(LocationId);

impl TryFrom<String> for Location {
    type Error = InvalidId;

    fn try_from(text: String) -> Result<Self, InvalidId> {
        LocationId::parse(text).map(Self)
    }
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct AdjustSet {
    stock: StockText,
    total: u64,
    minimum: Option<u64>,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct AdjustBy {
    stock: StockText,
    delta: i64,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Units {
    stock: StockText,
    quantity: u64,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Transfer {
    product: Product,
    from: Location,
    to: Location,
    quantity: u64,
}

/// A line: a stock and a quantity.
#[derive(Clone, Debug, Deserialize)]
struct LineForm(StockText, u64);

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Hold {
    id: String,
    lines: Vec<LineForm>,
    ttl: Option<u32>,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct ReplaceForm {
    id: String,
    lines: Vec<LineForm>,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct SomeLines {
    id: String,
    lines: Option<Vec<LineForm>>,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Extend {
    id: String,
    ttl: u32,
}

/// A query for the stock of a key.
#[derive(Clone, Debug, Deserialize)]
#[serde(from = "StockText")]
struct OneStock(GetStock);

impl From<StockText> for OneStock {
    fn from(StockText(key): StockText) -> Self {
        Self(GetStock { key })
    }
}

/// A query for the reservation of an id.
#[derive(Clone, Debug, Deserialize)]
#[serde(from = "String")]
struct OneReservation(GetReservation);

impl From<String> for OneReservation {
    fn from(id: String) -> Self {
        Self(GetReservation { id })
    }
}

/// A query for a page of stocks, as the file spells it.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct StockList {
    location: Option<Location>,
    prefix: Option<String>,
    low: Option<bool>,
    #[serde(default = "default_limit")]
    limit: u32,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(from = "StockList")]
struct Stocks(ListStocks);

impl From<StockList> for Stocks {
    fn from(list: StockList) -> Self {
        let filter = StockFilter {
            location_id: list.location.map(|location| location.0),
            product_prefix: list.prefix,
            low: list.low,
        };
        Self(ListStocks { filter, after: None, limit: list.limit })
    }
}

/// A query for a page of low stocks, as the file spells it.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct LowStockList {
    location: Option<Location>,
    #[serde(default = "default_limit")]
    limit: u32,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(from = "LowStockList")]
struct LowStocks(LowStock);

impl From<LowStockList> for LowStocks {
    fn from(list: LowStockList) -> Self {
        Self(LowStock {
            location_id: list.location.map(|location| location.0),
            after: None,
            limit: list.limit,
        })
    }
}

/// A query for a page of reservations, as the file spells it.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ReservationList {
    product: Option<Product>,
    reference: Option<String>,
    #[serde(default = "default_limit")]
    limit: u32,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(from = "ReservationList")]
struct Reservations(ListReservations);

impl From<ReservationList> for Reservations {
    fn from(list: ReservationList) -> Self {
        let filter = ReservationFilter {
            product_id: list.product.map(|product| product.0),
            reference: list.reference,
            ..ReservationFilter::default()
        };
        Self(ListReservations { filter, after: None, limit: list.limit })
    }
}

/// The most items of a page where a step does not name a limit.
fn default_limit() -> u32 {
    100
}

/// The call that a step names.
pub(super) enum StepCall<'s> {
    Command(Action),
    Query(Query<'s>),
}

fn lines(lines: &[LineForm]) -> Vec<LineRequest> {
    let line = |LineForm(StockText(key), quantity): &LineForm| LineRequest {
        key: key.clone(),
        quantity: *quantity,
    };
    lines.iter().map(line).collect()
}

impl ScenarioStep {
    /// The one call that the step names.
    pub(super) fn call(&self) -> Result<StepCall<'_>, String> {
        let named = self.named_calls();
        match <[StepCall<'_>; 1]>::try_from(named) {
            Ok([call]) => Ok(call),
            Err(calls) => Err(format!("a step names {} calls, expected is one", calls.len())),
        }
    }

    fn named_calls(&self) -> Vec<StepCall<'_>> {
        let stocks = [
            self.adjust_set.as_ref().map(|it| Action::AdjustSet {
                key: it.stock.0.clone(),
                total: it.total,
                minimum: it.minimum,
            }),
            self.adjust_by
                .as_ref()
                .map(|it| Action::AdjustBy { key: it.stock.0.clone(), delta: it.delta }),
            self.reserve
                .as_ref()
                .map(|it| Action::Reserve { key: it.stock.0.clone(), quantity: it.quantity }),
            self.release
                .as_ref()
                .map(|it| Action::Release { key: it.stock.0.clone(), quantity: it.quantity }),
            self.transfer.as_ref().map(|it| Action::Transfer {
                product_id: it.product.0.clone(),
                from: it.from.0.clone(),
                to: it.to.0.clone(),
                quantity: it.quantity,
            }),
            self.expire.clone().map(|id| Action::Expire { id }),
        ];
        let queries = [
            self.get_stock.as_ref().map(|it| it.0.as_query()),
            self.get_reservation.as_ref().map(|it| it.0.as_query()),
            self.list_stocks.as_ref().map(|it| it.0.as_query()),
            self.low_stock.as_ref().map(|it| it.0.as_query()),
            self.list_reservations.as_ref().map(|it| it.0.as_query()),
        ];
        let commands = stocks.into_iter().chain(self.on_reservations()).flatten();
        commands
            .map(StepCall::Command)
            .chain(queries.into_iter().flatten().map(StepCall::Query))
            .collect()
    }

    fn on_reservations(&self) -> [Option<Action>; 6] {
        let some = |it: &SomeLines| (it.id.clone(), it.lines.as_deref().map(lines));
        [
            self.hold.as_ref().map(|it| Action::Hold {
                id: it.id.clone(),
                lines: lines(&it.lines),
                ttl_seconds: it.ttl,
            }),
            self.replace
                .as_ref()
                .map(|it| Action::Replace { id: it.id.clone(), lines: lines(&it.lines) }),
            self.extend
                .as_ref()
                .map(|it| Action::Extend { id: it.id.clone(), ttl_seconds: it.ttl }),
            self.confirm.clone().map(|id| Action::Confirm { id }),
            self.fulfill.as_ref().map(some).map(|(id, lines)| Action::Fulfill { id, lines }),
            self.cancel.as_ref().map(some).map(|(id, lines)| Action::Cancel { id, lines }),
        ]
    }

    /// The caller's name; `None` for the anonymous identity.
    pub(super) fn caller(&self) -> Option<&str> {
        self.caller.as_deref()
    }

    /// The command with the action, the origin and the precondition of the step.
    pub(super) fn command(&self, action: Action, number: u128) -> Command {
        let precondition = self.r#if.as_ref().map(|condition| match condition {
            If::Word(Word::Exists) => Precondition::Exists,
            If::Word(Word::Absent) => Precondition::Absent,
            If::Versions(versions) => Precondition::VersionIn(versions.clone()),
        });
        let origin = Origin {
            caller: self.caller.as_deref().map(Into::into),
            reason: self.reason.as_deref().map(Into::into),
            reference: self.reference.as_deref().map(Into::into),
        };
        Command { id: Uuid::from_u128(number), origin, precondition, action }
    }
}

/// Describes the first of the expected members that is missing or different; `None` where all are
/// as expected.
pub(super) fn difference(expected: &Table, found: &Table) -> Option<String> {
    expected.iter().find_map(|(name, wanted)| match found.get(name) {
        Some(value) if value == wanted => None,
        Some(value) => Some(format!("{name} is {value}, expected was {wanted}")),
        None => Some(format!("there is no {name}, expected was {wanted}")),
    })
}

/// Converts a number to TOML, which has only signed integers.
pub(super) fn number(units: u64) -> Value {
    Value::Integer(i64::try_from(units).unwrap_or(i64::MAX))
}
