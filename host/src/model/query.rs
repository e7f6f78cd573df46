//! The queries of the contract and their answers, as values.

use super::{
    DeficitPosition, LocationId, Reservation, ReservationFilter, ReservationPage, StockKey,
    StockView,
};

/// The largest number of items on a page of a list.
pub const PAGE_ITEMS_MAX: u32 = 500;

/// A query of one kind, which knows the type of its answer.
pub trait Ask: Clone + Send + 'static {
    /// The type of the answer.
    type Answer: Send + 'static;

    /// The query as a [`Query`].
    fn as_query(&self) -> Query<'_>;

    /// The answer to this kind of query; `None` for an answer to another kind.
    fn answer(answer: Answer) -> Option<Self::Answer>;
}

/// Declares [`Query`], [`Answer`] and the pairs of both, one line for each query.
macro_rules! queries {
    ($($(#[$meta:meta])* $query:ident -> $answer:ty;)*) => {
        /// A query of the contract, with borrowed arguments: a query is answered and never stored.
        #[derive(Clone, Copy, Debug)]
        pub enum Query<'q> {
            $($(#[$meta])* $query(&'q $query),)*
        }

        /// The answer of the component to a [`Query`] of the same name.
        #[derive(Clone, Debug)]
        pub enum Answer {
            $($(#[$meta])* $query($answer),)*
        }

        $(impl Ask for $query {
            type Answer = $answer;

            fn as_query(&self) -> Query<'_> {
                Query::$query(self)
            }

            fn answer(answer: Answer) -> Option<$answer> {
                match answer {
                    Answer::$query(answer) => Some(answer),
                    _ => None,
                }
            }
        })*
    };
}

queries! {
    /// One stock.
    GetStock -> StockView;
    /// Several stocks as of one commit, in the order of the keys; `None` for a key without a stock.
    GetStocks -> Vec<Option<StockView>>;
    /// A page of stocks in key order.
    ListStocks -> StockPage;
    /// A page of low stocks, the largest deficit first.
    LowStock -> LowStockPage;
    /// One reservation.
    GetReservation -> Reservation;
    /// A page of reservations, the newest first.
    ListReservations -> ReservationPage;
}

/// Asks for one stock.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct GetStock {
    /// The stock's key.
    pub key: StockKey,
}

/// Asks for several stocks.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct GetStocks {
    /// The stocks' keys.
    pub keys: Vec<StockKey>,
}

/// Asks for a page of stocks.
#[derive(Clone, Default, Debug)]
pub struct ListStocks {
    /// Which stocks to list.
    pub filter: StockFilter,
    /// Only stocks after this key.
    pub after: Option<StockKey>,
    /// The most stocks on the page.
    pub limit: u32,
}

/// Asks for a page of low stocks.
#[derive(Clone, Default, Debug)]
pub struct LowStock {
    /// Only stocks at this location.
    pub location_id: Option<LocationId>,
    /// Only stocks after this position.
    pub after: Option<DeficitPosition>,
    /// The most stocks on the page.
    pub limit: u32,
}

/// Asks for one reservation.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct GetReservation {
    /// The reservation's id.
    pub id: String,
}

/// Asks for a page of reservations.
#[derive(Clone, Default, Debug)]
pub struct ListReservations {
    /// Which reservations to list.
    pub filter: ReservationFilter,
    /// Only reservations after this position.
    pub after: Option<u64>,
    /// The most reservations on the page.
    pub limit: u32,
}

/// Which stocks to list.
#[derive(Clone, Default, Debug)]
pub struct StockFilter {
    /// Only stocks at this location.
    pub location_id: Option<LocationId>,
    /// Only products whose id begins with this text.
    pub product_prefix: Option<String>,
    /// `true`: only stocks that are low; `false`: only stocks that are not.
    pub low: Option<bool>,
}

/// A page of stocks in key order.
#[derive(Clone, Debug)]
pub struct StockPage {
    /// The stocks.
    pub items: Vec<(StockKey, StockView)>,
    /// The key after which the next page begins; `None` on the last page.
    pub next: Option<StockKey>,
}

/// A page of low stocks, the largest deficit first.
#[derive(Clone, Debug)]
pub struct LowStockPage {
    /// The stocks.
    pub items: Vec<(StockKey, StockView)>,
    /// The position after which the next page begins; `None` on the last page.
    pub next: Option<DeficitPosition>,
}
