mod client;
mod disk;
pub mod guest;
pub mod guests;
pub mod memory;
pub mod model;
pub mod native;
pub mod over_http;
pub mod random;
mod server;
pub mod tools;

pub use client::{Client, Reply};
pub use disk::Disk;
pub use server::{Server, eventually};
