//! Runs the domain with wasmtime alone: the contract's bindings, a storage in memory, one instance.
//! `cargo run --example session [COMPONENT.wasm]` runs a session and prints every event and every
//! outcome in canonical form. The same session runs in Node, in Python and in a browser
//! (`tests/embedding`), and prints the same.

#![allow(
    missing_docs,
    unreachable_pub,
    clippy::print_stdout,
    clippy::expect_used,
    reason = "an example"
)]

mod canonical;
mod storage;

use bindings::{
    Domain,
    exports::holdfast::inventory::inventory::{Guest, StockFilter},
    holdfast::inventory::types::{Context, LineRequest, QueryContext, StockKey},
};
use canonical::print;
use storage::Storage;
use wasmtime::{
    Engine, Store,
    component::{Component, HasSelf, Linker},
};

mod bindings {
    wasmtime::component::bindgen!({
        path: "../wit",
        world: "domain",
        additional_derives: [PartialEq, serde::Serialize],
    });
}

fn main() -> wasmtime::Result<()> {
    let engine = Engine::default();
    let component = match std::env::args().nth(1) {
        Some(file) => Component::from_file(&engine, file)?,
        None => Component::new(&engine, holdfast::component::EMBEDDED)?,
    };
    let mut linker = Linker::new(&engine);
    Domain::add_to_linker::<_, HasSelf<_>>(&mut linker, |storage: &mut Storage| storage)?;
    let mut store = Store::new(&engine, Storage::default());
    let domain = Domain::instantiate(&mut store, &component, &linker)?;
    Session { store, domain, step: 0 }.play()
}

struct Session {
    store: Store<Storage>,
    domain: Domain,
    step: u32,
}

fn key(product: &str, location: &str) -> StockKey {
    StockKey { product_id: product.to_owned(), location_id: location.to_owned() }
}

fn lines(lines: &[(&str, &str, u64)]) -> Vec<LineRequest> {
    let line = |(product, location, quantity): &(&str, &str, u64)| LineRequest {
        key: key(product, location),
        quantity: *quantity,
    };
    lines.iter().map(line).collect()
}

impl Session {
    /// Runs a command, and prints its events and its outcome. The writes of a refused command are
    /// dropped, as the contract asks of every host.
    fn command<T: serde::Serialize, E: serde::Serialize>(
        &mut self,
        now: u64,
        reference: Option<&str>,
        call: impl FnOnce(&Guest, &mut Store<Storage>, &Context) -> wasmtime::Result<Result<T, E>>,
    ) -> wasmtime::Result<()> {
        self.step += 1;
        let context = Context {
            now,
            command_id: format!("step-{}", self.step),
            caller: Some("session".to_owned()),
            reason: None,
            reference: reference.map(str::to_owned),
            precondition: None,
        };
        let before = self.store.data().clone();
        let decided = call(self.domain.holdfast_inventory_inventory(), &mut self.store, &context)?;
        if decided.is_err() {
            *self.store.data_mut() = before;
        }
        for event in std::mem::take(&mut self.store.data_mut().events) {
            print(&canonical::event(&event));
        }
        print(&canonical::decision(&decided));
        Ok(())
    }

    fn query<T: serde::Serialize, E: serde::Serialize>(
        &mut self,
        call: impl FnOnce(&Guest, &mut Store<Storage>, &QueryContext) -> wasmtime::Result<Result<T, E>>,
    ) -> wasmtime::Result<()> {
        let context = QueryContext { now: 31_000, caller: Some("session".to_owned()) };
        let inventory = self.domain.holdfast_inventory_inventory();
        let answer = call(inventory, &mut self.store, &context)?;
        print(&canonical::decision(&answer));
        Ok(())
    }

    fn play(mut self) -> wasmtime::Result<()> {
        let (a, b) = (key("a", "default"), key("b", "north"));
        self.command(1_000, None, |it, s, c| it.call_adjust_set(s, c, &a, 10, Some(5)))?;
        self.command(2_000, None, |it, s, c| it.call_adjust_set(s, c, &b, 4, None))?;
        self.command(3_000, Some("order-1"), |it, s, c| it.call_reserve(s, c, &a, 3))?;
        self.command(4_000, None, |it, s, c| it.call_reserve(s, c, &a, 8))?;
        let cart = lines(&[("a", "default", 2), ("b", "north", 1), ("a", "default", 1)]);
        self.command(5_000, None, |it, s, c| it.call_hold(s, c, "cart-1", &cart, Some(60)))?;
        let cart = lines(&[("a", "default", 1), ("b", "north", 2)]);
        self.command(6_000, None, |it, s, c| it.call_replace(s, c, "cart-1", &cart))?;
        self.command(7_000, None, |it, s, c| it.call_extend(s, c, "cart-1", 120))?;
        self.command(8_000, None, |it, s, c| it.call_confirm(s, c, "cart-1"))?;
        let sent = lines(&[("b", "north", 1)]);
        self.command(9_000, None, |it, s, c| it.call_fulfill(s, c, "cart-1", Some(&sent)))?;
        self.command(10_000, None, |it, s, c| it.call_cancel(s, c, "cart-1", None))?;
        let cart = lines(&[("a", "default", 2)]);
        self.command(11_000, None, |it, s, c| it.call_hold(s, c, "cart-2", &cart, Some(5)))?;
        // cart-2 is due: the host expires it before the next command meets its stock.
        self.command(20_000, None, |it, s, c| it.call_expire(s, c, "cart-2"))?;
        self.command(20_000, None, |it, s, c| it.call_reserve(s, c, &a, 7))?;
        self.command(21_000, None, |it, s, c| it.call_release(s, c, &a, 10))?;
        self.command(22_000, None, |it, s, c| it.call_adjust_by(s, c, &a, -4))?;
        self.command(23_000, None, |it, s, c| it.call_transfer(s, c, "a", "default", "north", 2))?;
        let cart = lines(&[("b", "north", 3)]);
        self.command(24_000, None, |it, s, c| it.call_hold(s, c, "cart-3", &cart, Some(1)))?;
        self.command(30_000, None, |it, s, c| it.call_expire(s, c, "cart-3"))?;

        self.query(|it, s, c| it.call_get_stock(s, c, &a))?;
        self.query(|it, s, c| it.call_get_stock(s, c, &b))?;
        self.query(|it, s, c| it.call_low_stock(s, c, None, None, 10))?;
        self.query(|it, s, c| it.call_get_reservation(s, c, "cart-1"))?;
        let all = StockFilter { location_id: None, product_prefix: None, low: None };
        self.query(|it, s, c| it.call_list_stocks(s, c, &all, None, 10))
    }
}
