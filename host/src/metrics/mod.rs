//! The metrics of the server: a registry, and the typed families that the rooms declare.
//!
//! A room declares each of its metrics once as a constant ([`Counter`], [`Gauge`] or [`Info`]:
//! name, help and unit) and registers one function with the [`Registry`]. The registry calls that
//! function at each scrape; the function reads the room's own numbers and encodes them. Counting
//! therefore costs a room no more than it chooses, such as one relaxed atomic addition: there is no
//! look-up of labels and no lock between a command and the metrics.
//!
//! Names are those of the OpenMetrics specification, 1.0: the registry puts `holdfast_` in front,
//! a family with a unit ends with it (base units only: seconds and bytes), and the encoder adds
//! `_total` to counters and `_info` to information.
//!
//! This room knows none of the others.

mod family;

pub use family::{Counter, Gauge, Info};
pub use prometheus_client::{encoding::DescriptorEncoder as Encoder, registry::Unit};

use prometheus_client::{
    collector::Collector,
    encoding::{prometheus_text, text},
    registry,
};
use std::fmt;

/// The first part of every metric's name.
const PREFIX: &str = "holdfast";

/// A text format for metrics.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Format {
    /// OpenMetrics text, version 1.0.0. It has units and an end that shows whether it is complete.
    OpenMetrics,
    /// The older text format of Prometheus, version 0.0.4.
    Prometheus,
}

impl Format {
    /// The media type of the format.
    #[must_use]
    pub const fn media_type(self) -> &'static str {
        match self {
            Self::OpenMetrics => "application/openmetrics-text; version=1.0.0; charset=utf-8",
            Self::Prometheus => prometheus_text::CONTENT_TYPE,
        }
    }
}

/// All metrics of a server.
#[derive(Debug)]
pub struct Registry(registry::Registry);

impl Default for Registry {
    fn default() -> Self {
        Self(registry::Registry::with_prefix(PREFIX))
    }
}

impl Registry {
    /// Adds a function that encodes some families. The registry calls it at each scrape, from any
    /// thread, so it must not wait. Two functions must not encode the same family.
    pub fn register(
        &mut self,
        encode: impl Fn(&mut Encoder<'_>) -> fmt::Result + Send + Sync + 'static,
    ) {
        self.0.register_collector(Box::new(Source(encode)));
    }

    /// Reads all metrics and returns them as text.
    ///
    /// # Errors
    /// One of the registered functions failed.
    pub fn encode(&self, format: Format) -> Result<String, fmt::Error> {
        let mut body = String::new();
        match format {
            Format::OpenMetrics => text::encode(&mut body, &self.0)?,
            Format::Prometheus => prometheus_text::encode(&mut body, &self.0)?,
        }
        Ok(body)
    }
}

/// A registered function.
struct Source<F>(F);

impl<F> fmt::Debug for Source<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Source")
    }
}

impl<F> Collector for Source<F>
where
    F: Fn(&mut Encoder<'_>) -> fmt::Result + Send + Sync + 'static,
{
    fn encode(&self, mut encoder: Encoder<'_>) -> fmt::Result {
        (self.0)(&mut encoder)
    }
}

#[cfg(test)]
mod tests;
