//! How this node is, as its parts say it themselves: when its heart last beat, how long each writer has been at the batch
//! it has in hand, whether it hears what other nodes announce. Health is read from here, and costs no statement.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// What this node says of itself. Cheap to clone.
#[derive(Debug, Clone, Default)]
pub struct Vitals {
    /// Heartbeats, each under way until the database has it.
    pub heartbeat: Progress,
    /// Batches of messages.
    pub messages: Progress,
    /// Batches of outcomes.
    pub outcomes: Progress,
    /// Deliveries that go back to the queue.
    pub returns: Progress,
    /// Claims from the queue, with the looks at the whole of it.
    pub claims: Progress,
    /// What other nodes announce.
    pub notices: Progress,
    /// The search for deliveries that nobody works on.
    pub rescues: Progress,
    rescued: Arc<AtomicU64>,
    overdue: Arc<Mutex<Option<Overdue>>>,
}

/// The longest overdue delivery that the last look at the queue found.
#[derive(Debug, Clone, Copy)]
struct Overdue {
    seen_at: Instant,
    by: Duration,
}

impl Vitals {
    /// Deliveries that nobody worked on were found.
    pub fn rescued(&self, count: u64) {
        self.rescued.fetch_add(count, Ordering::Relaxed);
    }

    /// How many deliveries that nobody worked on were found since the start.
    pub fn rescued_in_all(&self) -> u64 {
        self.rescued.load(Ordering::Relaxed)
    }

    /// A look at the queue found that the delivery that has been due for longest is overdue by so much.
    pub fn overdue(&self, by: Option<Duration>) {
        *lock(&self.overdue) = by.map(|by| Overdue { seen_at: Instant::now(), by });
    }

    /// By how much a delivery was overdue at the last look at the queue, and how long ago that look was.
    pub fn longest_overdue(&self) -> Option<(Duration, Duration)> {
        lock(&self.overdue).map(|overdue| (overdue.by, overdue.seen_at.elapsed()))
    }
}

/// How one kind of work gets on.
#[derive(Debug, Clone, Default)]
pub struct Progress {
    state: Arc<Mutex<State>>,
}

#[derive(Debug, Clone, Copy, Default)]
struct State {
    /// Since when something is under way that has not ended well.
    stalled_since: Option<Instant>,
    last_done_at: Option<Instant>,
}

impl Progress {
    /// Something is under way from here on, or is still: it ends with [`Progress::done`].
    pub fn begin(&self) {
        let mut state = lock(&self.state);
        state.stalled_since = state.stalled_since.or(Some(Instant::now()));
    }

    /// What was under way ended well.
    pub fn done(&self) {
        *lock(&self.state) = State { stalled_since: None, last_done_at: Some(Instant::now()) };
    }

    /// For how long something has been under way; zero when nothing is.
    pub fn stalled_for(&self) -> Duration {
        lock(&self.state).stalled_since.map_or(Duration::ZERO, |since| since.elapsed())
    }

    /// How long ago something last ended well.
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
    fn work_is_stalled_from_its_first_beginning_until_it_ends_well() {
        let progress = Progress::default();
        assert_eq!(progress.stalled_for(), Duration::ZERO);
        progress.begin();
        let first = progress.stalled_for();
        progress.begin();
        assert!(progress.stalled_for() >= first, "a second try does not begin anew");
        assert_eq!(progress.last_done(), None);
        progress.done();
        assert_eq!(progress.stalled_for(), Duration::ZERO);
        assert!(progress.last_done().is_some());
    }
}
