mod client;
pub mod guest;
pub mod memory;
pub mod model;
pub mod native;
pub mod over_http;
pub mod random;
mod server;

pub use client::Client;
pub use server::{Server, eventually};
