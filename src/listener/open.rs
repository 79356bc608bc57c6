//! The connections that are open, and which of them goes when there is no room for another.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use super::ListenerLimits;
use super::stage::Stage;

/// The open connections, by the order in which they came.
pub(super) struct OpenConnections {
    most: usize,
    inner: Mutex<Inner>,
}

#[derive(Default)]
struct Inner {
    next: u64,
    stages: HashMap<u64, Arc<Stage>>,
}

/// A connection's place; it is given up with the connection.
pub(super) struct Place {
    number: u64,
    open: Arc<OpenConnections>,
}

impl OpenConnections {
    pub(super) fn new(most: usize) -> Arc<Self> {
        Arc::new(Self { most, inner: Mutex::default() })
    }

    /// A place for a connection. When all are taken, the oldest stranger's goes, one without a request before one with, or
    /// else the longest idle one; `None` when every connection is at work for a known caller.
    pub(super) fn enter(self: &Arc<Self>, stage: &Arc<Stage>) -> Option<Place> {
        let mut inner = self.inner();
        if inner.stages.len() >= self.most && !inner.close_least_worth() {
            return None;
        }
        let number = inner.next;
        inner.next += 1;
        inner.stages.insert(number, stage.clone());
        drop(inner);
        Some(Place { number, open: self.clone() })
    }

    /// How long a newcomer has to wait before a connection is closed for it: each has had so much time to say who it is.
    pub(super) fn wait_for_room(&self, time_to_speak: Duration) -> Duration {
        let inner = self.inner();
        if inner.stages.len() < self.most {
            return Duration::ZERO;
        }
        let goes = inner.least_worth().and_then(|number| inner.stages.get(&number));
        goes.map_or(Duration::ZERO, |stage| time_to_speak.saturating_sub(stage.age()))
    }

    /// Has one connection closed, if one can be spared.
    pub(super) fn make_room(&self) {
        self.inner().close_least_worth();
    }

    pub(super) fn close_overdue(&self, now_ms: u64, limits: &ListenerLimits) {
        let inner = self.inner();
        inner
            .stages
            .values()
            .filter(|stage| stage.is_overdue(now_ms, limits))
            .for_each(|stage| stage.close());
    }

    fn inner(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Inner {
    fn least_worth(&self) -> Option<u64> {
        let now = Instant::now();
        let candidates = self.stages.iter().filter_map(|(number, stage)| Some((stage.worth(now)?, *number)));
        candidates.min().map(|(_, number)| number)
    }

    /// Whether there was one. It is forgotten at once, so that each newcomer closes another one.
    fn close_least_worth(&mut self) -> bool {
        let Some(number) = self.least_worth() else { return false };
        if let Some(stage) = self.stages.remove(&number) {
            stage.close();
        }
        true
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.open.inner().stages.remove(&self.number);
    }
}

#[cfg(test)]
mod tests {
    use super::super::stage::Clock;
    use super::*;

    fn stage() -> Arc<Stage> {
        Arc::new(Stage::new(Clock::default(), 1 << 20))
    }

    #[test]
    fn the_oldest_stranger_makes_room_and_then_the_idle() {
        let open = OpenConnections::new(3);
        let [known, idle, stranger, newcomer] = [stage(), stage(), stage(), stage()];
        known.caller.note_known();
        idle.caller.note_known();
        let at_work = known.begin(http::Version::HTTP_11);
        let _places: Vec<_> = [&known, &idle, &stranger].map(|it| open.enter(it).unwrap()).into();
        let numbers = || {
            let mut numbers: Vec<u64> = open.inner().stages.keys().copied().collect();
            numbers.sort_unstable();
            numbers
        };
        newcomer.caller.note_known();
        let newcomers_work = newcomer.begin(http::Version::HTTP_11);
        let _third = open.enter(&newcomer).unwrap();
        assert_eq!(numbers(), [0, 1, 3], "the stranger went");
        let another = stage();
        let _fourth = open.enter(&another).unwrap();
        assert_eq!(numbers(), [0, 3, 4], "the idle one went");
        another.caller.note_known();
        let anothers_work = another.begin(http::Version::HTTP_11);
        assert!(open.enter(&stage()).is_none(), "all are at work");
        drop((at_work, newcomers_work, anothers_work));
        assert!(open.enter(&stage()).is_some());
    }

    #[test]
    fn nobody_is_closed_before_there_was_time_to_speak() {
        let open = OpenConnections::new(1);
        let long = Duration::from_secs(3600);
        assert_eq!(open.wait_for_room(long), Duration::ZERO, "there is room");
        let _place = open.enter(&stage()).unwrap();
        let wait = open.wait_for_room(long);
        assert!(wait > Duration::ZERO && wait <= long);
        assert_eq!(open.wait_for_room(Duration::ZERO), Duration::ZERO);
    }

    #[test]
    fn a_connection_that_ends_leaves_its_place() {
        let open = OpenConnections::new(1);
        let place = open.enter(&stage()).unwrap();
        drop(place);
        assert!(open.inner().stages.is_empty());
    }
}
