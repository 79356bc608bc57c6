//! One endpoint's lane: its queues, its window and its pace.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::domain::endpoint::Endpoint;
use crate::domain::id::MessageId;

use super::backpressure::Backpressure;
use super::window::{Bearing, Window};

/// Of so many turns, one is a retry's even while first attempts queue.
const RETRY_EVERY: u8 = 8;
/// While many retries wait, one of so many turns is a first attempt's: an endpoint that fails every message once has as
/// many of either, and must get rid of retries faster than they come.
const FIRST_EVERY: u8 = 4;

/// So many first attempts queue for each request that may be out, before those who bring more are held up.
const QUEUED_A_REQUEST: usize = 8;

/// At most so many rows are claimed for a lane at once, and so many for each request that may be out.
pub(in crate::dispatch) const MOST_CLAIMED: usize = 256;
const CLAIMED_A_REQUEST: usize = 16;

/// For so long a lane without work remembers that its receiver bears fewer requests at once than it may have.
pub(in crate::dispatch) const WINDOW_REMEMBERED: Duration = Duration::from_secs(600);

/// What goes through a lane.
pub(in crate::dispatch) trait Queued {
    /// For a first attempt its message, which says when it was accepted; `None` for what was tried before.
    fn first_attempt_of(&self) -> Option<MessageId> {
        None
    }
}

/// A lane. `T` is what goes through it.
pub(in crate::dispatch) struct Lane<T> {
    pub(in crate::dispatch) endpoint: Arc<Endpoint>,
    /// First attempts, with when they came.
    pub(in crate::dispatch) first: VecDeque<(Instant, T)>,
    /// What was claimed from the queue: retries, replays, what had to wait.
    pub(in crate::dispatch) claimed: VecDeque<(Instant, T)>,
    /// Places promised to first attempts that are being written.
    pub(in crate::dispatch) reserved: usize,
    pub(in crate::dispatch) in_flight: usize,
    window: Window,
    turns: u8,
    pub(in crate::dispatch) pace: Pace,
    /// On its tenant's list.
    pub(in crate::dispatch) listed: bool,
    /// On the list of those that wait for a moment.
    pub(in crate::dispatch) asleep: bool,
    /// On the list of those that are remembered for a while.
    pub(in crate::dispatch) remembered: bool,
    /// Its entry on the list of those that have something queued: nothing in it came before this.
    pub(in crate::dispatch) queued_since: Option<Instant>,
    /// When its last request finished.
    pub(in crate::dispatch) last_finished_at: Option<Instant>,
    /// Its endpoint was deleted.
    pub(in crate::dispatch) deleted: bool,
    /// It was left out of a claim for lack of room.
    pub(in crate::dispatch) crowded: bool,
    /// Its endpoint has changed, and nothing goes until it is known how.
    pub(in crate::dispatch) suspended: bool,
    pub(in crate::dispatch) backpressure: Backpressure,
}

impl<T: Queued> Lane<T> {
    /// A new lane; one that just `opened` begins slowly.
    pub(in crate::dispatch) fn new(endpoint: Arc<Endpoint>, opened: bool) -> Self {
        let limit = endpoint.policy.max_in_flight;
        Self {
            window: if opened { Window::opening(limit) } else { Window::full(limit) },
            endpoint,
            first: VecDeque::new(),
            claimed: VecDeque::new(),
            reserved: 0,
            in_flight: 0,
            turns: 0,
            pace: Pace::default(),
            listed: false,
            asleep: false,
            remembered: false,
            queued_since: None,
            last_finished_at: None,
            deleted: false,
            crowded: false,
            suspended: false,
            backpressure: Backpressure::default(),
        }
    }

    /// Takes a newer snapshot of its endpoint over; an older one changes nothing.
    pub(in crate::dispatch) fn adopt(&mut self, endpoint: &Arc<Endpoint>) {
        if endpoint.config_version > self.endpoint.config_version {
            self.window.limit_to(endpoint.policy.max_in_flight);
            if self.endpoint.closed && !endpoint.closed {
                self.open_slowly();
            }
            self.endpoint = endpoint.clone();
        }
    }

    /// Begins anew with one request at a time.
    pub(in crate::dispatch) fn open_slowly(&mut self) {
        self.window = Window::opening(self.endpoint.policy.max_in_flight);
    }

    pub(in crate::dispatch) fn queued(&self) -> usize {
        self.first.len() + self.claimed.len()
    }

    /// How many claimed deliveries it may queue: what a receiver that bears little takes in a while, so that leases
    /// do not lapse in its lane.
    pub(in crate::dispatch) fn claims_at_once(&self) -> usize {
        self.window.size().saturating_mul(CLAIMED_A_REQUEST).min(MOST_CLAIMED)
    }

