//! Requests that take long, however many, leave room for those that come and go.

use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::dispatch::lanes::{LaneLimits, Lanes, LoadSignal};
use crate::domain::endpoint::Endpoint;
use crate::domain::id::ApplicationId;

use super::{endpoint, wide};

const LIMITS: LaneLimits = LaneLimits { in_flight: 80, in_flight_per_tenant: 20, queued_per_lane: 1000 };

fn push(lanes: &mut Lanes<&'static str>, endpoint: &Arc<Endpoint>, item: &'static str, now: Instant) {
    assert!(lanes.push_claimed(endpoint, item, now).is_ok());
}

/// An endpoint whose last request has ended soon.
fn quick(lanes: &mut Lanes<&'static str>, tenant: ApplicationId, now: Instant) -> Arc<Endpoint> {
    let quick = Arc::new(wide(endpoint(tenant, None), 16));
    push(lanes, &quick, "first", now);
    assert_eq!(lanes.next(now), Some("first"));
    lanes.finished_soon(quick.id, LoadSignal::Success, now);
    quick
}

/// So many endpoints, each with two requests queued.
fn silent(
    lanes: &mut Lanes<&'static str>,
    tenant: ApplicationId,
    count: usize,
    now: Instant,
) -> Vec<Arc<Endpoint>> {
    let silent: Vec<_> = (0..count).map(|_| Arc::new(endpoint(tenant, None))).collect();
    for endpoint in &silent {
        (0..2).for_each(|_| push(lanes, endpoint, "silent", now));
    }
    silent
}

fn send_all(lanes: &mut Lanes<&'static str>, now: Instant) -> Vec<&'static str> {
    std::iter::from_fn(|| lanes.next(now)).collect()
}

#[test]
fn of_one_tenant_they_fill_half_and_its_quick_endpoint_goes_on() {
    let mut lanes = Lanes::new(LIMITS);
    let (tenant, now) = (ApplicationId::generate(), Instant::now());
    let quick = quick(&mut lanes, tenant, now);
    let silent = silent(&mut lanes, tenant, 100, now);
    assert_eq!(send_all(&mut lanes, now), ["silent"; 10]);
    for _ in 0..50 {
        push(&mut lanes, &quick, "quick", now);
        assert_eq!(lanes.next(now), Some("quick"));
        lanes.finished_soon(quick.id, LoadSignal::Success, now);
    }
    // Each that times out makes room for the next one, and all get their turn.
    let mut left = 200 - 10;
    let later = now + Duration::from_secs(15);
    for _ in 0..1_000 {
        let busy =
            silent.iter().find(|one| lanes.registry.lane(one.id).is_some_and(|lane| lane.in_flight > 0));
        let Some(busy) = busy else { break };
        lanes.finished(busy.id, LoadSignal::Overload, Some(Duration::from_secs(15)), later);
        left -= send_all(&mut lanes, later).len();
    }
    assert_eq!(left, 0);
}

#[test]
fn of_all_tenants_they_fill_half_and_a_tenant_that_waits_for_room_is_woken() {
    let mut lanes = Lanes::new(LIMITS);
    let now = Instant::now();
    let quick = quick(&mut lanes, ApplicationId::generate(), now);
    for _ in 0..6 {
        silent(&mut lanes, ApplicationId::generate(), 20, now);
    }
    assert_eq!(send_all(&mut lanes, now), ["silent"; 40]);
    assert_eq!(lanes.sizes()[3], 6, "tenants wait for room");
    assert!(lanes.in_flight_by_tenant().iter().all(|(_, count)| (6..=7).contains(count)), "equal shares");
    push(&mut lanes, &quick, "quick", now);
    assert_eq!(send_all(&mut lanes, now), ["quick"]);
    // One of them answers, late: another takes its place.
    let answered = lanes.registry.lanes().find(|lane| lane.in_flight > 0 && lane.endpoint.id != quick.id);
    let id = answered.unwrap().endpoint.id;
    lanes.finished(id, LoadSignal::Success, Some(Duration::from_secs(2)), now);
    assert_eq!(send_all(&mut lanes, now), ["silent"]);
}

#[test]
fn a_lane_none_of_whose_requests_ends_is_slow_before_they_time_out() {
    let mut lanes = Lanes::new(LIMITS);
    let (tenant, now) = (ApplicationId::generate(), Instant::now());
    let went_silent = quick(&mut lanes, tenant, now);
    (0..8).for_each(|_| push(&mut lanes, &went_silent, "silent", now));
    assert_eq!(send_all(&mut lanes, now).len(), 8);
    assert_eq!(lanes.slow_in_flight(), (0, 0), "nobody knows yet");
    let later = now + Duration::from_secs(2);
    (0..8).for_each(|_| push(&mut lanes, &went_silent, "silent", later));
    assert_eq!(send_all(&mut lanes, later).len(), 2);
    assert_eq!(lanes.slow_in_flight(), (10, 10), "all of its requests count");
    lanes.finished_soon(went_silent.id, LoadSignal::Success, later);
    assert_eq!(send_all(&mut lanes, later).len(), 6, "it is quick again");
    assert_eq!(lanes.slow_in_flight(), (0, 0));
}

#[test]
fn how_quick_an_endpoint_was_is_known_after_its_lane_is_gone() {
    let mut lanes = Lanes::new(LIMITS);
    let (tenant, now) = (ApplicationId::generate(), Instant::now());
    let quick = quick(&mut lanes, tenant, now);
    assert_eq!(lanes.sizes()[0], 0, "its lane is gone");
    silent(&mut lanes, tenant, 20, now);
    assert_eq!(send_all(&mut lanes, now).len(), 10);
    push(&mut lanes, &quick, "quick", now);
    assert_eq!(lanes.next(now), Some("quick"));
}

#[test]
fn slow_lanes_get_their_turn_while_quick_ones_have_much_to_send() {
    let mut lanes = Lanes::new(LIMITS);
    let (tenant, now) = (ApplicationId::generate(), Instant::now());
    let quick = quick(&mut lanes, tenant, now);
    (0..100).for_each(|_| push(&mut lanes, &quick, "quick", now));
    silent(&mut lanes, tenant, 1, now);
    let first: Vec<_> = (0..3).filter_map(|_| lanes.next(now)).collect();
    assert!(first.contains(&"silent"), "{first:?}");
}
