//! What follows from an attempt.

use std::time::Duration;

use bytes::Bytes;

use crate::domain::id::AttemptId;
use crate::domain::policy::EffectivePolicy;
use crate::domain::policy::schedule::RetrySchedule;

use super::attempt::{AttemptOutcome, Failure, Timings};
use super::dead_letter::DeathReason;
use super::{AttemptsMade, MAX_REFUSALS, NextStep, next_step};

const MIDDLE: f64 = 0.5;

fn answered(status: u16, retry_after: Option<u64>) -> AttemptOutcome {
    AttemptOutcome {
        id: AttemptId::generate(),
        failure: Some(if status == 429 { Failure::Overloaded } else { Failure::Status }),
        http_status: Some(status),
        response_headers: Vec::new(),
        response_body: Bytes::new(),
        retry_after: retry_after.map(Duration::from_secs),
        duration: Duration::ZERO,
        timings: Timings::default(),
    }
}

fn policy(waits: &[u64]) -> EffectivePolicy {
    let waits = waits.iter().copied().map(Duration::from_secs).collect();
    EffectivePolicy { retry_schedule: RetrySchedule::new(waits).into(), ..EffectivePolicy::default() }
}

fn after(seconds: u64) -> NextStep {
    NextStep::RetryAfter(Duration::from_secs(seconds))
}

const EXHAUSTED: NextStep = NextStep::Bury(DeathReason::Exhausted);

#[test]
fn what_is_refused_as_too_fast_comes_when_it_was_asked_to_and_uses_nothing_of_the_schedule_up() {
    let policy = policy(&[10, 20]);
    for all in 1..=MAX_REFUSALS {
        let made = AttemptsMade { all, refusals: all };
        assert_eq!(next_step(&answered(429, Some(3)), made, &policy, MIDDLE), after(3));
        assert_eq!(next_step(&answered(503, Some(3)), made, &policy, MIDDLE), after(3));
        assert_eq!(next_step(&answered(429, None), made, &policy, MIDDLE), after(10), "as the schedule says");
    }
    let made = AttemptsMade { all: 1, refusals: 1 };
    assert_eq!(next_step(&answered(429, Some(86_400)), made, &policy, MIDDLE), after(3_600), "with its lane");
    let failed =
        |all, refusals| next_step(&answered(500, None), AttemptsMade { all, refusals }, &policy, MIDDLE);
    assert_eq!(failed(51, 50), after(10), "the first failure after fifty refusals");
    assert_eq!(failed(52, 50), after(20));
    assert_eq!(failed(53, 50), EXHAUSTED);
    let refused_at_the_end = AttemptsMade { all: 3, refusals: 1 };
    assert_eq!(next_step(&answered(429, None), refused_at_the_end, &policy, MIDDLE), after(20));
}

#[test]
fn refusals_without_end_count_in_the_end() {
    let policy = policy(&[10, 20]);
    let refused =
        |all| next_step(&answered(429, Some(1)), AttemptsMade { all, refusals: all }, &policy, MIDDLE);
    assert_eq!(refused(MAX_REFUSALS + 1), after(10));
    assert_eq!(refused(MAX_REFUSALS + 2), after(20));
    assert_eq!(refused(MAX_REFUSALS + 3), EXHAUSTED);
}

#[test]
fn who_wants_no_retries_gets_none() {
    let made = AttemptsMade { all: 1, refusals: 1 };
    assert_eq!(next_step(&answered(429, Some(1)), made, &policy(&[]), MIDDLE), EXHAUSTED);
}

#[test]
fn other_failures_wait_for_the_longer_of_the_schedule_and_what_was_asked_for() {
    let made = AttemptsMade { all: 1, refusals: 0 };
    for (asked, expected) in [(Some(3), 10), (Some(30), 30), (None, 10)] {
        assert_eq!(next_step(&answered(500, asked), made, &policy(&[10, 20]), MIDDLE), after(expected));
    }
    assert_eq!(next_step(&answered(503, None), made, &policy(&[10]), MIDDLE), after(10));
}

#[test]
fn what_failed_in_one_burst_comes_back_over_as_long_a_time_as_it_waits() {
    let policy = policy(&[10, 600, 700]);
    let waits = |all, chance| match next_step(
        &answered(500, None),
        AttemptsMade { all, refusals: 0 },
        &policy,
        chance,
    ) {
        NextStep::RetryAfter(wait) => wait.as_secs_f64(),
        other => panic!("{other:?}"),
    };
    for (all, shortest, longest) in [(1, 5.0, 15.0), (2, 300.0, 900.0), (3, 630.0, 770.0)] {
        assert!((waits(all, 0.0) - shortest).abs() < 0.01);
        assert!((waits(all, 1.0) - longest).abs() < 0.01);
    }
}
