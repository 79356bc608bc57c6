//! One endpoint's lane: its two queues, its window and its rate limit.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::domain::endpoint::Endpoint;

use super::LaneOrTenant;
use super::backpressure::Backpressure;
use super::borne::Borne;
use super::home::Home;
use super::queued::Queued;
use super::rate_limiter::RateLimiter;
use super::speed::Speed;
use super::throttle::Throttle;
use super::window::{LoadSignal, Window};

/// One turn of this many takes what was claimed even while first attempts are queued.
const TURNS_PER_RETRY: u8 = 8;
/// While many claimed deliveries are queued, one turn of this many takes a first attempt. An endpoint that fails every
/// message once has as many retries as first attempts, and retries must leave faster than they come.
const TURNS_PER_FIRST_ATTEMPT: u8 = 4;

/// A throttled lane queues so many first attempts, however slow it is.
const MIN_FIRST_ATTEMPTS: usize = 16;

/// A queue of this many first attempts for each request of the window is long: posts that add to it have to wait.
const LONG_QUEUE_PER_REQUEST: usize = 8;

/// At most this many rows are claimed for a lane at once, and this many for each request of its window.
pub(super) const MAX_CLAIMED_PER_LANE: usize = 256;
const CLAIMED_PER_REQUEST: usize = 16;

/// A lane without work is kept for this long when its window is narrower than the endpoint's limit.
pub(super) const NARROW_WINDOW_KEPT_FOR: Duration = Duration::from_secs(600);

/// The pace of a lane that has limits for all nodes together, or is throttled.
#[derive(Debug)]
pub(super) struct Pace {
    /// What has the home.
    pub(super) subject: LaneOrTenant,
    pub(super) home: Home,
    pub(super) throttle: Option<Throttle>,
}

/// A lane. `T` is what goes through it.
pub(super) struct Lane<T> {
    pub(super) endpoint: Arc<Endpoint>,
    /// First attempts from ingest, with when they came.
    pub(super) first_attempts: VecDeque<(Instant, T)>,
    /// What was claimed from the queue in the database: retries, replays, and first attempts that did not fit into memory.
    pub(super) claimed: VecDeque<(Instant, T)>,
    /// Places promised to first attempts that are being written.
    pub(super) reserved: usize,
    pub(super) in_flight: usize,
    /// Requests are under way, and none of them has ended since then.
    pub(super) none_ended_since: Option<Instant>,
    window: Window,
    turns_taken: u8,
    pub(super) rate_limiter: RateLimiter,
    /// If it has limits for all nodes together, or is throttled.
    pub(super) pace: Option<Box<Pace>>,
    /// It is in its tenant's queue of quick lanes that are ready.
    pub(super) in_quick_queue: bool,
    /// It is in its tenant's queue of slow lanes that are ready.
    pub(super) in_slow_queue: bool,
    /// It is in the queue of what waits for its rate limit.
    pub(super) in_rate_queue: bool,
    /// It is in the queue of what expires later.
    pub(super) in_expiry_queue: bool,
    /// The time of its entry in the queue by age: nothing that it has queued came before.
    pub(super) oldest_queued_at: Option<Instant>,
    pub(super) last_finished_at: Option<Instant>,
    /// Its endpoint was deleted.
    pub(super) deleted: bool,
    /// A claim left it out because it had no room.
    pub(super) had_no_room: bool,
    /// Its endpoint has changed, and nothing is sent until the new snapshot is here.
    pub(super) suspended: bool,
    pub(super) backpressure: Backpressure,
    pub(super) borne: Borne,
    /// It has begun with one request at a time since it is there.
    was_opened: bool,
}

impl<T: Queued> Lane<T> {
    /// A new lane, as wide as its limit. `borne` is what its receiver bore before.
    pub(super) fn new(endpoint: Arc<Endpoint>, borne: Borne) -> Self {
        Self {
            window: Window::full(endpoint.policy.max_in_flight),
            endpoint,
            first_attempts: VecDeque::new(),
            claimed: VecDeque::new(),
            reserved: 0,
            in_flight: 0,
            none_ended_since: None,
            turns_taken: 0,
            rate_limiter: RateLimiter::default(),
            pace: None,
            in_quick_queue: false,
            in_slow_queue: false,
            in_rate_queue: false,
            in_expiry_queue: false,
            oldest_queued_at: None,
            last_finished_at: None,
            deleted: false,
            had_no_room: false,
            suspended: false,
            backpressure: Backpressure::default(),
            borne,
            was_opened: false,
        }
    }

