//! What operations on lanes cost, counted in steps: each look at a lane or a tenant is one.

use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::dispatch::lanes::lane::NARROW_WINDOW_KEPT_FOR;
use crate::dispatch::lanes::queued::Queued;
use crate::dispatch::lanes::{Admission, LaneLimits, Lanes, LoadSignal};
use crate::domain::endpoint::Endpoint;
use crate::domain::id::ApplicationId;

use super::endpoint;

const LIMITS: LaneLimits =
    LaneLimits { in_flight: 100_000, in_flight_per_tenant: 100_000, queued_per_lane: 1000 };

/// A delivery to one of many endpoints.
struct To(usize);

impl Queued for To {}

/// So many lanes of so many tenants, each with one request under way.
struct Many {
    lanes: Lanes<To>,
    endpoints: Vec<Arc<Endpoint>>,
    now: Instant,
}

impl Many {
    fn new(lanes: usize, tenants: usize) -> Self {
        let tenants: Vec<ApplicationId> = (0..tenants).map(|_| ApplicationId::generate()).collect();
        let of = |place: usize| Arc::new(endpoint(tenants[place % tenants.len()], None));
        let endpoints: Vec<Arc<Endpoint>> = (0..lanes).map(of).collect();
        let mut many = Self { lanes: Lanes::new(LIMITS), endpoints, now: Instant::now() };
        (0..lanes).for_each(|place| many.queue(place));
        for _ in 0..lanes {
            assert!(many.lanes.next(many.now).is_some());
        }
        many
    }

    fn queue(&mut self, place: usize) {
        assert!(self.lanes.push_claimed(&self.endpoints[place], To(place), self.now).is_ok());
    }

    /// How many steps this takes.
    fn steps_of(&mut self, act: impl FnOnce(&mut Self)) -> usize {
        let before = self.lanes.steps();
        act(self);
        self.lanes.steps() - before
    }

    fn lane_count(&self) -> usize {
        self.lanes.sizes()[0]
    }
}

/// The most steps that one act with one lane may take.
const MAX_STEPS: usize = 20;

#[test]
fn removing_one_of_many_lanes_costs_the_same_however_many_there_are() {
    for (lanes, tenants) in [(50_000, 1), (50_000, 50_000), (10, 1)] {
        let mut many = Many::new(lanes, tenants);
        let one = many.endpoints[lanes / 2].clone();
        let steps = many.steps_of(|many| {
            many.lanes.finished_soon(one.id, LoadSignal::Success, many.now);
        });
        assert_eq!(many.lane_count(), lanes - 1, "it is gone");
        assert!(steps <= MAX_STEPS, "{steps} steps among {lanes} lanes of {tenants} tenants");
        let all = many.steps_of(|many| {
            for place in (0..lanes).filter(|place| *place != lanes / 2) {
                let id = many.endpoints[place].id;
                many.lanes.finished_soon(id, LoadSignal::Success, many.now);
            }
            assert!(many.lanes.next(many.now).is_none());
        });
        assert_eq!(many.lane_count(), 0);
        assert!(all <= lanes * MAX_STEPS, "{all} steps for {lanes} lanes");
    }
}

#[test]
fn a_lane_that_was_emptied_costs_no_more_although_its_turn_was_to_come() {
    let mut many = Many::new(50_000, 1);
    (0..50_000).for_each(|place| many.queue(place));
    let endpoints = many.endpoints.clone();
    for endpoint in &endpoints {
        let steps = many.steps_of(|many| assert_eq!(many.lanes.delete(endpoint.id).len(), 1));
        assert!(steps <= MAX_STEPS, "{steps} steps");
        many.lanes.finished_soon(endpoint.id, LoadSignal::Overload, many.now);
    }
    let steps = many.steps_of(|many| assert!(many.lanes.next(many.now).is_none()));
    assert!(steps <= 50_000 * MAX_STEPS, "{steps} steps");
    assert_eq!(many.lane_count(), 0, "what is deleted is not kept");
}

