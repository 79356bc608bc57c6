//! Whose turn it is: fair between tenants, between their endpoints, and between first attempts and what was claimed.

use std::sync::Arc;
use std::time::{Duration, Instant};

use proptest::prelude::*;

use crate::dispatch::lanes::{Admission, LaneLimits, Lanes, LoadSignal};
use crate::domain::endpoint::Endpoint;
use crate::domain::id::ApplicationId;

use super::{endpoint, wide};

proptest! {
    /// The bound of fairness: while they have something to send, no tenant is a turn ahead of another, nor is one of a
    /// tenant's endpoints ahead of its others, however much each has queued.
    #[test]
    fn turns_go_round_by_tenant_and_then_by_endpoint(
        queued in prop::collection::vec(prop::collection::vec(1..40usize, 1..5), 2..6),
    ) {
        let limits = LaneLimits { in_flight: 2000, in_flight_per_tenant: 2000, queued_per_lane: 1000 };
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
        lanes.finished_soon(endpoint.id, LoadSignal::Success, now);
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
            lanes.finished_soon(endpoint.id, LoadSignal::Success, now);
        }
        now = lanes.next_rate_limited_at().unwrap();
    }
    assert!((29..=32).contains(&sent), "{sent} in three seconds at ten a second");
}
