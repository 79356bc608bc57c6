//! The lanes beside a simple model: whatever the order of arrivals, finishes and changes, nothing is lost, doubled or over
//! its bound, and nothing waits that could be sent.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::time::{Duration, Instant};

use proptest::prelude::*;

use crate::dispatch::lanes::lane::NARROW_WINDOW_KEPT_FOR;
use crate::dispatch::lanes::{Admission, LaneLimits, Lanes, LoadSignal};
use crate::domain::endpoint::Endpoint;
use crate::domain::id::ApplicationId;
use crate::domain::policy::EffectivePolicy;

use super::{endpoint, with};

const LIMITS: LaneLimits = LaneLimits { in_flight: 5, in_flight_per_tenant: 3, queued_per_lane: 4 };

#[derive(Debug, Clone)]
enum Step {
    PushFirst(usize),
    PushClaimed(usize),
    ReserveAndCancel(usize),
    Next,
    Finish(usize, u8),
    Toggle(usize),
    PauseOrResume,
    /// A claim of as many as there is room for.
    Claim(usize),
    /// What came so many milliseconds ago or earlier goes back.
    DrainOld(u64),
    /// A tenant's configuration changes: its lanes stand still, and each is updated or deleted.
    Suspend(usize),
    Refresh(usize, bool),
    Expire,
    Pass(u64),
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        3 => (0..6usize).prop_map(Step::PushFirst),
        2 => (0..6usize).prop_map(Step::PushClaimed),
        1 => (0..6usize).prop_map(Step::ReserveAndCancel),
        4 => Just(Step::Next),
        4 => (0..10usize, 0..3u8).prop_map(|(which, how)| Step::Finish(which, how)),
        1 => (0..6usize).prop_map(Step::Toggle),
        1 => Just(Step::PauseOrResume),
        2 => (0..6usize).prop_map(Step::Claim),
        1 => (0..300u64).prop_map(Step::DrainOld),
        1 => (0..3usize).prop_map(Step::Suspend),
        1 => (0..3usize, any::<bool>()).prop_map(|(tenant, deletes)| Step::Refresh(tenant, deletes)),
        1 => Just(Step::Expire),
        1 => (1..1_500u64).prop_map(Step::Pass),
    ]
}

/// The lanes beside what a simple model expects of them.
struct World {
    lanes: Lanes<(usize, u64)>,
    endpoints: Vec<Arc<Endpoint>>,
    now: Instant,
    queued: HashSet<(usize, u64)>,
    /// Endpoints that were told that there is no room.
    without_room: HashSet<usize>,
    in_flight: Vec<(usize, u64)>,
    /// When each of them was sent.
    sent_at: HashMap<u64, Instant>,
    next_item: u64,
    version: i64,
}

/// Rate limits of six endpoints and of their three tenants.
type Rates = ([Option<u32>; 6], [Option<u32>; 3]);

fn rates() -> impl Strategy<Value = Rates> {
    fn rate() -> impl Strategy<Value = Option<u32>> {
        prop_oneof![2 => Just(None), 1 => (1..50u32).prop_map(Some)]
    }
    (prop::array::uniform6(rate()), prop::array::uniform3(rate()))
}

impl World {
    fn new((endpoints, tenants): Rates) -> Self {
        let ids = [ApplicationId::generate(), ApplicationId::generate(), ApplicationId::generate()];
        let limited = |place: usize| {
            let base = endpoint(ids[place / 2], endpoints[place]);
            let application_rate_limit = tenants[place / 2];
            let policy = EffectivePolicy { application_rate_limit, ..base.policy.clone() };
            Arc::new(Endpoint { policy, ..base })
        };
        Self {
            lanes: Lanes::new(LIMITS),
            endpoints: (0..6).map(limited).collect(),
            now: Instant::now(),
            queued: HashSet::new(),
            without_room: HashSet::new(),
            in_flight: Vec::new(),
            sent_at: HashMap::new(),
            next_item: 0,
            version: 1,
        }
    }

    fn item(&mut self, place: usize) -> (usize, u64) {
        self.next_item += 1;
        (place, self.next_item)
    }

