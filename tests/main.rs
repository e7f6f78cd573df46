//! The promises of the product, tested from the outside as a user would meet them. All of these
//! tests are one binary, so that they share a harness and are linked once.

#![allow(
    missing_docs,
    unreachable_pub,
    clippy::expect_used,
    clippy::panic,
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::cast_possible_truncation,
    clippy::cast_possible_wrap,
    clippy::cast_sign_loss,
    reason = "tests fail by panicking"
)]

mod agreement;
mod bad_input;
mod batches;
mod callers;
mod clients;
mod commits;
mod component;
mod concurrency;
mod contract;
mod crashes;
mod cycles;
mod disk;
mod due;
mod durability;
mod embedding;
mod environment;
mod faults;
mod fuel;
mod harness;
mod hostile;
mod idempotency;
mod interface;
mod invariants;
mod inventory;
mod kills;
mod ledger;
mod lines;
mod lists;
mod long_history;
mod metrics;
mod replay;
mod reservations;
mod rooms;
mod rules;
mod start;
mod swap;
