//! Where the time of day comes from. Nothing else reads it (`clippy.toml` bans the others), so a test can hold
//! it still or move it. Due times of deliveries do not come from here: they are the database's (`store/`).

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use chrono::{DateTime, TimeDelta, Utc};

/// A time that lies further in the future than this was noted by a clock that was ahead: nobody waits until it is reached.
/// Statements that compare such times say the same minute.
const AHEAD_TOLERANCE: TimeDelta = TimeDelta::minutes(1);

/// Whether a time was noted by a clock that was ahead of what is `now`.
pub fn was_ahead(noted: DateTime<Utc>, now: DateTime<Utc>) -> bool {
    noted > now + AHEAD_TOLERANCE
}

/// A clock that can be shared and, in tests, moved.
#[derive(Clone, Debug, Default)]
pub struct Clock {
    /// Milliseconds added to the system's time.
    offset_ms: Arc<AtomicI64>,
}

impl Clock {
    /// The time of day, UTC.
    #[expect(clippy::disallowed_methods, reason = "this is the one place that reads the system's time")]
    pub fn now(&self) -> DateTime<Utc> {
        Utc::now() + TimeDelta::milliseconds(self.offset_ms.load(Ordering::Relaxed))
    }

    /// Moves this clock and all its clones.
    pub fn advance(&self, by: TimeDelta) {
        self.offset_ms.fetch_add(by.num_milliseconds(), Ordering::Relaxed);
    }
}
