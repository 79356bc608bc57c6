//! How many requests at once a lane sends: fewer to an overloaded receiver, and one at a time when it opens.

use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::dispatch::lanes::{LaneLimits, Lanes, LoadSignal, Queued};
use crate::domain::endpoint::Endpoint;
use crate::domain::id::ApplicationId;

use super::{endpoint, wide, with};

#[test]
fn an_overloaded_receiver_gets_fewer_at_once_and_recovers() {
    let mut lanes =
        Lanes::new(LaneLimits { in_flight: 100, in_flight_per_tenant: 100, queued_per_lane: 1000 });
    let now = Instant::now();
    let endpoint = Arc::new(endpoint(ApplicationId::generate(), None));
    for item in 0..100 {
        assert!(lanes.push_claimed(&endpoint, item, now).is_ok());
    }
    assert!(lanes.next(now).is_some() && lanes.next(now).is_some());
    assert!(lanes.next(now).is_none(), "the window is two");
    lanes.finished_soon(endpoint.id, LoadSignal::Overload, now);
    lanes.finished_soon(endpoint.id, LoadSignal::Overload, now);
    assert!(lanes.next(now).is_some());
    assert!(lanes.next(now).is_none(), "the window is one after an overload");
    for _ in 0..4 {
        lanes.finished_soon(endpoint.id, LoadSignal::Success, now);
        assert!(lanes.next(now).is_some());
    }
    assert!(lanes.next(now).is_some(), "the window is two again");
}

/// How many are sent at once before anything is answered.
fn at_once(lanes: &mut Lanes<u64>, now: Instant) -> usize {
    std::iter::from_fn(|| lanes.next(now)).count()
}

#[test]
fn a_lane_that_opens_again_begins_with_one_request() {
    let limits = LaneLimits { in_flight: 100, in_flight_per_tenant: 100, queued_per_lane: 1000 };
    let now = Instant::now();
    let wide = |base: Endpoint| wide(base, 8);
    let open = Arc::new(wide(endpoint(ApplicationId::generate(), None)));
    let fill = |lanes: &mut Lanes<u64>, endpoint: &Arc<Endpoint>| {
        for item in 0..50 {
            assert!(lanes.push_claimed(endpoint, item, now).is_ok());
        }
    };

    let mut lanes = Lanes::new(limits);
    fill(&mut lanes, &open);
    assert_eq!(at_once(&mut lanes, now), 8, "one that was never closed does not");
    for version in [2, 3] {
        let mut changed = Arc::try_unwrap(with(&open, version, version == 2)).unwrap();
        changed.policy.max_in_flight = 8;
        lanes.update(&Arc::new(changed), now);
    }
    for _ in 0..8 {
        lanes.finished_soon(open.id, LoadSignal::Neutral, now);
    }
    let reopened = lanes.snapshot(open.id).unwrap();
    fill(&mut lanes, &reopened);
    assert_eq!(at_once(&mut lanes, now), 1, "the lane was there when it closed and opened");
    for expected in [2, 1, 2, 1, 1, 2] {
        lanes.finished_soon(open.id, LoadSignal::Success, now);
        assert_eq!(at_once(&mut lanes, now), expected, "each full window allows one more at once");
    }

    let mut elsewhere = Lanes::new(limits);
    let told = Arc::new(Endpoint { just_opened: true, ..wide(endpoint(ApplicationId::generate(), None)) });
    fill(&mut elsewhere, &told);
    assert_eq!(at_once(&mut elsewhere, now), 1, "a node that had no lane for it is told by its snapshot");

    let mut everything = Lanes::new(limits);
    fill(&mut everything, &open);
    assert_eq!(everything.pause().len(), 50);
    assert_eq!(everything.push_first(&open, 0, now), Some(0), "what comes late goes back");
    everything.resume();
    everything.set_just_resumed(true);
    fill(&mut everything, &open);
    assert_eq!(at_once(&mut everything, now), 1, "after a pause of everything each lane opens gently");
}

/// An item of a backlog.
struct Late;

impl Queued for Late {
    fn is_backlog(&self) -> bool {
        true
    }
}

/// How many of a backlog are under way, one after another, as each of them succeeds at once.
fn widths(lanes: &mut Lanes<Late>, endpoint: &Arc<Endpoint>, now: Instant) -> Vec<usize> {
    let mut in_flight = 0;
    let mut widths = Vec::new();
    for _ in 0..9 {
        while lanes.next(now).is_some() {
            in_flight += 1;
        }
        widths.push(in_flight);
        lanes.finished_soon(endpoint.id, LoadSignal::Success, now);
        in_flight -= 1;
    }
    (0..in_flight).for_each(|_| {
        lanes.finished_soon(endpoint.id, LoadSignal::Neutral, now);
    });
    drop(lanes.drain(endpoint.id));
    widths
}

#[test]
fn a_backlog_opens_gently_up_to_what_was_borne_before() {
    let limits = LaneLimits { in_flight: 100, in_flight_per_tenant: 100, queued_per_lane: 1000 };
    let began = Instant::now();
    let endpoint = Arc::new(wide(endpoint(ApplicationId::generate(), None), 8));
    let mut lanes = Lanes::new(limits);
    let fill = |lanes: &mut Lanes<Late>, now| {
        for _ in 0..30 {
            assert!(lanes.push_claimed(&endpoint, Late, now).is_ok());
        }
    };
    fill(&mut lanes, began);
    assert_eq!(
        widths(&mut lanes, &endpoint, began),
        [1, 2, 2, 3, 3, 3, 4, 4, 4],
        "nothing is known: each full window adds one"
    );
    // It gets three at once for a while, now and then.
    for second in 1..20 {
        let now = began + Duration::from_secs(second);
        (0..3).for_each(|_| assert!(lanes.push_first(&endpoint, Late, now).is_none()));
        (0..3).for_each(|_| assert!(lanes.next(now).is_some()));
        (0..3).for_each(|_| {
            lanes.finished_soon(endpoint.id, LoadSignal::Success, now);
        });
    }
    let later = began + Duration::from_secs(60);
    fill(&mut lanes, later);
    assert_eq!(
        widths(&mut lanes, &endpoint, later),
        [1, 2, 3, 3, 3, 3, 3, 3, 3],
        "each success adds one up to three, and beyond that none does within the next second"
    );
}