#[test]
fn what_concerns_one_tenant_looks_at_its_lanes_alone() {
    let mut many = Many::new(50_000, 10_000);
    let tenant = many.endpoints[0].application_id;
    let steps = many.steps_of(|many| assert!(many.lanes.suspend(tenant)));
    assert!(steps <= 5 * MAX_STEPS, "{steps} steps for five lanes");
    let steps = many.steps_of(|many| assert_eq!(many.lanes.endpoints_of(tenant).len(), 5));
    assert!(steps <= 5 * MAX_STEPS, "{steps} steps for five lanes");
    assert!(!many.lanes.suspend(ApplicationId::generate()));
}

#[test]
fn only_queues_that_are_old_are_looked_at() {
    let mut many = Many::new(50_000, 100);
    let began = many.now;
    many.queue(7);
    many.now += Duration::from_secs(10);
    (100..50_000).for_each(|place| many.queue(place));
    many.queue(7);
    // What was queued before is not queued any more; its entries are stale.
    many.lanes.drain_before(began);
    let steps = many.steps_of(|many| {
        let old = many.lanes.drain_before(began + Duration::from_secs(5));
        assert_eq!(old.iter().map(|To(place)| *place).collect::<Vec<_>>(), [7]);
    });
    assert!(steps <= 50_100 * 2, "{steps} steps");
    let steps =
        many.steps_of(|many| assert!(many.lanes.drain_before(began + Duration::from_secs(6)).is_empty()));
    assert!(steps <= MAX_STEPS, "{steps} steps");
    assert_eq!(many.lanes.queued(), 49_901);
    let rest = many.lanes.drain_before(began + Duration::from_secs(20));
    assert_eq!((rest.len(), many.lanes.queued()), (49_901, 0));
}

#[test]
fn queues_do_not_grow_with_what_has_left() {
    let now = Instant::now();
    let mut lanes = Lanes::new(LIMITS);
    let endpoints: Vec<Arc<Endpoint>> = (0..10)
        .map(|place| Arc::new(endpoint(ApplicationId::generate(), (place < 5).then_some(1000))))
        .collect();
    for round in 0..10_000u64 {
        let endpoint = &endpoints[usize::try_from(round % 10).unwrap()];
        let now = now + Duration::from_millis(round);
        assert_eq!(lanes.reserve(endpoint), Admission::Reserved);
        assert!(lanes.push_first(endpoint, To(0), now).is_none());
        if round % 3 == 0 {
            assert_eq!(lanes.delete(endpoint.id).len(), 1);
        } else {
            assert!(lanes.next(now).is_some());
            lanes.finished_soon(endpoint.id, LoadSignal::Success, now);
        }
        assert!(lanes.sizes().iter().sum::<usize>() < 400, "{:?}", lanes.sizes());
    }
}

#[test]
fn a_narrow_window_is_kept_for_a_while() {
    let now = Instant::now();
    let mut lanes = Lanes::new(LIMITS);
    let endpoint = Arc::new(endpoint(ApplicationId::generate(), None));
    assert!(lanes.push_claimed(&endpoint, To(0), now).is_ok());
    assert!(lanes.next(now).is_some());
    lanes.finished_soon(endpoint.id, LoadSignal::Overload, now);
    lanes.forget_expired(now + NARROW_WINDOW_KEPT_FOR / 2, 10);
    let at = now + NARROW_WINDOW_KEPT_FOR / 2;
    (0..2).for_each(|_| assert!(lanes.push_claimed(&endpoint, To(0), at).is_ok()));
    assert!(lanes.next(at).is_some());
    assert!(lanes.next(at).is_none(), "one at a time");
    lanes.finished_soon(endpoint.id, LoadSignal::Neutral, at);
    assert!(lanes.next(at).is_some());
    lanes.finished_soon(endpoint.id, LoadSignal::Neutral, at);
    lanes.forget_expired(now + NARROW_WINDOW_KEPT_FOR, 10);
    assert_eq!(lanes.sizes()[0], 1, "it counts from the last request");
    lanes.forget_expired(at + NARROW_WINDOW_KEPT_FOR, 10);
    assert_eq!(lanes.sizes()[..2], [0, 0]);
}
