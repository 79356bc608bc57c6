//! The state of a connection, shared by its task, its socket and the sweep. None of them waits for another.

use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use tokio::sync::Notify;

use crate::api::{CallerConnection, TakeBy};

use super::{ListenerLimits, MIN_AGE_TO_CLOSE};

/// The time as the last sweep saw it. It is read with every byte that moves, so reading it costs nothing.
#[derive(Clone)]
pub(super) struct CoarseClock {
    start: Instant,
    now_ms: Arc<AtomicU64>,
}

impl Default for CoarseClock {
    fn default() -> Self {
        Self { start: Instant::now(), now_ms: Arc::default() }
    }
}

impl CoarseClock {
    pub(super) fn advance(&self) {
        let now = u64::try_from(self.start.elapsed().as_millis()).unwrap_or(u64::MAX);
        self.now_ms.store(now, Relaxed);
    }

    pub(super) fn now_ms(&self) -> u64 {
        self.now_ms.load(Relaxed)
    }

    fn instant(&self, ms: u64) -> Instant {
        self.start + Duration::from_millis(ms)
    }
}

/// Which connection is closed first when there is no room for another: the smaller one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum ClosePriority {
    /// No valid credential was ever shown on it, and it has no request.
    Unauthenticated,
    /// No valid credential was ever shown on it; a request of it is being answered, as one for health is.
    UnauthenticatedBusy,
    /// It has not had the time yet to show a credential.
    New,
    /// A known caller's, without a request.
    Idle,
}

/// The state of a connection.
pub(super) struct ConnectionState {
    clock: CoarseClock,
    opened_at: Instant,
    /// Since when it has been waiting for a head, or for the rest of one.
    waiting_since_ms: AtomicU64,
    /// When a byte last went either way.
    last_bytes_ms: AtomicU64,
    /// Requests whose heads were read and whose answers are not sent yet.
    in_flight: AtomicU32,
    /// A part of a head is there.
    head_begun: AtomicBool,
    /// A head was read on it.
    was_used: AtomicBool,
    /// It is HTTP/2: heads are read side by side with everything else.
    is_multiplexed: AtomicBool,
    /// What the API notes about the caller.
    pub(super) caller: Arc<CallerConnection>,
    /// Answers whose heads are out, by their numbers, and until when they have to be taken.
    answers: Mutex<Vec<(u64, TakeBy)>>,
    next_answer: AtomicU64,
    /// It is closed whatever goes on on it.
    must_end: AtomicBool,
    closing: Notify,
}

