mod client;
pub mod memory;
pub mod model;
mod server;

pub use client::{Client, Reply};
pub use server::{Server, eventually};
