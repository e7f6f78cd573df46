//! The inventory domain as a WebAssembly component: the contract's exports in, the crate
//! `domain` decides, the contract's types out.
//!
//! It exists on wasm only, where it is `no_std`: a guest that links the standard library
//! imports a dozen WASI interfaces that it never calls.

#![cfg(target_arch = "wasm32")]
#![no_std]

extern crate alloc;

mod convert;
mod guest;

use guest_runtime as _;
