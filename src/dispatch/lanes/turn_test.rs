//! The lanes as a model: whatever the order of arrivals, finishes and changes, nothing is lost, doubled or over its
//! bound, and nobody waits who could go.

use std::collections::HashSet;
use std::sync::Arc;
use std::time::{Duration, Instant};

use http::HeaderMap;
use proptest::prelude::*;

use crate::domain::endpoint::Endpoint;
use crate::domain::endpoint::filter::Filter;
use crate::domain::id::{ApplicationId, EndpointId};
use crate::domain::policy::EffectivePolicy;

use super::lane::{Queued, WINDOW_REMEMBERED};
use super::window::Bearing;
use super::{Admission, LaneLimits, Lanes};

const LIMITS: LaneLimits = LaneLimits { in_flight: 5, in_flight_per_tenant: 3, queued_per_lane: 4 };

pub(in crate::dispatch) fn endpoint(tenant: ApplicationId, rate_limit: Option<u32>) -> Endpoint {
    Endpoint {
        id: EndpointId::generate(),
        application_id: tenant,
        config_version: 1,
        url: "https://receiver.example/".parse().unwrap(),
        filter: Filter::default(),
        keys: Vec::new(),
        headers: HeaderMap::new(),
        policy: EffectivePolicy { max_in_flight: 2, rate_limit, ..EffectivePolicy::default() },
        closed: false,
        just_opened: false,
    }
}

/// The same with so many requests at once.
pub(super) fn wide(base: Endpoint, max_in_flight: u32) -> Endpoint {
    let policy = EffectivePolicy { max_in_flight, ..base.policy.clone() };
    Endpoint { policy, ..base }
}

pub(in crate::dispatch) fn with(base: &Arc<Endpoint>, config_version: i64, closed: bool) -> Arc<Endpoint> {
    Arc::new(Endpoint {
        id: base.id,
        application_id: base.application_id,
        config_version,
        url: base.url.clone(),
        filter: base.filter.clone(),
        keys: Vec::new(),
        headers: HeaderMap::new(),
        policy: base.policy.clone(),
        closed,
        just_opened: false,
    })
}

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
    Forget,
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
        1 => Just(Step::Forget),
        1 => (1..400u64).prop_map(Step::Pass),
    ]
}

macro_rules! queued {
    ($($item:ty),*) => { $(impl Queued for $item {})* };
}
queued!((usize, u64), (usize, usize), u64, i32, usize, &str);

