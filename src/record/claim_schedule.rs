//! When each endpoint next has something due in the queue, as far as this process knows: from what it put there itself,
//! from claims and notices, and from the last sweep. The claimer asks the database for no endpoint that is not due here. A
//! sweep of the whole queue, after notices that name no endpoint and from time to time in any case, finds what is not known
//! here, so forgetting an endpoint costs time and never a delivery.

use std::collections::{BTreeSet, HashMap};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use tokio::sync::Notify;

use crate::domain::id::EndpointId;

/// At most this many endpoints are known at once; what else waits is found by sweeps.
const MAX_ENDPOINTS: usize = 100_000;

/// Shared by the claimer and everything that puts deliveries into the queue. Cheap to clone.
#[derive(Clone)]
pub struct ClaimSchedule {
    inner: Arc<Inner>,
}

struct Inner {
    state: Mutex<State>,
    became_sooner: Notify,
}

struct State {
    due_at: HashMap<EndpointId, Instant>,
    order: BTreeSet<(Instant, EndpointId)>,
    sweep_at: Instant,
    /// Sweeps take time in proportion to the queue, so none begins before this.
    no_sweep_before: Instant,
}

impl Default for ClaimSchedule {
    /// Nothing is known yet, so a sweep is due.
    fn default() -> Self {
        let now = Instant::now();
        let state =
            State { due_at: HashMap::new(), order: BTreeSet::new(), sweep_at: now, no_sweep_before: now };
        Self { inner: Arc::new(Inner { state: Mutex::new(state), became_sooner: Notify::new() }) }
    }
}

impl ClaimSchedule {
    fn state(&self) -> MutexGuard<'_, State> {
        self.inner.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn change(&self, change: impl FnOnce(&mut State)) {
        let mut state = self.state();
        let before = state.next_at();
        change(&mut state);
        let sooner = state.next_at() < before;
        drop(state);
        if sooner {
            self.inner.became_sooner.notify_one();
        }
    }

    /// This endpoint has something due at `at`, if not sooner.
    pub fn schedule_no_later_than(&self, endpoint: EndpointId, at: Instant) {
        self.change(|state| state.schedule_no_later_than(endpoint, at));
    }

    /// Anything may be due at `at`: the queue is to be swept then, or as soon as a sweep is allowed.
    pub fn sweep_no_later_than(&self, at: Instant) {
        self.change(|state| state.sweep_at = state.sweep_at.min(at.max(state.no_sweep_before)));
    }

    /// The queue is to be swept now, even if the last sweep was a moment ago.
    pub fn sweep_now(&self) {
        let now = Instant::now();
        self.change(|state| {
            state.no_sweep_before = now;
            state.sweep_at = now;
        });
    }

    /// Whether a sweep is due; the next one then is at `next_at`, unless it is asked for sooner.
    pub fn begin_sweep(&self, now: Instant, next_at: Instant) -> bool {
        let mut state = self.state();
        let due = state.sweep_at <= now;
        if due {
            state.sweep_at = next_at;
        }
        due
    }

    /// A sweep has ended, and none begins before `at`.
    pub fn allow_no_sweep_before(&self, at: Instant) {
        let mut state = self.state();
        state.no_sweep_before = at;
        state.sweep_at = state.sweep_at.max(at);
    }

    /// Whether it takes on no more endpoints.
    pub fn is_full(&self) -> bool {
        self.state().due_at.len() >= MAX_ENDPOINTS
    }

    /// Takes out the endpoint that has been due for longest. The queue is asked for it afterwards, so whatever is put there
    /// from now on schedules it again.
    pub fn take_due(&self, now: Instant) -> Option<EndpointId> {
        let mut state = self.state();
        let (at, endpoint) = state.order.first().copied()?;
        if at > now {
            return None;
        }
        state.order.remove(&(at, endpoint));
        state.due_at.remove(&endpoint);
        Some(endpoint)
    }

