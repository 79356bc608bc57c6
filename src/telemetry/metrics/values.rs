//! Values as metrics have them: floats.

use std::time::Duration;

use metrics::{Gauge, Histogram};

/// Adds a time to a histogram.
pub fn record(histogram: &Histogram, took: Duration) {
    histogram.record(took.as_secs_f64());
}

/// Adds a number of things to a histogram.
pub fn count(histogram: &Histogram, things: usize) {
    histogram.record(float(u64::try_from(things).unwrap_or(u64::MAX)));
}

/// Sets a gauge to a number of things.
pub fn set(gauge: &Gauge, things: usize) {
    gauge.set(float(u64::try_from(things).unwrap_or(u64::MAX)));
}

/// A number of things; exact up to 2⁵³.
pub(super) fn float(things: u64) -> f64 {
    things as f64
}
