//! Percentiles.

use std::time::Duration;

/// Durations, sorted on demand.
#[derive(Debug, Default)]
pub struct Durations(Vec<Duration>);

impl Durations {
    /// Adds one.
    pub fn push(&mut self, duration: Duration) {
        self.0.push(duration);
    }

    /// Adds many.
    pub fn extend(&mut self, others: Self) {
        self.0.extend(others.0);
    }

    /// The median, the 99th percentile and the largest, in milliseconds.
    pub fn summary(&mut self) -> Summary {
        self.0.sort_unstable();
        let at = |share: f64| {
            let place = (self.0.len() as f64 * share) as usize;
            self.0.get(place.min(self.0.len().saturating_sub(1))).map_or(0.0, |d| d.as_secs_f64() * 1e3)
        };
        Summary { p50_ms: at(0.5), p99_ms: at(0.99), max_ms: at(1.0) }
    }
}

/// A summary of durations.
#[derive(Debug, Clone, Copy, Default, serde::Serialize)]
pub struct Summary {
    /// Half are shorter.
    pub p50_ms: f64,
    /// 99 of 100 are shorter.
    pub p99_ms: f64,
    /// None is longer.
    pub max_ms: f64,
}
