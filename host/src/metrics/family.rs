//! Families of metrics: each type can be encoded only as what it is.

use super::{Encoder, Unit};
use prometheus_client::{
    encoding::{EncodeGaugeValue, EncodeMetric},
    metrics::{MetricType, counter::ConstCounter, gauge::ConstGauge, info},
};
use std::{fmt, time::Duration};

/// The name, the help and the unit of a family.
#[derive(Debug)]
struct Descriptor {
    /// The name without the prefix, the unit and the ending of its type.
    name: &'static str,
    /// One sentence for the people who look at the metric.
    help: &'static str,
    unit: Option<Unit>,
}

/// A family of numbers that only grow while the process runs.
#[derive(Debug)]
pub struct Counter(Descriptor);

impl Counter {
    /// Declares a counter of things. Its name ends with `_total` when it is encoded.
    #[must_use]
    pub const fn new(name: &'static str, help: &'static str) -> Self {
        Self(Descriptor { name, help, unit: None })
    }

    /// Declares a counter of time. Its name ends with `_seconds_total` when it is encoded.
    #[must_use]
    pub const fn of_seconds(name: &'static str, help: &'static str) -> Self {
        Self(Descriptor { name, help, unit: Some(Unit::Seconds) })
    }

    /// Encodes the one number of a family without labels.
    ///
    /// # Errors
    /// The encoder cannot be written to.
    pub fn encode(&self, encoder: &mut Encoder<'_>, value: u64) -> fmt::Result {
        let Descriptor { name, help, unit } = &self.0;
        let metric = encoder.encode_descriptor(name, help, unit.as_ref(), MetricType::Counter)?;
        ConstCounter::new(value).encode(metric)
    }

    /// Encodes one duration for each value of the label `label`, in seconds.
    ///
    /// # Errors
    /// The encoder cannot be written to.
    pub fn encode_durations(
        &self,
        encoder: &mut Encoder<'_>,
        label: &str,
        durations: impl IntoIterator<Item = (&'static str, Duration)>,
    ) -> fmt::Result {
        let Descriptor { name, help, unit } = &self.0;
        let mut family =
            encoder.encode_descriptor(name, help, unit.as_ref(), MetricType::Counter)?;
        for (value, duration) in durations {
            let labels = [(label, value)];
            ConstCounter::new(duration.as_secs_f64()).encode(family.encode_family(&labels)?)?;
        }
        Ok(())
    }
}

/// A family of numbers that grow and shrink.
#[derive(Debug)]
pub struct Gauge(Descriptor);

impl Gauge {
    /// Declares a gauge of things, or one that is 1 for yes and 0 for no.
    #[must_use]
    pub const fn new(name: &'static str, help: &'static str) -> Self {
        Self(Descriptor { name, help, unit: None })
    }

    /// Declares a gauge of memory or disk. Its name ends with `_bytes` when it is encoded.
    #[must_use]
    pub const fn of_bytes(name: &'static str, help: &'static str) -> Self {
        Self(Descriptor { name, help, unit: Some(Unit::Bytes) })
    }

    /// Declares a gauge of time. Its name ends with `_seconds` when it is encoded.
    #[must_use]
    pub const fn of_seconds(name: &'static str, help: &'static str) -> Self {
        Self(Descriptor { name, help, unit: Some(Unit::Seconds) })
    }

    /// Encodes the one number of a family without labels.
    ///
    /// # Errors
    /// The encoder cannot be written to.
    pub fn encode(&self, encoder: &mut Encoder<'_>, value: impl EncodeGaugeValue) -> fmt::Result {
        let Descriptor { name, help, unit } = &self.0;
        let metric = encoder.encode_descriptor(name, help, unit.as_ref(), MetricType::Gauge)?;
        ConstGauge::new(value).encode(metric)
    }

    /// Encodes true as 1 and false as 0.
    ///
    /// # Errors
    /// The encoder cannot be written to.
    pub fn encode_flag(&self, encoder: &mut Encoder<'_>, value: bool) -> fmt::Result {
        self.encode(encoder, u32::from(value))
    }
}

/// A family that gives information in a label; its number is always 1.
#[derive(Debug)]
pub struct Info(Descriptor);

impl Info {
    /// Declares a piece of information. Its name ends with `_info` when it is encoded.
    #[must_use]
    pub const fn new(name: &'static str, help: &'static str) -> Self {
        Self(Descriptor { name, help, unit: None })
    }

    /// Encodes the value of the label `label`.
    ///
    /// # Errors
    /// The encoder cannot be written to.
    pub fn encode(&self, encoder: &mut Encoder<'_>, label: &str, value: &str) -> fmt::Result {
        let Descriptor { name, help, unit } = &self.0;
        let metric = encoder.encode_descriptor(name, help, unit.as_ref(), MetricType::Info)?;
        info::Info::new([(label, value)]).encode(metric)
    }
}