    /// Takes a newer snapshot of its endpoint over; an older one changes nothing.
    pub(super) fn adopt(&mut self, endpoint: &Arc<Endpoint>) {
        if endpoint.config_version > self.endpoint.config_version {
            self.window.set_limit(endpoint.policy.max_in_flight);
            if self.endpoint.closed && !endpoint.closed {
                self.open_gently();
            }
            self.endpoint = endpoint.clone();
        }
    }

    /// Begins again with one request at a time.
    pub(super) fn open_gently(&mut self) {
        self.window = Window::opening(self.endpoint.policy.max_in_flight, self.borne_at_once());
        self.was_opened = true;
    }

    /// A part of a backlog was claimed for it. It goes on as it was if it is at work on it, and else opens gently.
    pub(super) fn meet_backlog(&mut self, now: Instant) {
        let is_known = self.was_opened || self.borne.load().is_some();
        let is_at_work = self.in_flight > 0 || self.borne.is_recent(now);
        if !(is_known && is_at_work) {
            self.open_gently();
        }
    }

    fn borne_at_once(&self) -> Option<u32> {
        self.borne.load().map(|load| load.at_once)
    }

    pub(super) fn queued(&self) -> usize {
        self.first_attempts.len() + self.claimed.len()
    }

    /// How many claimed deliveries it may queue. In proportion to the window, so that a slow receiver gets through them
    /// before their leases end.
    pub(super) fn claim_limit(&self) -> usize {
        let limit = self.window.size().saturating_mul(CLAIMED_PER_REQUEST).min(MAX_CLAIMED_PER_LANE);
        self.throttle().map_or(limit, |throttle| limit.min(throttle.work_ahead()))
    }

    /// How many first attempts it may queue, where the limits of all lanes allow more.
    pub(super) fn first_attempts_limit(&self) -> usize {
        self.throttle().map_or(usize::MAX, |throttle| throttle.work_ahead().max(MIN_FIRST_ATTEMPTS))
    }

    /// How long its requests take.
    pub(super) fn speed(&self) -> Speed {
        self.borne.speed
    }

    /// Whether it is in the queue of ready lanes of its speed.
    pub(super) fn is_in_its_queue(&self) -> bool {
        match self.speed() {
            Speed::Quick => self.in_quick_queue,
            Speed::Slow => self.in_slow_queue,
        }
    }

    pub(super) fn can_send(&self) -> bool {
        self.queued() > 0
            && self.in_flight < self.window.size()
            && !self.endpoint.closed
            && !self.suspended
            && self.pace.as_ref().is_none_or(|pace| pace.home == Home::Here)
    }

    /// When it may send next, if that is not yet.
    pub(super) fn waits_until(&self, now: Instant) -> Option<Instant> {
        self.rate_limiter.waits_until(now).max(self.throttle().and_then(|throttle| throttle.waits_until(now)))
    }

    pub(super) fn throttle(&self) -> Option<&Throttle> {
        self.pace.as_ref().and_then(|pace| pace.throttle.as_ref())
    }

    pub(super) fn throttle_mut(&mut self) -> Option<&mut Throttle> {
        self.pace.as_mut().and_then(|pace| pace.throttle.as_mut())
    }

    /// Whether this node alone sends to it.
    pub(super) fn is_here(&self) -> bool {
        self.pace.as_ref().is_some_and(|pace| pace.home == Home::Here)
    }

    /// Whether another node sends to it.
    pub(super) fn is_elsewhere(&self) -> bool {
        self.pace.as_ref().is_some_and(|pace| pace.home == Home::Elsewhere)
    }

    /// Whether its pace is that of this.
    pub(super) fn is_of(&self, subject: LaneOrTenant) -> bool {
        self.pace.as_ref().is_some_and(|pace| pace.subject == subject)
    }

    pub(super) fn set_home(&mut self, home: Home) {
        if let Some(pace) = &mut self.pace {
            pace.home = home;
        }
    }

