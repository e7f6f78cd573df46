//! The inventory domain as a WebAssembly component. The contract's types come in, the crate
//! `domain` decides, and the contract's types go out.
//!
//! The crate exists for WebAssembly only, where it is `no_std`: a component that links the
//! standard library imports a dozen WASI interfaces that it never calls.

#![cfg(target_arch = "wasm32")]
#![no_std]

extern crate alloc;

mod contract;
mod convert;
mod guest;
mod imports;

use guest_runtime as _;