    /// Returns when an endpoint or a sweep is due.
    pub async fn wait_until_due(&self) {
        loop {
            let sooner = self.inner.became_sooner.notified();
            let first = self.state().next_at();
            if first <= Instant::now() {
                return;
            }
            tokio::select! {
                () = tokio::time::sleep_until(first.into()) => {}
                () = sooner => {}
            }
        }
    }
}

impl State {
    fn next_at(&self) -> Instant {
        self.order.first().map_or(self.sweep_at, |(at, _)| self.sweep_at.min(*at))
    }

    fn schedule_no_later_than(&mut self, endpoint: EndpointId, at: Instant) {
        match self.due_at.get(&endpoint).copied() {
            Some(known) if known <= at => return,
            Some(known) => {
                self.order.remove(&(known, endpoint));
            }
            None if self.due_at.len() >= MAX_ENDPOINTS => return,
            None => {}
        }
        self.due_at.insert(endpoint, at);
        self.order.insert((at, endpoint));
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;
    use std::time::Duration;

    use proptest::prelude::*;

    use super::*;

    fn swept(now: Instant) -> ClaimSchedule {
        let schedule = ClaimSchedule::default();
        assert!(schedule.begin_sweep(now + Duration::from_secs(1), now + Duration::from_secs(3600)));
        schedule
    }

    #[tokio::test]
    async fn a_sooner_time_wakes_the_waiter() {
        let now = Instant::now();
        let schedule = swept(now);
        let endpoint = EndpointId::generate();
        schedule.schedule_no_later_than(endpoint, now + Duration::from_secs(3000));
        let waiter = tokio::spawn({
            let schedule = schedule.clone();
            async move { schedule.wait_until_due().await }
        });
        schedule.schedule_no_later_than(endpoint, now);
        waiter.await.unwrap();
        assert_eq!(schedule.take_due(Instant::now()), Some(endpoint));
        assert_eq!(schedule.take_due(Instant::now()), None);
    }

    #[test]
    fn a_sweep_that_is_asked_for_during_a_sweep_follows_it_after_a_rest() {
        let now = Instant::now();
        let after = |seconds| now + Duration::from_secs(seconds);
        let schedule = ClaimSchedule::default();
        assert!(schedule.begin_sweep(after(1), after(30)));
        schedule.sweep_no_later_than(after(2));
        schedule.allow_no_sweep_before(after(4));
        assert!(!schedule.begin_sweep(after(3), after(30)));
        assert!(schedule.begin_sweep(after(4), after(34)));
        assert!(!schedule.begin_sweep(after(33), after(60)));
        schedule.allow_no_sweep_before(after(5));
        assert!(schedule.begin_sweep(after(34), after(60)), "a rest does not delay a sweep that comes later");
    }

    proptest! {
        /// No wake-up is lost: each endpoint that was scheduled is given, not before its time, the longest due first.
        #[test]
        fn every_endpoint_is_given_at_the_soonest_time_that_was_scheduled(
            named in prop::collection::vec((0_usize..8, 0_u64..100), 0..60),
            asked_at in prop::collection::vec(0_u64..120, 1..6),
        ) {
            let now = Instant::now();
            let schedule = swept(now);
            let endpoints: Vec<EndpointId> = (0..8).map(|_| EndpointId::generate()).collect();
            let mut model: HashMap<EndpointId, u64> = HashMap::new();
            for (which, at) in named {
                schedule.schedule_no_later_than(endpoints[which], now + Duration::from_millis(at));
                let soonest = model.entry(endpoints[which]).or_insert(at);
                *soonest = (*soonest).min(at);
            }
            for at in asked_at {
                let mut last = 0;
                while let Some(endpoint) = schedule.take_due(now + Duration::from_millis(at)) {
                    let due = model.remove(&endpoint).expect("given once");
                    prop_assert!(due <= at && due >= last);
                    last = due;
                }
                prop_assert!(model.values().all(|due| *due > at), "nothing that is due is kept back");
            }
        }
    }
}
