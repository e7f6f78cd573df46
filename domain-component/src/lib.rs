//! The inventory domain as a WebAssembly component.
//!
//! Rules are in the crate `domain`. Here are the command handlers (load, decide,
//! save, publish) and the conversion from and to the types of the WIT contract.
//!
//! The handlers compile for every target, so that tests run them natively beside the
//! component; the component itself exists on wasm only, where it is `no_std`: a guest
//! that links the standard library imports a dozen WASI interfaces it never calls.

#![cfg_attr(target_arch = "wasm32", no_std)]

extern crate alloc;

mod arguments;
pub mod commands;
pub mod queries;
mod world;

pub use arguments::RawKey;
pub use world::{Context, DeficitPosition, DeficitScan, StockScan, World};

#[cfg(target_arch = "wasm32")]
mod convert;
#[cfg(target_arch = "wasm32")]
mod guest;
#[cfg(target_arch = "wasm32")]
mod runtime;