    fn take(&mut self, step: &Step) {
        match *step {
            Step::PushFirst(place) => {
                let item = self.item(place);
                let endpoint = self.endpoints[place].clone();
                if self.lanes.reserve(&endpoint) == Admission::Reserved {
                    assert_eq!(self.lanes.push_first(&endpoint, item, self.now), None);
                    self.queued.insert(item);
                }
            }
            Step::PushClaimed(place) => {
                let item = self.item(place);
                let endpoint = self.endpoints[place].clone();
                if self.lanes.push_claimed(&endpoint, item, self.now).is_ok() {
                    self.queued.insert(item);
                }
            }
            Step::ReserveAndCancel(place) => {
                let endpoint = self.endpoints[place].clone();
                if self.lanes.reserve(&endpoint) == Admission::Reserved {
                    self.lanes.cancel(endpoint.id);
                }
            }
            Step::Next => {
                if let Some(item) = self.lanes.next(self.now) {
                    assert!(self.queued.remove(&item), "something came out that was not in");
                    assert!(!self.endpoints[item.0].closed, "a closed lane gave something out");
                    assert!(!self.lanes.is_paused(), "something went in spite of the pause");
                    self.in_flight.push(item);
                    self.sent_at.insert(item.1, self.now);
                }
            }
            Step::Finish(which, how) => {
                if !self.in_flight.is_empty() {
                    let (place, number) = self.in_flight.remove(which % self.in_flight.len());
                    let sent_at = self.sent_at.remove(&number).unwrap();
                    let took = (how != 2).then(|| self.now - sent_at);
                    let signal =
                        [LoadSignal::Success, LoadSignal::Overload, LoadSignal::Neutral][usize::from(how)];
                    if self.lanes.finished(self.endpoints[place].id, signal, took, self.now) {
                        self.without_room.remove(&place);
                    }
                }
            }
            Step::Toggle(place) => {
                // A sweep follows every change of an endpoint, and every pause.
                self.without_room.remove(&place);
                self.version += 1;
                let closed = !self.endpoints[place].closed;
                self.endpoints[place] = with(&self.endpoints[place], self.version, closed);
                for item in self.lanes.update(&self.endpoints[place].clone(), self.now) {
                    assert!(self.queued.remove(&item), "a closing lane gave back what it did not have");
                }
            }
            Step::PauseOrResume if self.lanes.is_paused() => self.lanes.resume(),
            Step::PauseOrResume => {
                let back = self.lanes.pause();
                assert_eq!(back.len(), self.queued.len(), "a pause gives everything back");
                self.queued.clear();
                self.without_room.clear();
            }
            Step::Claim(place) => {
                let endpoint = self.endpoints[place].clone();
                let room = self.lanes.room(endpoint.id);
                for _ in 0..room {
                    let item = self.item(place);
                    match self.lanes.push_claimed(&endpoint, item, self.now) {
                        Ok(()) => assert!(self.queued.insert(item)),
                        Err((_, admission)) => assert_eq!(admission, Admission::Closed, "there was room"),
                    }
                }
                if room == 0 && !self.lanes.is_paused() {
                    self.without_room.insert(place);
                } else {
                    self.without_room.remove(&place);
                }
            }
            Step::DrainOld(ms) => {
                for item in self.lanes.drain_before(self.now - Duration::from_millis(ms)) {
                    assert!(self.queued.remove(&item), "what was old came back, and was not in");
                    // What goes back is claimed anew.
                    self.without_room.remove(&item.0);
                }
            }
            Step::Suspend(tenant) => {
                let has_lanes = self.lanes.suspend(self.endpoints[tenant * 2].application_id);
                let queued = self.queued.iter().chain(&self.in_flight).any(|item| item.0 / 2 == tenant);
                assert!(has_lanes || !queued, "a lane was not found");
            }
            Step::Refresh(tenant, deletes) => {
                let application = self.endpoints[tenant * 2].application_id;
                for id in self.lanes.endpoints_of(application) {
                    let place = self.endpoints.iter().position(|endpoint| endpoint.id == id).unwrap();
                    assert_eq!(place / 2, tenant, "a lane of another tenant");
                    let endpoint = self.endpoints[place].clone();
                    self.without_room.remove(&place);
                    let back =
                        if deletes { self.lanes.delete(id) } else { self.lanes.update(&endpoint, self.now) };
                    back.iter().for_each(|item| assert!(self.queued.remove(item)));
                }
            }
            Step::Expire => drop(self.lanes.forget_expired(self.now, 3)),
            Step::Pass(ms) => self.now += Duration::from_millis(ms),
        }
    }

    fn check(&self) {
        assert_eq!(self.lanes.queued(), self.queued.len());
        assert_eq!(self.lanes.in_flight(), self.in_flight.len());
        assert!(self.in_flight.len() <= LIMITS.in_flight);
        let (counted, slow) = self.lanes.slow_in_flight();
        assert_eq!(counted, slow, "requests of slow lanes");
        for place in 0..6 {
            let of_lane =
                |items: &mut dyn Iterator<Item = &(usize, u64)>| items.filter(|item| item.0 == place).count();
            assert!(of_lane(&mut self.in_flight.iter()) <= 2);
            let most = LIMITS.queued_per_lane + LIMITS.queued_per_lane / 2;
            assert!(of_lane(&mut self.queued.iter()) <= most);
        }
        for tenant in 0..3 {
            let at_once = self.in_flight.iter().filter(|item| item.0 / 2 == tenant).count();
            assert!(at_once <= LIMITS.in_flight_per_tenant);
        }
    }

    /// Lets everything go that can: nothing may be left that could have gone.
    fn run_dry(&mut self) {
        (0..3).for_each(|tenant| self.take(&Step::Refresh(tenant, false)));
        for _ in 0..10_000 {
            self.take(&Step::Finish(0, 0));
            self.take(&Step::Next);
            if self.in_flight.is_empty() {
                match self.lanes.next_rate_limited_at() {
                    Some(at) => self.now = self.now.max(at),
                    None => break,
                }
            }
        }
        assert!(self.queued.is_empty(), "a wake-up was lost: {:?}", self.queued);
        let waiting = self.without_room.iter().filter(|place| !self.endpoints[**place].closed);
        assert_eq!(waiting.count(), 0, "a lane has room again, and nobody was told");
    }

    /// Lets time pass after everything has gone: nothing may be left.
    fn pass(&mut self) {
        self.now += NARROW_WINDOW_KEPT_FOR;
        assert_eq!(self.lanes.next(self.now), None);
        while self.lanes.forget_expired(self.now, 2) {}
        assert_eq!(self.lanes.drain_before(self.now), []);
        let sizes = self.lanes.sizes();
        assert_eq!(sizes, [0; 7], "lanes, tenants, ready, waiting for room, rate limited, expiring, by age");
    }
}

proptest! {
    #[test]
    fn nothing_is_lost_doubled_over_its_bound_or_left_behind(
        rates in rates(),
        steps in prop::collection::vec(step(), 1..300),
    ) {
        let mut world = World::new(rates);
        for step in &steps {
            world.take(step);
            world.check();
        }
        world.run_dry();
        world.pass();
    }
}
