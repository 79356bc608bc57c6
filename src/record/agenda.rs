//! When each endpoint next has something due in the queue, as far as this process knows: what it put there itself,
//! what a claim or a notice told it, what the last sweep found. The claimer lives by it, and asks the database about
//! no endpoint that is not due. A sweep of the whole queue, asked for by notices that name nothing and due from time
//! to time anyway, is the net under all this, so forgetting an endpoint costs time and never a delivery.

use std::collections::{BTreeSet, HashMap};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use tokio::sync::Notify;

use crate::domain::id::EndpointId;

/// So many endpoints are known at once; what else waits is found by sweeps.
const MOST_KNOWN: usize = 100_000;

/// Shared between those who put deliveries into the queue and the claimer.
#[derive(Clone)]
pub struct Agenda {
    inner: Arc<Inner>,
}

struct Inner {
    state: Mutex<State>,
    sooner: Notify,
}

struct State {
    due: HashMap<EndpointId, Instant>,
    order: BTreeSet<(Instant, EndpointId)>,
    sweep_at: Instant,
    /// Sweeps cost in proportion to the queue, so the next one rests at least until then.
    no_sweep_before: Instant,
}

impl Default for Agenda {
    /// Nothing is known yet, so a sweep is due.
    fn default() -> Self {
        let now = Instant::now();
        let state =
            State { due: HashMap::new(), order: BTreeSet::new(), sweep_at: now, no_sweep_before: now };
        Self { inner: Arc::new(Inner { state: Mutex::new(state), sooner: Notify::new() }) }
    }
}

impl Agenda {
    fn state(&self) -> MutexGuard<'_, State> {
        self.inner.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn change(&self, change: impl FnOnce(&mut State)) {
        let mut state = self.state();
        let before = state.first();
        change(&mut state);
        let sooner = state.first() < before;
        drop(state);
        if sooner {
            self.inner.sooner.notify_one();
        }
    }

    /// This endpoint has something due at `at`.
    pub fn schedule_by(&self, endpoint: EndpointId, at: Instant) {
        self.change(|state| state.schedule_by(endpoint, at));
    }

    /// Anything may be due at `at`: the queue is to be swept then, or as soon after as sweeps may be.
    pub fn sweep_by(&self, at: Instant) {
        self.change(|state| state.sweep_at = state.sweep_at.min(at.max(state.no_sweep_before)));
    }

    /// The queue is to be swept now, however lately it was.
    pub fn sweep_at_once(&self) {
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

    /// A sweep has ended; the next one is not before `at`.
    pub fn rest_until(&self, at: Instant) {
        let mut state = self.state();
        state.no_sweep_before = at;
        state.sweep_at = state.sweep_at.max(at);
    }

    /// Whether it takes on no more endpoints.
    pub fn is_full(&self) -> bool {
        self.state().due.len() >= MOST_KNOWN
    }

    /// Takes the endpoint off that has been due for longest, before the queue is asked about it: whatever is put
    /// there from now on brings it back.
    pub fn take_due(&self, now: Instant) -> Option<EndpointId> {
        let mut state = self.state();
        let (at, endpoint) = state.order.first().copied()?;
        if at > now {
            return None;
        }
        state.order.remove(&(at, endpoint));
        state.due.remove(&endpoint);
        Some(endpoint)
    }

    /// Returns when an endpoint or a sweep is due.
    pub async fn reached(&self) {
        loop {
            let sooner = self.inner.sooner.notified();
            let first = self.state().first();
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
    fn first(&self) -> Instant {
        self.order.first().map_or(self.sweep_at, |(at, _)| self.sweep_at.min(*at))
    }

    fn schedule_by(&mut self, endpoint: EndpointId, at: Instant) {
        match self.due.get(&endpoint).copied() {
            Some(known) if known <= at => return,
            Some(known) => {
                self.order.remove(&(known, endpoint));
            }
            None if self.due.len() >= MOST_KNOWN => return,
            None => {}
        }
        self.due.insert(endpoint, at);
        self.order.insert((at, endpoint));
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;
    use std::time::Duration;

    use proptest::prelude::*;

    use super::*;

    fn settled(now: Instant) -> Agenda {
        let agenda = Agenda::default();
        assert!(agenda.begin_sweep(now + Duration::from_secs(1), now + Duration::from_secs(3600)));
        agenda
    }

    #[tokio::test]
    async fn a_sooner_moment_wakes_the_waiter() {
        let now = Instant::now();
        let agenda = settled(now);
        let endpoint = EndpointId::generate();
        agenda.schedule_by(endpoint, now + Duration::from_secs(3000));
        let waiter = tokio::spawn({
            let agenda = agenda.clone();
            async move { agenda.reached().await }
        });
        agenda.schedule_by(endpoint, now);
        waiter.await.unwrap();
        assert_eq!(agenda.take_due(Instant::now()), Some(endpoint));
        assert_eq!(agenda.take_due(Instant::now()), None);
    }

    #[test]
    fn a_sweep_that_is_asked_for_during_a_sweep_follows_it_after_a_rest() {
        let now = Instant::now();
        let after = |seconds| now + Duration::from_secs(seconds);
        let agenda = Agenda::default();
        assert!(agenda.begin_sweep(after(1), after(30)));
        agenda.sweep_by(after(2));
        agenda.rest_until(after(4));
        assert!(!agenda.begin_sweep(after(3), after(30)));
        assert!(agenda.begin_sweep(after(4), after(34)));
        assert!(!agenda.begin_sweep(after(33), after(60)));
        agenda.rest_until(after(5));
        assert!(agenda.begin_sweep(after(34), after(60)), "a rest puts no sweep off that comes later");
    }

    proptest! {
        /// No wake-up is lost: whatever was hastened is given, not before its moment, the longest due first.
        #[test]
        fn every_endpoint_is_given_at_the_soonest_moment_that_was_named(
            named in prop::collection::vec((0_usize..8, 0_u64..100), 0..60),
            asked_at in prop::collection::vec(0_u64..120, 1..6),
        ) {
            let now = Instant::now();
            let agenda = settled(now);
            let endpoints: Vec<EndpointId> = (0..8).map(|_| EndpointId::generate()).collect();
            let mut model: HashMap<EndpointId, u64> = HashMap::new();
            for (which, at) in named {
                agenda.schedule_by(endpoints[which], now + Duration::from_millis(at));
                let soonest = model.entry(endpoints[which]).or_insert(at);
                *soonest = (*soonest).min(at);
            }
            for at in asked_at {
                let mut last = 0;
                while let Some(endpoint) = agenda.take_due(now + Duration::from_millis(at)) {
                    let due = model.remove(&endpoint).expect("given once");
                    prop_assert!(due <= at && due >= last);
                    last = due;
                }
                prop_assert!(model.values().all(|due| *due > at), "nothing that is due is kept back");
            }
        }
    }
}
