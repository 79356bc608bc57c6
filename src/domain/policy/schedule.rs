//! When a failed delivery is tried again.

use std::time::Duration;

use serde::{Deserialize, Serialize};

/// The waits before each retry. The first attempt is at once, so a schedule of six waits allows seven attempts. In JSON it
/// is a list of seconds, which are kept to the millisecond.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "Vec<f64>", into = "Vec<f64>")]
pub struct RetrySchedule {
    waits: Vec<Duration>,
}

/// The share by which a wait may be shorter or longer, so that retries do not arrive in step.
pub const JITTER: f64 = 0.1;
/// The same for the first [`WIDELY_SPREAD`] waits, which follow what may have failed in one burst: what failed at one moment
/// comes back over as long a time as the wait itself.
pub const WIDE_JITTER: f64 = 0.5;
/// How many waits of a schedule are spread that widely, if they are no longer than [`LONGEST_WIDELY_SPREAD`].
pub const WIDELY_SPREAD: usize = 2;
/// Somebody who waits for hours counts on the hour, and what failed together has long been spread by then.
pub const LONGEST_WIDELY_SPREAD: Duration = Duration::from_secs(600);

impl RetrySchedule {
    /// A schedule of these waits, in order.
    pub fn new(waits: Vec<Duration>) -> Self {
        Self { waits }
    }

    /// The waits, without jitter.
    pub fn waits(&self) -> &[Duration] {
        &self.waits
    }

    /// The wait after `attempts_made` failed attempts, or `None` when they were all. `chance` is in `[0, 1)`.
    pub fn wait_after(&self, attempts_made: u16, chance: f64) -> Option<Duration> {
        let place = usize::from(attempts_made).checked_sub(1)?;
        let wait = *self.waits.get(place)?;
        let jitter =
            if place < WIDELY_SPREAD && wait <= LONGEST_WIDELY_SPREAD { WIDE_JITTER } else { JITTER };
        Some(wait.mul_f64(1.0 + jitter * (2.0 * chance - 1.0)))
    }

    /// The wait before the last retry; `None` for a schedule without retries.
    pub fn last_wait(&self, chance: f64) -> Option<Duration> {
        self.wait_after(u16::try_from(self.waits.len()).unwrap_or(u16::MAX), chance)
    }
}

impl From<Vec<f64>> for RetrySchedule {
    fn from(seconds: Vec<f64>) -> Self {
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "what is out of bounds becomes the nearest bound, and is refused where it is not allowed"
        )]
        let wait = |seconds: f64| Duration::from_millis((seconds * 1_000.0).round() as u64);
        Self::new(seconds.into_iter().map(wait).collect())
    }
}

impl From<RetrySchedule> for Vec<f64> {
    fn from(schedule: RetrySchedule) -> Self {
        schedule.waits.iter().map(Duration::as_secs_f64).collect()
    }
}

impl Default for RetrySchedule {
    /// 60 s, 5 min, 30 min, 2 h, 6 h, 24 h.
    fn default() -> Self {
        Self::new([60, 300, 1_800, 7_200, 21_600, 86_400].map(Duration::from_secs).to_vec())
    }
}
