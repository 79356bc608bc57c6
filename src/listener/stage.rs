//! How far a connection has come. Its task, its socket and the sweep share this; none of them waits for another.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering::Relaxed};
use std::time::{Duration, Instant};

use tokio::sync::Notify;

use crate::api::CallerConnection;

use super::{ListenerLimits, TIME_TO_SPEAK};

/// The time as the last sweep saw it. It is read with every byte that moves, so reading it costs nothing.
#[derive(Clone)]
pub(super) struct Clock {
    start: Instant,
    now_ms: Arc<AtomicU64>,
}

impl Default for Clock {
    fn default() -> Self {
        Self { start: Instant::now(), now_ms: Arc::default() }
    }
}

impl Clock {
    pub(super) fn advance(&self) {
        let now = u64::try_from(self.start.elapsed().as_millis()).unwrap_or(u64::MAX);
        self.now_ms.store(now, Relaxed);
    }

    pub(super) fn now_ms(&self) -> u64 {
        self.now_ms.load(Relaxed)
    }
}

/// What a connection is worth when there is no room for another: the smaller goes first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Worth {
    /// No credential was ever shown on it that holds, and there is no request to answer.
    Stranger,
    /// A stranger's, with a request that is being answered, as those for health are.
    StrangerAtWork,
    /// It has not had the time yet to show a credential.
    Newcomer,
    /// A known caller's, with nothing to do.
    Idle,
}

/// How far a connection has come.
pub(super) struct Stage {
    clock: Clock,
    opened_at: Instant,
    /// Since when it waits for a head, or has waited for the rest of one.
    since_ms: AtomicU64,
    /// When a byte last went either way.
    moved_ms: AtomicU64,
    /// Requests whose heads were read and whose answers are not sent yet.
    under_way: AtomicU32,
    /// A part of a head is there.
    head_begun: AtomicBool,
    /// A head was read on it.
    was_used: AtomicBool,
    /// It is HTTP/2: heads are read side by side with everything else.
    is_multiplexed: AtomicBool,
    /// What the API notes of it.
    pub(super) caller: Arc<CallerConnection>,
    closing: Notify,
}

impl Stage {
    pub(super) fn new(clock: Clock, body_bytes: usize) -> Self {
        let now = clock.now_ms();
        Self {
            clock,
            opened_at: Instant::now(),
            since_ms: AtomicU64::new(now),
            moved_ms: AtomicU64::new(now),
            under_way: AtomicU32::new(0),
            head_begun: AtomicBool::new(false),
            was_used: AtomicBool::new(false),
            is_multiplexed: AtomicBool::new(false),
            caller: Arc::new(CallerConnection::new(body_bytes)),
            closing: Notify::new(),
        }
    }

    /// For how long it has been open.
    pub(super) fn age(&self) -> Duration {
        self.opened_at.elapsed()
    }

    /// Bytes were read.
    pub(super) fn note_read(&self) {
        let now = self.clock.now_ms();
        self.moved_ms.store(now, Relaxed);
        if self.under_way.load(Relaxed) == 0
            && !self.head_begun.swap(true, Relaxed)
            && self.was_used.load(Relaxed)
        {
            self.since_ms.store(now, Relaxed);
        }
    }

    /// Bytes were written.
    pub(super) fn note_written(&self) {
        self.moved_ms.store(self.clock.now_ms(), Relaxed);
    }

    /// A head was read. The request is under way until what comes back is dropped.
    pub(super) fn begin(self: &Arc<Self>, version: http::Version) -> UnderWay {
        self.was_used.store(true, Relaxed);
        self.head_begun.store(false, Relaxed);
        if version == http::Version::HTTP_2 {
            self.is_multiplexed.store(true, Relaxed);
        }
        self.under_way.fetch_add(1, Relaxed);
        UnderWay(self.clone())
    }

    fn end(&self) {
        if self.under_way.fetch_sub(1, Relaxed) == 1 {
            self.since_ms.store(self.clock.now_ms(), Relaxed);
            self.head_begun.store(false, Relaxed);
        }
    }

    pub(super) fn is_overdue(&self, now_ms: u64, limits: &ListenerLimits) -> bool {
        let passed = |since: &AtomicU64| Duration::from_millis(now_ms.saturating_sub(since.load(Relaxed)));
        if self.under_way.load(Relaxed) > 0 {
            return passed(&self.moved_ms) > limits.stall_timeout;
        }
        let is_reading_head = !self.is_multiplexed.load(Relaxed)
            && (self.head_begun.load(Relaxed) || !self.was_used.load(Relaxed));
        let longest = if is_reading_head { limits.head_timeout } else { limits.idle_timeout };
        passed(&self.since_ms) > longest
    }

