mod client;
pub mod memory;
pub mod model;
mod server;

pub use client::Client;
pub use server::{Server, eventually};
