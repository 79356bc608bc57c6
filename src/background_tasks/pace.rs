//! The pace of a background task: how many items in a chunk, and how often a chunk.

use std::time::Duration;

use tokio::time::{Interval, MissedTickBehavior};

/// Items in one transaction at most.
const MAX_CHUNK: i64 = 500;
/// A task with a rate makes about this many steps a second, so that it does not go in bursts.
const STEPS_PER_SECOND: i64 = 4;

/// A chunk that was made smaller grows by this with each one that is done.
const CHUNK_GROWTH: i64 = 10;

/// How many items are tried at once: as many as the pace allows, and fewer after a chunk that failed, because it may have been
/// too much for one transaction.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::background_tasks) struct ChunkSize {
    pub(in crate::background_tasks) now: i64,
    most: i64,
}

impl ChunkSize {
    /// As many as the pace allows.
    pub(in crate::background_tasks) const fn of(pace: Pace) -> Self {
        Self { now: pace.chunk, most: pace.chunk }
    }

    /// A chunk failed.
    pub(in crate::background_tasks) fn halve(&mut self) {
        self.now = (self.now / 2).max(1);
    }

    /// A chunk was done.
    pub(in crate::background_tasks) fn grow(&mut self) {
        self.now = (self.now + CHUNK_GROWTH).min(self.most);
    }
}

/// The pace of a task.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::background_tasks) struct Pace {
    /// At most this many at once.
    pub(in crate::background_tasks) chunk: i64,
    /// From one chunk to the next.
    every: Option<Duration>,
}

impl Pace {
    /// For a rate a second, or as fast as it goes.
    pub(in crate::background_tasks) fn of(rate_per_second: Option<i32>) -> Self {
        let Some(rate) = rate_per_second.map(i64::from).filter(|rate| *rate > 0) else {
            return Self { chunk: MAX_CHUNK, every: None };
        };
        let chunk = (rate / STEPS_PER_SECOND).clamp(1, MAX_CHUNK);
        let nanos = chunk.saturating_mul(1_000_000_000) / rate;
        Self { chunk, every: Some(Duration::from_nanos(nanos.unsigned_abs().max(1))) }
    }

    /// Starts now: the first chunk is due at once.
    pub(in crate::background_tasks) fn ticks(self) -> Ticks {
        Ticks(self.every.map(|every| {
            let mut interval = tokio::time::interval(every);
            interval.set_missed_tick_behavior(MissedTickBehavior::Delay);
            interval
        }))
    }
}

/// When the chunks are due.
pub(in crate::background_tasks) struct Ticks(Option<Interval>);

impl Ticks {
    /// Waits until the next chunk is due.
    pub(in crate::background_tasks) async fn next(&mut self) {
        if let Some(interval) = &mut self.0 {
            interval.tick().await;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_rate_goes_in_full_chunks_without_waiting() {
        assert_eq!(Pace::of(None), Pace { chunk: MAX_CHUNK, every: None });
    }

    #[test]
    fn a_rate_is_never_exceeded_over_a_second() {
        for rate in [1, 2, 3, 7, 10, 99, 1_000, 50_000, i32::MAX] {
            let pace = Pace::of(Some(rate));
            let every = pace.every.unwrap();
            let a_second = 1.0 / every.as_secs_f64() * f64::from(i32::try_from(pace.chunk).unwrap());
            assert!(a_second <= f64::from(rate) * 1.01, "{rate}: {a_second}");
            assert!(pace.chunk >= 1 && pace.chunk <= MAX_CHUNK);
        }
    }

    #[test]
    fn a_chunk_that_fails_is_halved_down_to_one_and_grows_again() {
        let mut size = ChunkSize::of(Pace::of(None));
        let halved: Vec<i64> = (0..10)
            .map(|_| {
                size.halve();
                size.now
            })
            .collect();
        assert_eq!(halved, [250, 125, 62, 31, 15, 7, 3, 1, 1, 1]);
        (0..100).for_each(|_| size.grow());
        assert_eq!(size.now, MAX_CHUNK);
        let mut slow = ChunkSize::of(Pace::of(Some(2)));
        slow.grow();
        assert_eq!(slow.now, 1, "never more than the pace allows");
    }

    #[test]
    fn a_slow_rate_is_one_at_a_time() {
        assert_eq!(Pace::of(Some(2)), Pace { chunk: 1, every: Some(Duration::from_millis(500)) });
    }
}