    /// It is not known any more which node sends to it.
    pub(super) fn forget_home(&mut self) {
        self.set_home(Home::Unknown);
    }

    /// Takes the next delivery out of its queues.
    pub(super) fn take(&mut self, now: Instant) -> Option<T> {
        let many_claimed = self.claimed.len() >= self.claim_limit() / 4;
        self.turns_taken = (self.turns_taken + 1) % TURNS_PER_RETRY;
        let turn_of_claimed = if many_claimed {
            !self.turns_taken.is_multiple_of(TURNS_PER_FIRST_ATTEMPT)
        } else {
            self.turns_taken == 0
        };
        let claimed_first = self.has_older_claimed() || turn_of_claimed;
        let (sooner, later) = if claimed_first || self.first_attempts.is_empty() {
            (&mut self.claimed, &mut self.first_attempts)
        } else {
            (&mut self.first_attempts, &mut self.claimed)
        };
        let taken = sooner.pop_front().or_else(|| later.pop_front()).map(|(_, item)| item);
        let long = self.long_queue_length();
        self.backpressure.note_dequeued(self.first_attempts.len(), long, now);
        taken
    }

    /// Whether the next claimed delivery is a first attempt that was accepted before the next one in memory: it did not fit
    /// into memory then, and what came after it should not be sent before it.
    fn has_older_claimed(&self) -> bool {
        let next =
            |queue: &VecDeque<(Instant, T)>| queue.front().and_then(|(_, item)| item.first_attempt_of());
        next(&self.claimed).zip(next(&self.first_attempts)).is_some_and(|(claimed, first)| claimed < first)
    }

    /// From how many first attempts on its queue is long.
    fn long_queue_length(&self) -> usize {
        self.window.size().saturating_mul(LONG_QUEUE_PER_REQUEST)
    }

    /// Whether posts that add to its queue have to wait.
    pub(super) fn has_long_queue(&self) -> bool {
        self.first_attempts.len() >= self.long_queue_length() && self.throttle().is_none()
    }

    /// Takes the result of a finished request into account.
    pub(super) fn record_result(&mut self, signal: LoadSignal, now: Instant) {
        if signal == LoadSignal::Success {
            self.borne.record(self.in_flight, now);
        }
        self.window.record(signal, self.borne_at_once(), now);
        if signal == LoadSignal::Overload && self.window.size() == 1 {
            self.backpressure.stall(now);
        }
    }

    pub(super) fn drain(&mut self) -> Vec<T> {
        self.first_attempts.drain(..).chain(self.claimed.drain(..)).map(|(_, item)| item).collect()
    }

    /// Takes out what came before `moment`.
    pub(super) fn drain_before(&mut self, moment: Instant) -> Vec<T> {
        let mut drained = Vec::new();
        for queue in [&mut self.first_attempts, &mut self.claimed] {
            while queue.front().is_some_and(|(came_at, _)| *came_at < moment) {
                drained.extend(queue.pop_front().map(|(_, item)| item));
            }
        }
        drained
    }

    /// When the oldest of what it has queued came.
    pub(super) fn oldest(&self) -> Option<Instant> {
        let came_at = |queue: &VecDeque<(Instant, T)>| queue.front().map(|(came_at, _)| *came_at);
        [came_at(&self.first_attempts), came_at(&self.claimed)].into_iter().flatten().min()
    }

    /// Nothing queued, promised or in flight, and in no queue.
    pub(super) fn is_idle(&self) -> bool {
        self.queued() == 0
            && self.reserved == 0
            && self.in_flight == 0
            && !self.suspended
            && !self.in_quick_queue
            && !self.in_slow_queue
            && !self.in_rate_queue
            && !self.in_expiry_queue
    }

    /// Until when a lane without work has to be kept, because a new one would be allowed to send more.
    pub(super) fn keep_until(&self) -> Option<Instant> {
        // A closed one opens gently, however wide its window is now.
        let is_narrow = !self.window.is_full() && !self.endpoint.closed && !self.deleted;
        let window = self.last_finished_at.filter(|_| is_narrow).map(|at| at + NARROW_WINDOW_KEPT_FOR);
        let throttle = self.throttle().filter(|_| !self.deleted).map(Throttle::kept_until);
        window.max(self.rate_limiter.next_at()).max(throttle)
    }
}