impl ConnectionState {
    pub(super) fn new(clock: CoarseClock, body_bytes: usize) -> Self {
        let now = clock.now_ms();
        Self {
            clock,
            opened_at: Instant::now(),
            waiting_since_ms: AtomicU64::new(now),
            last_bytes_ms: AtomicU64::new(now),
            in_flight: AtomicU32::new(0),
            head_begun: AtomicBool::new(false),
            was_used: AtomicBool::new(false),
            is_multiplexed: AtomicBool::new(false),
            caller: Arc::new(CallerConnection::new(body_bytes)),
            answers: Mutex::default(),
            next_answer: AtomicU64::new(0),
            must_end: AtomicBool::new(false),
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
        self.last_bytes_ms.store(now, Relaxed);
        if self.in_flight.load(Relaxed) == 0
            && !self.head_begun.swap(true, Relaxed)
            && self.was_used.load(Relaxed)
        {
            self.waiting_since_ms.store(now, Relaxed);
        }
    }

    /// Bytes were written.
    pub(super) fn note_written(&self) {
        self.last_bytes_ms.store(self.clock.now_ms(), Relaxed);
    }

    /// A head was read. The request is under way until what comes back is dropped.
    pub(super) fn begin(self: &Arc<Self>, version: http::Version) -> RequestInFlight {
        self.was_used.store(true, Relaxed);
        self.head_begun.store(false, Relaxed);
        if version == http::Version::HTTP_2 {
            self.is_multiplexed.store(true, Relaxed);
        }
        self.in_flight.fetch_add(1, Relaxed);
        RequestInFlight { connection: self.clone(), answer: None }
    }

    fn answers(&self) -> MutexGuard<'_, Vec<(u64, TakeBy)>> {
        self.answers.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn end(&self) {
        if self.in_flight.fetch_sub(1, Relaxed) == 1 {
            self.waiting_since_ms.store(self.clock.now_ms(), Relaxed);
            self.head_begun.store(false, Relaxed);
        }
    }

    pub(super) fn is_overdue(&self, now_ms: u64, limits: &ListenerLimits) -> bool {
        let passed = |since: &AtomicU64| Duration::from_millis(now_ms.saturating_sub(since.load(Relaxed)));
        let in_flight = self.in_flight.load(Relaxed);
        if in_flight > 0 {
            let (answers, now) = (self.answers(), self.clock.instant(now_ms));
            // What else comes on the connection, such as PINGs, does not make an answer taken.
            let stalls = || {
                usize::try_from(in_flight).is_ok_and(|all| all > answers.len())
                    && passed(&self.last_bytes_ms) > limits.stall_timeout
            };
            return answers.iter().any(|(_, take_by)| take_by.is_past(now)) || stalls();
        }
        let is_reading_head = !self.is_multiplexed.load(Relaxed)
            && (self.head_begun.load(Relaxed) || !self.was_used.load(Relaxed));
        let longest = if is_reading_head { limits.head_timeout } else { limits.idle_timeout };
        passed(&self.waiting_since_ms) > longest
    }

    /// Its priority now and since when it has it; `None` when it must not be closed.
    pub(super) fn close_priority(&self, now: Instant) -> Option<(ClosePriority, u64)> {
        let is_new = now.saturating_duration_since(self.opened_at) < MIN_AGE_TO_CLOSE;
        let priority = match (self.caller.is_known(), self.in_flight.load(Relaxed) > 0) {
            (false, false) if is_new => ClosePriority::New,
            (false, false) => ClosePriority::Unauthenticated,
            (false, true) => ClosePriority::UnauthenticatedBusy,
            (true, false) => ClosePriority::Idle,
            (true, true) => return None,
        };
        Some((priority, self.waiting_since_ms.load(Relaxed)))
    }

    /// Whether a known caller's request came in after it was decided to close the connection.
    pub(super) fn has_crossing_request(&self, now_ms: u64, limits: &ListenerLimits) -> bool {
        !self.must_end() && self.close_priority(self.opened_at).is_none() && !self.is_overdue(now_ms, limits)
    }

    /// Has it closed whatever goes on on it.
    pub(super) fn end_all(&self) {
        self.must_end.store(true, Relaxed);
        self.close();
    }

    /// Whether it is to end whatever goes on on it.
    pub(super) fn must_end(&self) -> bool {
        self.must_end.load(Relaxed)
    }

    /// Tells the connection to close, unless a known caller's request has begun meanwhile.
    pub(super) fn close(&self) {
        self.closing.notify_one();
    }

    /// Resolves when it is to close.
    pub(super) async fn closed(&self) {
        self.closing.notified().await;
    }
}

/// Counts a request as in flight until it is dropped.
pub(super) struct RequestInFlight {
    connection: Arc<ConnectionState>,
    /// The number of its answer.
    answer: Option<u64>,
}

impl RequestInFlight {
    /// The head of its answer is out.
    pub(super) fn answered(&mut self, take_by: TakeBy) {
        let number = self.connection.next_answer.fetch_add(1, Relaxed);
        self.connection.answers().push((number, take_by));
        self.answer = Some(number);
    }
}

impl Drop for RequestInFlight {
    fn drop(&mut self) {
        self.connection.end();
        if let Some(number) = self.answer {
            self.connection.answers().retain(|(other, _)| *other != number);
        }
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

    fn state() -> Arc<ConnectionState> {
        Arc::new(ConnectionState::new(CoarseClock::default(), 1 << 20))
    }

    fn overdue_after(state: &ConnectionState, seconds: u64) -> bool {
        state.is_overdue(seconds * 1_000, &limits())
    }

    #[test]
    fn a_head_has_less_time_than_an_idle_connection() {
        let state = state();
        assert!(!overdue_after(&state, 10) && overdue_after(&state, 11), "nothing was sent");
        state.note_read();
        assert!(overdue_after(&state, 11), "a part of a head was sent");
        drop(state.begin(http::Version::HTTP_11));
        assert!(!overdue_after(&state, 75) && overdue_after(&state, 76), "it is idle");
        state.note_read();
        assert!(overdue_after(&state, 11), "the next head has begun");
    }

    #[test]
    fn what_comes_between_requests_of_http_2_is_no_head() {
        let state = state();
        drop(state.begin(http::Version::HTTP_2));
        state.note_read();
        assert!(!overdue_after(&state, 75) && overdue_after(&state, 76));
    }

    #[test]
    fn a_request_under_way_keeps_its_connection_as_long_as_bytes_move() {
        let state = state();
        let request = state.begin(http::Version::HTTP_11);
        assert!(!overdue_after(&state, 90) && overdue_after(&state, 91));
        drop(request);
        assert!(!overdue_after(&state, 75));
    }

    #[test]
    fn an_answer_that_is_not_taken_in_time_ends_its_connection_whatever_else_comes() {
        let state = state();
        let at = |seconds: u64| state.clock.instant(seconds * 1_000);
        let mut endless = state.begin(http::Version::HTTP_2);
        let offered = Arc::<Mutex<Option<Instant>>>::default();
        endless.answered(TakeBy::Offered(offered.clone()));
        assert!(!overdue_after(&state, 10_000), "nothing waits to be taken");
        let mut page = state.begin(http::Version::HTTP_2);
        page.answered(TakeBy::At(at(60)));
        state.note_read();
        assert!(!overdue_after(&state, 60) && overdue_after(&state, 61));
        drop(page);
        assert!(!overdue_after(&state, 61), "it was taken");
        *offered.lock().unwrap() = Some(at(70));
        assert!(!overdue_after(&state, 70) && overdue_after(&state, 71));
        state.caller.note_known(None);
        assert!(!state.has_crossing_request(71_000, &limits()), "it is not spared");
    }

    #[test]
    fn a_request_that_crosses_the_closing_is_spared_unless_it_stalls() {
        let state = state();
        assert!(!state.has_crossing_request(0, &limits()));
        let request = state.begin(http::Version::HTTP_11);
        assert!(!state.has_crossing_request(0, &limits()), "nobody knows whose it is");
        state.caller.note_known(None);
        assert!(state.has_crossing_request(0, &limits()));
        assert!(!state.has_crossing_request(91_000, &limits()), "it stalls");
        drop(request);
        assert!(!state.has_crossing_request(0, &limits()));
    }

    #[test]
    fn unauthenticated_connections_are_closed_first_and_busy_ones_of_known_callers_never() {
        let stranger = state();
        let soon = stranger.opened_at;
        let later = soon + MIN_AGE_TO_CLOSE;
        assert_eq!(stranger.close_priority(soon), Some((ClosePriority::New, 0)));
        assert_eq!(stranger.close_priority(later), Some((ClosePriority::Unauthenticated, 0)));
        let at_work = stranger.begin(http::Version::HTTP_11);
        assert_eq!(stranger.close_priority(soon), Some((ClosePriority::UnauthenticatedBusy, 0)));
        assert_eq!(stranger.close_priority(later), Some((ClosePriority::UnauthenticatedBusy, 0)));
        stranger.caller.note_known(None);
        assert_eq!(stranger.close_priority(later), None);
        drop(at_work);
        assert_eq!(stranger.close_priority(soon), Some((ClosePriority::Idle, 0)));
        let order = [
            ClosePriority::Unauthenticated,
            ClosePriority::UnauthenticatedBusy,
            ClosePriority::New,
            ClosePriority::Idle,
        ];
        assert!(order.is_sorted());
    }
}
