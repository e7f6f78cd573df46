mod client;
pub mod guest;
pub mod memory;
pub mod model;
pub mod native;
pub mod over_http;
pub mod random;
mod server;

pub use client::{Client, Reply};
pub use server::{Server, eventually};
