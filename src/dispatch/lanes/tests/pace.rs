//! Lanes whose limits hold for all nodes together, and lanes whose receivers ask for less.

use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::dispatch::lanes::{Admission, Claimable, Home, LaneLimits, LaneOrTenant, Lanes, LoadSignal};
use crate::domain::endpoint::Endpoint;
use crate::domain::id::ApplicationId;
use crate::domain::policy::EffectivePolicy;
use crate::store::ThrottleNote;

use super::{endpoint, wide};

const LIMITS: LaneLimits = LaneLimits { in_flight: 100, in_flight_per_tenant: 100, queued_per_lane: 1000 };
const HOUR: Duration = Duration::from_secs(3_600);

/// Lanes of a node among others, which knows that nothing is throttled.
fn shared(now: Instant) -> Lanes<u64> {
    let mut lanes = Lanes::new(LIMITS);
    lanes.share_pace();
    let generation = lanes.unknown_throttles().expect("it has to be loaded");
    assert!(lanes.next(now).is_none());
    lanes.load_throttles(generation, &[], now);
    lanes
}

fn push(lanes: &mut Lanes<u64>, endpoint: &Arc<Endpoint>, count: u64, now: Instant) {
    for item in 0..count {
        assert_eq!(lanes.reserve(endpoint), Admission::Reserved);
        assert_eq!(lanes.push_first(endpoint, item, now), None);
    }
}

fn sent(lanes: &mut Lanes<u64>, now: Instant) -> usize {
    std::iter::from_fn(|| lanes.next(now)).count()
}

/// The answer to the only question.
fn answer(lanes: &mut Lanes<u64>, home: Home, now: Instant) -> Vec<u64> {
    let (generation, questions) = lanes.take_home_questions(10);
    assert_eq!(questions.len(), 1);
    lanes.answer_home(generation, questions[0], Some(home), now)
}

fn too_fast(seconds: u64) -> LoadSignal {
    LoadSignal::TooFast(Some(Duration::from_secs(seconds)))
}

#[test]
fn a_limited_lane_is_sent_from_its_home_alone() {
    let now = Instant::now();
    let limited = Arc::new(endpoint(ApplicationId::generate(), Some(1_000_000)));
    let mut here = shared(now);
    push(&mut here, &limited, 2, now);
    assert_eq!(sent(&mut here, now), 0, "nobody knows yet");
    assert!(answer(&mut here, Home::Here, now).is_empty());
    assert!(sent(&mut here, now) > 0);

    let mut elsewhere = shared(now);
    push(&mut elsewhere, &limited, 2, now);
    assert_eq!(elsewhere.reserve(&limited), Admission::Reserved);
    assert_eq!(answer(&mut elsewhere, Home::Elsewhere, now), [0, 1], "they go back to the queue");
    assert_eq!(elsewhere.push_first(&limited, 2, now), Some(2), "so does what was being written");
    assert_eq!(elsewhere.reserve(&limited), Admission::Full);
    assert_eq!(elsewhere.push_claimed(&limited, 3, now), Err((3, Admission::Full)));
    assert_eq!(elsewhere.claimable(limited.id, now), Claimable::Elsewhere);

    // Its home is given up: this node may have it.
    assert_eq!(elsewhere.forget_freed_homes(&[limited.id.uuid()]), [limited.id]);
    assert!(matches!(elsewhere.claimable(limited.id, now), Claimable::Rows(1..)));
    push(&mut elsewhere, &limited, 1, now);
    answer(&mut elsewhere, Home::Here, now);
    assert_eq!(sent(&mut elsewhere, now), 1);

    // It is taken away, because this node was silent for too long.
    push(&mut elsewhere, &limited, 1, now);
    assert!(elsewhere.forget_freed_homes(&[limited.id.uuid()]).is_empty());
    elsewhere.finished_soon(limited.id, LoadSignal::Success, now);
    assert_eq!(sent(&mut elsewhere, now), 0, "until it is known whose it is now");
    assert_eq!(answer(&mut elsewhere, Home::Elsewhere, now), [0]);
}

#[test]
fn a_lane_without_a_limit_needs_no_home_and_one_that_gets_a_limit_does() {
    let now = Instant::now();
    let free = Arc::new(endpoint(ApplicationId::generate(), None));
    let mut lanes = shared(now);
    push(&mut lanes, &free, 3, now);
    assert_eq!(sent(&mut lanes, now), 2, "the server's number of requests at once");
    assert!(lanes.take_home_questions(10).1.is_empty());
    let policy = EffectivePolicy { has_own_max_in_flight: true, ..free.policy.clone() };
    let base = Endpoint { policy, config_version: 2, ..endpoint(free.application_id, None) };
    let limited = Arc::new(Endpoint { id: free.id, ..base });
    lanes.update(&limited, now);
    lanes.finished_soon(free.id, LoadSignal::Success, now);
    assert_eq!(sent(&mut lanes, now), 0);
    answer(&mut lanes, Home::Here, now);
    assert_eq!(sent(&mut lanes, now), 1);
}

