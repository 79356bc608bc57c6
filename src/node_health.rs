//! How each part of this node gets on, as it reports itself: when the last heartbeat was written, how long a writer has
//! been working on its current batch, whether notices arrive. The health check reads it here, without a statement.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use crate::telemetry::metrics;

/// How the parts of this node get on. Cheap to clone.
#[derive(Debug, Clone, Default)]
pub struct NodeHealth {
    /// Heartbeats, each under way until the database has it.
    pub heartbeat: Progress,
    /// Batches of messages of usual size.
    pub messages: Progress,
    /// Batches of large messages.
    pub large_messages: Progress,
    /// Batches of outcomes.
    pub outcomes: Progress,
    /// Deliveries that go back to the queue.
    pub hand_backs: Progress,
    /// Claims from the queue, and sweeps of it.
    pub claims: Progress,
    /// Notices of other nodes and of this one.
    pub notices: Progress,
    /// The search for deliveries that nobody works on.
    pub rescues: Progress,
    rescued: Arc<AtomicU64>,
    overdue: Arc<Mutex<Option<Overdue>>>,
}

/// By how much a delivery was overdue, at most, at the last sweep of the queue.
#[derive(Debug, Clone, Copy)]
struct Overdue {
    swept_at: Instant,
    by: Duration,
}

impl NodeHealth {
    /// Adds to the number of deliveries that nobody worked on and that were found.
    pub fn add_rescued(&self, count: u64) {
        metrics::current().rescued.increment(count);
        self.rescued.fetch_add(count, Ordering::Relaxed);
    }

    /// How many deliveries that nobody worked on were found since the start.
    pub fn rescued_count(&self) -> u64 {
        self.rescued.load(Ordering::Relaxed)
    }

    /// A sweep of the queue found that a delivery is overdue by this much, and none by more.
    pub fn set_longest_overdue(&self, by: Option<Duration>) {
        *lock(&self.overdue) = by.map(|by| Overdue { swept_at: Instant::now(), by });
    }

    /// By how much a delivery was overdue at the last sweep of the queue, and how long ago that sweep was.
    pub fn longest_overdue(&self) -> Option<(Duration, Duration)> {
        lock(&self.overdue).map(|overdue| (overdue.by, overdue.swept_at.elapsed()))
    }
}

/// How one kind of work gets on.
#[derive(Debug, Clone, Default)]
pub struct Progress {
    state: Arc<Mutex<State>>,
}

#[derive(Debug, Clone, Copy, Default)]
struct State {
    /// Since when something is under way that has not succeeded.
    stalled_since: Option<Instant>,
    last_done_at: Option<Instant>,
}

impl Progress {
    /// Something is under way from here on, or still is. It ends with [`Progress::done`].
    pub fn begin(&self) {
        let mut state = lock(&self.state);
        state.stalled_since = state.stalled_since.or(Some(Instant::now()));
    }

    /// What was under way has succeeded.
    pub fn done(&self) {
        *lock(&self.state) = State { stalled_since: None, last_done_at: Some(Instant::now()) };
    }

    /// For how long something has been under way; zero when nothing is.
    pub fn stalled_for(&self) -> Duration {
        lock(&self.state).stalled_since.map_or(Duration::ZERO, |since| since.elapsed())
    }

    /// How long ago something last succeeded.
    pub fn last_done(&self) -> Option<Duration> {
        lock(&self.state).last_done_at.map(|at| at.elapsed())
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn work_is_stalled_from_its_first_try_until_it_succeeds() {
        let progress = Progress::default();
        assert_eq!(progress.stalled_for(), Duration::ZERO);
        progress.begin();
        let first = progress.stalled_for();
        progress.begin();
        assert!(progress.stalled_for() >= first, "a second try does not start the time again");
        assert_eq!(progress.last_done(), None);
        progress.done();
        assert_eq!(progress.stalled_for(), Duration::ZERO);
        assert!(progress.last_done().is_some());
    }
}