    pub(in crate::dispatch) fn can_go(&self) -> bool {
        self.queued() > 0 && self.in_flight < self.window.size() && !self.endpoint.closed && !self.suspended
    }

    pub(in crate::dispatch) fn take(&mut self) -> Option<T> {
        let many_wait = self.claimed.len() >= self.claims_at_once() / 4;
        self.turns = (self.turns + 1) % RETRY_EVERY;
        let claimed_first = self.has_older_claimed()
            || if many_wait { !self.turns.is_multiple_of(FIRST_EVERY) } else { self.turns == 0 };
        let (sooner, later) = if claimed_first || self.first.is_empty() {
            (&mut self.claimed, &mut self.first)
        } else {
            (&mut self.first, &mut self.claimed)
        };
        let taken = sooner.pop_front().or_else(|| later.pop_front()).map(|(_, item)| item);
        let at_ease = self.queued_at_ease();
        self.backpressure.ease(self.first.len(), at_ease);
        taken
    }

    /// Whether what was claimed is a first attempt that was accepted before those that queue in memory: it had to wait in
    /// the queue, and what came after it should not pass it.
    fn has_older_claimed(&self) -> bool {
        let first =
            |queue: &VecDeque<(Instant, T)>| queue.front().and_then(|(_, item)| item.first_attempt_of());
        first(&self.claimed).zip(first(&self.first)).is_some_and(|(claimed, first)| claimed < first)
    }

    /// So many first attempts queue before those who bring more are held up.
    fn queued_at_ease(&self) -> usize {
        self.window.size().saturating_mul(QUEUED_A_REQUEST)
    }

    /// Whether those who bring more are held up.
    pub(in crate::dispatch) fn is_pressed(&self) -> bool {
        self.first.len() >= self.queued_at_ease()
    }

    pub(in crate::dispatch) fn bear(&mut self, bearing: Bearing) {
        self.window.bear(bearing);
    }

    pub(in crate::dispatch) fn drain(&mut self) -> Vec<T> {
        self.first.drain(..).chain(self.claimed.drain(..)).map(|(_, item)| item).collect()
    }

    pub(in crate::dispatch) fn drain_before(&mut self, moment: Instant) -> Vec<T> {
        let mut drained = Vec::new();
        for queue in [&mut self.first, &mut self.claimed] {
            while queue.front().is_some_and(|(came, _)| *came < moment) {
                drained.extend(queue.pop_front().map(|(_, item)| item));
            }
        }
        drained
    }

    /// When the oldest of what it has queued came.
    pub(in crate::dispatch) fn oldest(&self) -> Option<Instant> {
        let came = |queue: &VecDeque<(Instant, T)>| queue.front().map(|(came, _)| *came);
        [came(&self.first), came(&self.claimed)].into_iter().flatten().min()
    }

    /// Nothing queued, promised or under way, and on no list.
    pub(in crate::dispatch) fn is_idle(&self) -> bool {
        self.queued() == 0
            && self.reserved == 0
            && self.in_flight == 0
            && !self.suspended
            && !self.listed
            && !self.asleep
            && !self.remembered
    }

    /// Until when a lane without work has to be remembered, because a new one would go faster.
    pub(in crate::dispatch) fn remember_until(&self) -> Option<Instant> {
        // A closed one opens slowly, whatever it was.
        let is_narrow = !self.window.is_full() && !self.endpoint.closed && !self.deleted;
        let window = self.last_finished_at.filter(|_| is_narrow).map(|at| at + WINDOW_REMEMBERED);
        window.max(self.pace.next_at())
    }
}

/// A limit of requests a second: when the next may go. Up to a tenth of a second's worth may go at once.
#[derive(Debug, Default, Clone, Copy)]
pub(in crate::dispatch) struct Pace {
    next_at: Option<Instant>,
}

impl Pace {
    const BURST: Duration = Duration::from_millis(100);

    pub(in crate::dispatch) fn spend(&mut self, rate: Option<u32>, now: Instant) {
        self.next_at = rate.filter(|rate| *rate > 0).map(|rate| {
            let earliest = now.checked_sub(Self::BURST).unwrap_or(now);
            self.next_at.map_or(now, |at| at.max(earliest)) + Duration::from_secs(1) / rate
        });
    }

    pub(in crate::dispatch) fn waits_until(&self, now: Instant) -> Option<Instant> {
        self.next_at.filter(|at| *at > now)
    }

    /// From when on it is like that of a new lane, and need not be remembered.
    pub(in crate::dispatch) fn next_at(&self) -> Option<Instant> {
        self.next_at
    }
}
