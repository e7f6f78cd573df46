//! Makes the database of some years of use in minutes, with the server's unit of work and component
//! and without HTTP.

use crate::common::{Unit, command, decide, unit};
use holdfast::{
    component::{Domain, EMBEDDED, Limits, Runtime},
    model::{Action, LineRequest, StockKey},
    store::BatchKeys,
};
use std::{
    path::Path,
    time::{SystemTime, UNIX_EPOCH},
};

/// The size of the database to make.
#[derive(Clone, Copy)]
pub(crate) struct Size {
    pub(crate) stocks: u64,
    pub(crate) holds: u64,
    /// The least number of events.
    pub(crate) events: u64,
}

/// One in this many stocks is low.
const LOW_EVERY: u64 = 10;

const BATCH: usize = 4_096;

fn key(number: u64) -> StockKey {
    StockKey::parse(format!("sku-{number}"), "default".to_owned()).expect("a key")
}

/// Makes the database: the stocks `sku-1`, `sku-2`, ... and `hot`, live holds that come due in a
/// month, and reserves, every second one of `hot`, until there are enough events.
pub(crate) fn grow(file: &Path, size: Size) {
    let runtime = Runtime::new(Limits::default()).expect("a runtime");
    let domain = Domain::<Unit>::compile(&runtime, EMBEDDED).expect("the shipped component");
    let mut unit = unit(file);
    let now = SystemTime::now().duration_since(UNIX_EPOCH).expect("a clock");
    let now = u64::try_from(now.as_millis()).expect("a time");
    let hot = StockKey::parse("hot".to_owned(), "default".to_owned()).expect("a key");
    let set = |key: StockKey, minimum| Action::AdjustSet {
        key,
        total: 1_000_000_000,
        minimum: Some(minimum),
    };
    let stocks = (1..=size.stocks).map(|i| {
        let low = i % LOW_EVERY == 0;
        set(key(i), if low { 1_000_000_000 + i % 1_000 + 1 } else { 0 })
    });
    let stocks = stocks.chain([set(hot.clone(), 0)]);
    let reserves_first =
        (1..=size.stocks).map(|i| Action::Reserve { key: key(i), quantity: 1_000 });
    let holds = (0..size.holds).map(|i| Action::Hold {
        id: format!("hold-{i:09}"),
        lines: vec![LineRequest { key: key(i * 7_919 % size.stocks + 1), quantity: 1 }],
        ttl_seconds: Some(2_592_000),
    });
    let so_far = size.stocks * 2 + size.stocks / LOW_EVERY + size.holds;
    let reserves = (0..size.events.saturating_sub(so_far)).map(|i| {
        let key = if i % 2 == 0 { hot.clone() } else { key(i * 104_729 % size.stocks + 1) };
        Action::Reserve { key, quantity: 1 }
    });
    let mut actions = stocks.chain(reserves_first).chain(holds).chain(reserves).peekable();
    while actions.peek().is_some() {
        unit.begin(&BatchKeys::NONE).expect("a batch");
        let batch = actions.by_ref().take(BATCH).map(command);
        unit = decide(unit, &domain, batch, now);
        unit.commit(now).expect("a commit");
    }
    unit.close().expect("a tidy end");
}