    /// What it is worth now and since when; `None` when it must stay.
    pub(super) fn worth(&self, now: Instant) -> Option<(Worth, u64)> {
        let is_new = now.saturating_duration_since(self.opened_at) < TIME_TO_SPEAK;
        let worth = match (self.caller.is_known(), self.under_way.load(Relaxed) > 0) {
            (false, false) if is_new => Worth::Newcomer,
            (false, false) => Worth::Stranger,
            (false, true) => Worth::StrangerAtWork,
            (true, false) => Worth::Idle,
            (true, true) => return None,
        };
        Some((worth, self.since_ms.load(Relaxed)))
    }

    /// Whether a known caller's request came in after it was decided to close the connection.
    pub(super) fn has_begun_work(&self, now_ms: u64, limits: &ListenerLimits) -> bool {
        self.worth(self.opened_at).is_none() && !self.is_overdue(now_ms, limits)
    }

    /// Has the connection closed, unless a known caller's request has begun meanwhile.
    pub(super) fn close(&self) {
        self.closing.notify_one();
    }

    /// Resolves when it is to close.
    pub(super) async fn closed(&self) {
        self.closing.notified().await;
    }
}

/// A request that is under way.
pub(super) struct UnderWay(Arc<Stage>);

impl Drop for UnderWay {
    fn drop(&mut self) {
        self.0.end();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn limits() -> ListenerLimits {
        ListenerLimits {
            connections: 8,
            streams: 1,
            head_timeout: Duration::from_secs(10),
            idle_timeout: Duration::from_secs(75),
            stall_timeout: Duration::from_secs(90),
            body_bytes: 1 << 20,
        }
    }

    fn stage() -> Arc<Stage> {
        Arc::new(Stage::new(Clock::default(), 1 << 20))
    }

    fn overdue_after(stage: &Stage, seconds: u64) -> bool {
        stage.is_overdue(seconds * 1_000, &limits())
    }

    #[test]
    fn a_head_has_less_time_than_an_idle_connection() {
        let stage = stage();
        assert!(!overdue_after(&stage, 10) && overdue_after(&stage, 11), "nothing was sent");
        stage.note_read();
        assert!(overdue_after(&stage, 11), "a part of a head was sent");
        drop(stage.begin(http::Version::HTTP_11));
        assert!(!overdue_after(&stage, 75) && overdue_after(&stage, 76), "it is idle");
        stage.note_read();
        assert!(overdue_after(&stage, 11), "the next head has begun");
    }

    #[test]
    fn what_comes_between_requests_of_http_2_is_no_head() {
        let stage = stage();
        drop(stage.begin(http::Version::HTTP_2));
        stage.note_read();
        assert!(!overdue_after(&stage, 75) && overdue_after(&stage, 76));
    }

    #[test]
    fn a_request_under_way_keeps_its_connection_as_long_as_bytes_move() {
        let stage = stage();
        let request = stage.begin(http::Version::HTTP_11);
        assert!(!overdue_after(&stage, 90) && overdue_after(&stage, 91));
        drop(request);
        assert!(!overdue_after(&stage, 75));
    }

    #[test]
    fn a_request_that_crosses_the_closing_is_spared_unless_it_stalls() {
        let stage = stage();
        assert!(!stage.has_begun_work(0, &limits()));
        let request = stage.begin(http::Version::HTTP_11);
        assert!(!stage.has_begun_work(0, &limits()), "nobody knows whose it is");
        stage.caller.note_known();
        assert!(stage.has_begun_work(0, &limits()));
        assert!(!stage.has_begun_work(91_000, &limits()), "it stalls");
        drop(request);
        assert!(!stage.has_begun_work(0, &limits()));
    }

    #[test]
    fn strangers_make_room_first_and_known_callers_at_work_never() {
        let stranger = stage();
        let soon = stranger.opened_at;
        let later = soon + TIME_TO_SPEAK;
        assert_eq!(stranger.worth(soon), Some((Worth::Newcomer, 0)));
        assert_eq!(stranger.worth(later), Some((Worth::Stranger, 0)));
        let at_work = stranger.begin(http::Version::HTTP_11);
        assert_eq!(stranger.worth(soon), Some((Worth::StrangerAtWork, 0)));
        assert_eq!(stranger.worth(later), Some((Worth::StrangerAtWork, 0)));
        stranger.caller.note_known();
        assert_eq!(stranger.worth(later), None);
        drop(at_work);
        assert_eq!(stranger.worth(soon), Some((Worth::Idle, 0)));
        let order = [Worth::Stranger, Worth::StrangerAtWork, Worth::Newcomer, Worth::Idle];
        assert!(order.is_sorted());
    }
}