#[test]
fn all_lanes_of_a_tenant_with_a_rate_have_one_home() {
    let now = Instant::now();
    let tenant = ApplicationId::generate();
    let rated = || {
        let base = endpoint(tenant, None);
        let policy = EffectivePolicy { application_rate_limit: Some(1_000_000), ..base.policy.clone() };
        Arc::new(Endpoint { policy, ..base })
    };
    let (one, another) = (rated(), rated());
    let mut lanes = shared(now);
    push(&mut lanes, &one, 1, now);
    push(&mut lanes, &another, 1, now);
    let (generation, questions) = lanes.take_home_questions(10);
    assert_eq!(questions, [LaneOrTenant::Tenant(tenant)]);
    let drained = lanes.answer_home(generation, questions[0], Some(Home::Elsewhere), now);
    assert_eq!(drained.len(), 2);
    assert!(lanes.is_elsewhere(one.id) && lanes.is_elsewhere(another.id));
}

#[test]
fn a_refusal_closes_the_lane_and_what_comes_after_opens_gently() {
    let now = Instant::now();
    let busy = Arc::new(wide(endpoint(ApplicationId::generate(), None), 8));
    let mut lanes = Lanes::new(LIMITS);
    push(&mut lanes, &busy, 50, now);
    assert_eq!(sent(&mut lanes, now), 8);
    (0..8).for_each(|_| {
        lanes.finished_soon(busy.id, too_fast(5), now);
    });
    assert_eq!(sent(&mut lanes, now), 0);
    assert_eq!(lanes.next_rate_limited_at(), Some(now + Duration::from_secs(5)));
    assert_eq!(lanes.claimable(busy.id, now), Claimable::NothingUntil(now + Duration::from_secs(5)));
    let open = now + Duration::from_secs(5);
    assert_eq!(sent(&mut lanes, open), 1, "one at a time to begin with");
    lanes.finished_soon(busy.id, LoadSignal::Success, open);
    assert_eq!(sent(&mut lanes, open), 0, "and no more than the rate");
    let next = lanes.next_rate_limited_at().unwrap();
    assert!(next > open + Duration::from_millis(500), "less than two a second");
    assert_eq!(sent(&mut lanes, next), 1);
    let notes = lanes.take_throttle_notes(10, open);
    assert_eq!(notes.len(), 1, "it is written down");
}

#[test]
fn what_another_node_was_asked_for_holds_here() {
    let now = Instant::now();
    let (known, unknown) = (
        Arc::new(endpoint(ApplicationId::generate(), None)),
        Arc::new(endpoint(ApplicationId::generate(), None)),
    );
    let note = |endpoint: &Endpoint| ThrottleNote {
        endpoint_id: endpoint.id,
        closed_for: HOUR,
        kept_for: HOUR * 2,
        learned_rate: 3.0,
    };
    let mut lanes = Lanes::new(LIMITS);
    push(&mut lanes, &known, 3, now);
    lanes.hear_throttles(&[note(&known), note(&unknown)], now);
    push(&mut lanes, &unknown, 3, now);
    assert_eq!(sent(&mut lanes, now), 0);
    assert_eq!(sent(&mut lanes, now + HOUR), 2);
    for endpoint in [&known, &unknown] {
        assert_eq!(lanes.claimable(endpoint.id, now), Claimable::NothingUntil(now + HOUR));
    }
}

#[test]
fn a_throttled_lane_is_remembered_while_it_is_idle_and_forgotten_in_the_end() {
    let now = Instant::now();
    let busy = Arc::new(endpoint(ApplicationId::generate(), None));
    let mut lanes = Lanes::new(LIMITS);
    push(&mut lanes, &busy, 1, now);
    assert_eq!(sent(&mut lanes, now), 1);
    lanes.finished_soon(busy.id, too_fast(1), now);
    lanes.forget_expired(now + Duration::from_secs(300), 10);
    assert!(lanes.snapshot(busy.id).is_some());
    lanes.forget_expired(now + HOUR, 10);
    assert!(lanes.snapshot(busy.id).is_none());
}

#[test]
fn nobody_waits_to_post_to_a_throttled_lane_and_little_of_it_is_kept_in_memory() {
    let now = Instant::now();
    let busy = Arc::new(endpoint(ApplicationId::generate(), None));
    let mut lanes = Lanes::new(LIMITS);
    push(&mut lanes, &busy, 17, now);
    assert!(lanes.longest_queue(std::iter::once(busy.id)).is_some());
    assert!(lanes.next(now).is_some());
    lanes.finished_soon(busy.id, too_fast(1), now);
    assert!(lanes.longest_queue(std::iter::once(busy.id)).is_none());
    assert_eq!(lanes.reserve(&busy), Admission::Full);
}