/// The lanes beside what a simple model expects of them.
struct World {
    lanes: Lanes<(usize, u64)>,
    endpoints: Vec<Arc<Endpoint>>,
    now: Instant,
    queued: HashSet<(usize, u64)>,
    /// Endpoints that were told that there is no room.
    crowded: HashSet<usize>,
    in_flight: Vec<(usize, u64)>,
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
            crowded: HashSet::new(),
            in_flight: Vec::new(),
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
                }
            }
            Step::Finish(which, how) => {
                if !self.in_flight.is_empty() {
                    let (place, _) = self.in_flight.remove(which % self.in_flight.len());
                    let bearing = [Bearing::Well, Bearing::Overloaded, Bearing::Unknown][usize::from(how)];
                    if self.lanes.finished(self.endpoints[place].id, bearing, self.now) {
                        self.crowded.remove(&place);
                    }
                }
            }
            Step::Toggle(place) => {
                // A sweep follows every change of an endpoint, and every pause.
                self.crowded.remove(&place);
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
                self.crowded.clear();
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
                    self.crowded.insert(place);
                } else {
                    self.crowded.remove(&place);
                }
            }
            Step::DrainOld(ms) => {
                for item in self.lanes.drain_before(self.now - Duration::from_millis(ms)) {
                    assert!(self.queued.remove(&item), "what was old came back, and was not in");
                    // What goes back is claimed anew.
                    self.crowded.remove(&item.0);
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
                    self.crowded.remove(&place);
                    let back =
                        if deletes { self.lanes.delete(id) } else { self.lanes.update(&endpoint, self.now) };
                    back.iter().for_each(|item| assert!(self.queued.remove(item)));
                }
            }
            Step::Forget => drop(self.lanes.forget(self.now, 3)),
            Step::Pass(ms) => self.now += Duration::from_millis(ms),
        }
    }

    fn check(&self) {
        assert_eq!(self.lanes.queued(), self.queued.len());
        assert_eq!(self.lanes.in_flight(), self.in_flight.len());
        assert!(self.in_flight.len() <= LIMITS.in_flight);
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
                match self.lanes.next_wake() {
                    Some(at) => self.now = self.now.max(at),
                    None => break,
                }
            }
        }
        assert!(self.queued.is_empty(), "a wake-up was lost: {:?}", self.queued);
        let waiting = self.crowded.iter().filter(|place| !self.endpoints[**place].closed);
        assert_eq!(waiting.count(), 0, "a lane has room again, and nobody was told");
    }

    /// Lets time pass after everything has gone: nothing may be left.
    fn pass(&mut self) {
        self.now += WINDOW_REMEMBERED;
        assert_eq!(self.lanes.next(self.now), None);
        while self.lanes.forget(self.now, 2) {}
        assert_eq!(self.lanes.drain_before(self.now), []);
        assert_eq!(self.lanes.kept(), [0; 6], "lanes, tenants, turn, sleeping, remembered, queued since");
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

proptest! {
    /// The bound of fairness: while they have something to send, no tenant is a turn ahead of another, nor is one of a
    /// tenant's endpoints ahead of its others, however much each has queued.
    #[test]
    fn turns_go_round_by_tenant_and_then_by_endpoint(
        queued in prop::collection::vec(prop::collection::vec(1..40usize, 1..5), 2..6),
    ) {
        let limits = LaneLimits { in_flight: 1000, in_flight_per_tenant: 1000, queued_per_lane: 1000 };
        let mut lanes = Lanes::new(limits);
        let now = Instant::now();
        let mut left: Vec<Vec<(Arc<Endpoint>, usize)>> = Vec::new();
        for counts in &queued {
            let tenant = ApplicationId::generate();
            let wide = |count: &usize| {
                (Arc::new(wide(endpoint(tenant, None), 1000)), *count)
            };
            left.push(counts.iter().map(wide).collect());
        }
        for (place, endpoints) in left.iter().enumerate() {
            for (which, (endpoint, count)) in endpoints.iter().enumerate() {
                for _ in 0..*count {
                    prop_assert!(lanes.push_claimed(endpoint, (place, which), now).is_ok());
                }
            }
        }
        let mut turns: Vec<Vec<usize>> = left.iter().map(|endpoints| vec![0; endpoints.len()]).collect();
        while let Some((place, which)) = lanes.next(now) {
            left[place][which].1 -= 1;
            turns[place][which] += 1;
            let of_tenant = |place: usize| turns[place].iter().sum::<usize>();
            for (other, endpoints) in left.iter().enumerate() {
                if endpoints.iter().any(|(_, count)| *count > 0) {
                    prop_assert!(of_tenant(place) <= of_tenant(other) + 1, "a tenant is ahead");
                }
            }
            for (other, (_, count)) in left[place].iter().enumerate() {
                prop_assert!(*count == 0 || turns[place][which] <= turns[place][other] + 1, "an endpoint is ahead");
            }
        }
        prop_assert!(left.iter().flatten().all(|(_, count)| *count == 0), "everything went");
    }
}

#[test]
fn a_loud_tenant_costs_a_quiet_one_one_turn() {
    let limits = LaneLimits { in_flight: 100, in_flight_per_tenant: 100, queued_per_lane: 1000 };
    let mut lanes = Lanes::new(limits);
    let now = Instant::now();
    let loud = ApplicationId::generate();
    for _ in 0..10 {
        let endpoint = Arc::new(endpoint(loud, None));
        for _ in 0..50 {
            assert!(lanes.push_claimed(&endpoint, "loud", now).is_ok());
        }
    }
    let quiet = Arc::new(endpoint(ApplicationId::generate(), None));
    assert!(lanes.push_claimed(&quiet, "quiet", now).is_ok());
    let first_two = [lanes.next(now), lanes.next(now)];
    assert!(first_two.contains(&Some("quiet")), "{first_two:?}");
}

#[test]
fn first_attempts_go_before_retries_but_do_not_starve_them() {
    let limits = LaneLimits { in_flight: 100, in_flight_per_tenant: 100, queued_per_lane: 1000 };
    let mut lanes = Lanes::new(limits);
    let now = Instant::now();
    let endpoint = Arc::new(endpoint(ApplicationId::generate(), None));
    // Two requests at once, and 32 may be claimed: these are few.
    for _ in 0..7 {
        assert!(lanes.push_claimed(&endpoint, "retry", now).is_ok());
    }
    for _ in 0..20 {
        assert_eq!(lanes.reserve(&endpoint), Admission::Reserved);
        assert_eq!(lanes.push_first(&endpoint, "first", now), None);
    }
    let mut order = Vec::new();
    for _ in 0..16 {
        order.extend(lanes.next(now));
        lanes.finished(endpoint.id, Bearing::Well, now);
    }
    assert_eq!(order.iter().filter(|what| **what == "retry").count(), 2);
    assert_eq!(order[0], "first");
}

#[test]
fn first_attempts_that_fill_their_lane_leave_room_for_what_was_claimed() {
    let limits = LaneLimits { in_flight: 100, in_flight_per_tenant: 100, queued_per_lane: 1000 };
    let mut lanes = Lanes::new(limits);
    let now = Instant::now();
    let endpoint = Arc::new(wide(endpoint(ApplicationId::generate(), None), 16));
    while lanes.reserve(&endpoint) == Admission::Reserved {
        assert_eq!(lanes.push_first(&endpoint, "first", now), None);
    }
    assert_eq!(lanes.queued(), 1000);
    let room = lanes.room(endpoint.id);
    assert_eq!(room, 256);
    for _ in 0..room {
        assert!(lanes.push_claimed(&endpoint, "claimed", now).is_ok());
    }
    let turns: Vec<&str> = (0..16).filter_map(|_| lanes.next(now)).collect();
    assert_eq!(turns.iter().filter(|what| **what == "first").count(), 4, "many wait: {turns:?}");
    assert_eq!(lanes.room(endpoint.id), 12);
}

#[test]
fn a_rate_limit_is_kept_and_time_brings_the_lane_back() {
    let mut lanes =
        Lanes::new(LaneLimits { in_flight: 100, in_flight_per_tenant: 100, queued_per_lane: 1000 });
    let start = Instant::now();
    let endpoint = Arc::new(endpoint(ApplicationId::generate(), Some(10)));
    for item in 0..50 {
        assert!(lanes.push_claimed(&endpoint, item, start).is_ok());
    }
    let mut sent = 0;
    let mut now = start;
    while now < start + Duration::from_secs(3) {
        while lanes.next(now).is_some() {
            sent += 1;
            lanes.finished(endpoint.id, Bearing::Well, now);
        }
        now = lanes.next_wake().unwrap();
    }
    assert!((29..=32).contains(&sent), "{sent} in three seconds at ten a second");
}
