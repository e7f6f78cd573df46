//! The types and functions that wit-bindgen generates from the contract in `wit/`.

#![allow(
    missing_docs,
    unreachable_pub,
    unsafe_code,
    clippy::all,
    clippy::pedantic,
    clippy::restriction,
    reason = "generated from the contract"
)]

wit_bindgen::generate!({
    path: "../wit",
    world: "domain",
    default_bindings_module: "crate::contract",
});
