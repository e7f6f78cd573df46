//! Holdfast, an inventory reservation service whose rules are a WebAssembly component.
//!
//! ARCHITECTURE.md is the map of the rooms below and says what each must never know.

pub mod admin;
pub mod admission;
pub mod app;
pub mod cli;
pub mod comparison;
pub mod component;
pub mod config;
pub mod conformance;
pub mod engine;
pub mod http;
pub mod logging;
pub mod metrics;
pub mod model;
pub mod replay;
pub mod store;
pub mod unit_of_work;
pub mod wire;

/// Replies are built on many threads at once, which the allocators of libc, above all
/// musl's, serialise.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;
