//! Why a delivery stands where it does, and when it goes on: derived from what is stored of it, of its endpoint, and of its
//! row in the queue.

use chrono::{DateTime, TimeDelta, Utc};

use crate::api::shared_views::ServerPolicies;
use crate::domain::delivery::dead_letter::DeathReason;
use crate::domain::delivery::{AttemptsMade, DeliveryState};
use crate::domain::policy::EffectivePolicy;
use crate::domain::policy::schedule::RetrySchedule;
use crate::domain::rollup::closure::Closure;
use crate::store::{Change, DeliveryRecord, QueuedDelivery};

/// What others are before a delivery, so that it waits for them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Behind {
    /// None that it waits for.
    Nobody,
    /// Those that are due before it at its endpoint.
    Queue(DateTime<Utc>),
    /// Those that a node took up before it.
    Node,
}

/// Where a delivery stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Position {
    pub(super) state: DeliveryState,
    pub(super) code: &'static str,
    /// Since when that is so.
    pub(super) at: Option<DateTime<Utc>>,
    /// The change that made it so.
    pub(super) change: Option<Change>,
    pub(super) held_until: Option<DateTime<Utc>>,
    pub(super) next_attempt_at: Option<DateTime<Utc>>,
    pub(super) later_attempts_at: Vec<DateTime<Utc>>,
    pub(super) behind: Behind,
}

impl Position {
    fn of_state(state: DeliveryState, code: &'static str, at: Option<DateTime<Utc>>) -> Self {
        Self {
            state,
            code,
            at,
            change: None,
            held_until: None,
            next_attempt_at: None,
            later_attempts_at: Vec::new(),
            behind: Behind::Nobody,
        }
    }
}

/// Where a delivery stands under its policy.
pub(super) fn position(
    record: &DeliveryRecord,
    policy: &EffectivePolicy,
    policies: &ServerPolicies,
) -> Position {
    match record.state {
        DeliveryState::Delivered => {
            Position::of_state(DeliveryState::Delivered, "delivered", record.settled_at)
        }
        DeliveryState::Cancelled => {
            Position::of_state(DeliveryState::Cancelled, "cancelled", record.settled_at)
        }
        DeliveryState::Dead => dead(record),
        DeliveryState::InFlight => in_flight(record, policy),
        DeliveryState::Waiting | DeliveryState::Held => match record.queued {
            Some(queued) if queued.is_claimed => in_flight(record, policy),
            Some(queued) => queued_at(record, queued, policy, policies),
            // Its row left the queue a moment ago: a node is about to write what became of it.
            None => in_flight(record, policy),
        },
    }
}

fn dead(record: &DeliveryRecord) -> Position {
    let Some(letter) = &record.dead_letter else {
        // Its dead letter was kept for as long as dead letters are.
        return Position::of_state(DeliveryState::Dead, DeathReason::Exhausted.name(), record.settled_at);
    };
    if let Some(discarded_at) = letter.discarded_at {
        let mut position = Position::of_state(DeliveryState::Dead, "discarded", Some(discarded_at));
        position.change = Some((letter.id.to_string(), discarded_at));
        return position;
    }
    Position::of_state(DeliveryState::Dead, letter.reason.name(), Some(letter.died_at))
}

/// A node has it: its request is out, or it waits for its turn there.
fn in_flight(record: &DeliveryRecord, policy: &EffectivePolicy) -> Position {
    let mut position = Position::of_state(DeliveryState::InFlight, "in_flight", None);
    position.later_attempts_at = later(&policy.retry_schedule, counted(record), record.now);
    if is_rate_limited(policy) && record.state == DeliveryState::InFlight {
        position.behind = Behind::Node;
    }
    position
}

fn queued_at(
    record: &DeliveryRecord,
    queued: QueuedDelivery,
    policy: &EffectivePolicy,
    policies: &ServerPolicies,
) -> Position {
    if let Some((code, change)) = closure(record) {
        let mut position = Position::of_state(DeliveryState::Held, code, Some(change.1));
        position.change = Some(change);
        position.held_until = policies.held_until(held_since(record), Some(queued.due_at));
        position.behind = Behind::Queue(queued.due_at);
        return position;
    }
    let is_due = queued.due_at <= record.now;
    let code = match (is_due, is_rate_limited(policy)) {
        (false, _) => "retry",
        (true, true) => "rate_limited",
        (true, false) => "due",
    };
    let mut position = Position::of_state(DeliveryState::Waiting, code, None);
    if is_due {
        position.behind = Behind::Queue(queued.due_at);
    } else {
        position.next_attempt_at = Some(queued.due_at);
    }
    let next = queued.due_at.max(record.now);
    position.later_attempts_at = later(&policy.retry_schedule, counted(record), next);
    position
}

/// Its attempts that count in the schedule.
pub(super) fn counted(record: &DeliveryRecord) -> u16 {
    let refusals = record.queued.map_or(0, |queued| queued.refusals);
    AttemptsMade { all: record.attempts, refusals }.counted()
}

const fn is_rate_limited(policy: &EffectivePolicy) -> bool {
    policy.rate_limit.is_some() || policy.application_rate_limit.is_some()
}

/// What keeps the deliveries of an endpoint back, and the change that did it.
fn closure(record: &DeliveryRecord) -> Option<(&'static str, Change)> {
    let endpoint = &record.endpoint;
    let id = || endpoint.id.to_string();
    if let Some(at) = endpoint.deleted_at {
        return Some((DeathReason::EndpointDeleted.name(), (id(), at)));
    }
    if let Some((at, reason)) = &endpoint.disabled {
        let closure = match reason.as_str() {
            "gone" => Closure::DisabledGone,
            "failing" => Closure::DisabledFailing,
            _ => Closure::DisabledByRequest,
        };
        return Some((closure.name(), (id(), *at)));
    }
    let application = || endpoint.application_id.to_string();
    let paused = [
        (endpoint.paused_at, Closure::EndpointPaused, id()),
        (endpoint.application_paused_at, Closure::ApplicationPaused, application()),
        (endpoint.all_paused_at, Closure::AllPaused, "all".to_owned()),
    ];
    paused.into_iter().find_map(|(at, closure, object)| Some((closure.name(), (object, at?))))
}

/// Since when its deliveries are held to an end. A pause of all dispatching has none.
fn held_since(record: &DeliveryRecord) -> Option<DateTime<Utc>> {
    let endpoint = &record.endpoint;
    let disabled_at = endpoint.disabled.as_ref().map(|(at, _)| *at);
    [disabled_at, endpoint.paused_at, endpoint.application_paused_at].into_iter().flatten().min()
}

/// The attempts after the next one, if all fail, without jitter. `made` are over, and the next is at `next`.
fn later(schedule: &RetrySchedule, made: u16, next: DateTime<Utc>) -> Vec<DateTime<Utc>> {
    let waits = schedule.waits().iter().skip(usize::from(made));
    let times = waits.scan(next, |at, wait| {
        *at = at.checked_add_signed(TimeDelta::from_std(*wait).ok()?)?;
        Some(*at)
    });
    times.collect()
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::time::Duration;

    use crate::domain::id::{ApplicationId, DeadLetterId, EndpointId};
    use crate::domain::policy::{DeliveryPolicy, ServerPolicy};
    use crate::store::{DeadDelivery, DeliveryEndpoint};

    use super::*;

    fn at(minutes: i64) -> DateTime<Utc> {
        DateTime::UNIX_EPOCH + TimeDelta::minutes(minutes)
    }

    /// A delivery that waits since minute 10, at minute 100.
    fn waiting() -> DeliveryRecord {
        DeliveryRecord {
            endpoint: DeliveryEndpoint {
                id: EndpointId::generate(),
                application_id: ApplicationId::generate(),
                url: String::new(),
                description: String::new(),
                deleted_at: None,
                disabled: None,
                paused_at: None,
                application_paused_at: None,
                all_paused_at: None,
                policies: std::array::from_fn(|_| DeliveryPolicy::default()),
            },
            state: DeliveryState::Waiting,
            attempts: 1,
            last_status: Some(500),
            last_failure: Some("status".to_owned()),
            settled_at: None,
            queued: Some(QueuedDelivery { due_at: at(10), is_claimed: false, refusals: 0 }),
            dead_letter: None,
            now: at(100),
        }
    }

    fn policy(rate_limit: Option<u32>) -> EffectivePolicy {
        let waits = [1, 2, 3].map(|minutes| Duration::from_secs(minutes * 60)).to_vec();
        let retry_schedule = Arc::new(RetrySchedule::new(waits));
        EffectivePolicy { rate_limit, retry_schedule, ..EffectivePolicy::default() }
    }

    fn under(record: &DeliveryRecord, rate_limit: Option<u32>) -> Position {
        let policies = ServerPolicies {
            deliveries: ServerPolicy::default(),
            disable_after: None,
            hold_limit: Duration::from_secs(1_000 * 60),
            retention: Duration::from_secs(86_400),
        };
        position(record, &policy(rate_limit), &policies)
    }

    fn of(record: &DeliveryRecord) -> Position {
        under(record, None)
    }

    #[test]
    fn what_is_due_waits_for_those_before_it() {
        let found = of(&waiting());
        assert_eq!((found.state, found.code), (DeliveryState::Waiting, "due"));
        assert_eq!((found.next_attempt_at, found.behind), (None, Behind::Queue(at(10))));
        assert_eq!(found.later_attempts_at, [at(102), at(105)]);
        let limited = under(&waiting(), Some(5));
        assert_eq!(limited.code, "rate_limited");
    }

    #[test]
    fn a_retry_says_when_it_is_and_what_follows() {
        let mut record = waiting();
        record.queued = Some(QueuedDelivery { due_at: at(130), is_claimed: false, refusals: 0 });
        let found = of(&record);
        assert_eq!((found.code, found.next_attempt_at), ("retry", Some(at(130))));
        assert_eq!((found.later_attempts_at, found.behind), (vec![at(132), at(135)], Behind::Nobody));
    }

    #[test]
    fn to_be_refused_as_too_fast_takes_nothing_from_what_follows() {
        let mut record = waiting();
        record.attempts = 5;
        record.queued = Some(QueuedDelivery { due_at: at(130), is_claimed: false, refusals: 4 });
        assert_eq!((counted(&record), of(&record).later_attempts_at), (1, vec![at(132), at(135)]));
        record.attempts = 4;
        assert_eq!(of(&record).later_attempts_at, [at(131), at(133), at(136)], "the first one is to come");
    }

    #[test]
    fn what_a_node_has_is_in_flight_whatever_its_row_says() {
        let mut record = waiting();
        record.queued = Some(QueuedDelivery { due_at: at(101), is_claimed: true, refusals: 0 });
        record.endpoint.paused_at = Some(at(99));
        assert_eq!(of(&record).state, DeliveryState::InFlight);
        record.queued = None;
        assert_eq!(of(&record).state, DeliveryState::InFlight);
        record.state = DeliveryState::InFlight;
        assert_eq!(under(&record, Some(1)).behind, Behind::Node);
    }

    #[test]
    fn what_is_held_names_the_nearest_reason_and_its_end() {
        let mut record = waiting();
        record.endpoint.all_paused_at = Some(at(40));
        let found = of(&record);
        assert_eq!((found.state, found.code, found.at), (DeliveryState::Held, "all_paused", Some(at(40))));
        assert_eq!(found.held_until, None, "a pause of everything ends nothing");
        record.endpoint.application_paused_at = Some(at(30));
        assert_eq!(of(&record).code, "application_paused");
        record.endpoint.paused_at = Some(at(20));
        let found = of(&record);
        assert_eq!((found.code, found.held_until), ("endpoint_paused", Some(at(1_020))));
        assert_eq!(found.change, Some((record.endpoint.id.to_string(), at(20))));
        for (reason, code) in
            [("request", "disabled_by_request"), ("gone", "disabled_gone"), ("failing", "disabled_failing")]
        {
            record.endpoint.disabled = Some((at(5), reason.to_owned()));
            assert_eq!((of(&record).code, of(&record).held_until), (code, Some(at(1_010))));
        }
        record.endpoint.deleted_at = Some(at(50));
        assert_eq!(of(&record).code, "endpoint_deleted");
    }

    #[test]
    fn what_has_died_says_of_what() {
        let mut record = waiting();
        (record.state, record.queued, record.settled_at) = (DeliveryState::Dead, None, Some(at(60)));
        assert_eq!((of(&record).code, of(&record).at), ("exhausted", Some(at(60))));
        let id = DeadLetterId::generate();
        let letter = DeadDelivery { id, reason: DeathReason::Gone, died_at: at(61), discarded_at: None };
        record.dead_letter = Some(letter.clone());
        assert_eq!((of(&record).code, of(&record).at), ("gone", Some(at(61))));
        record.dead_letter = Some(DeadDelivery { discarded_at: Some(at(70)), ..letter });
        let found = of(&record);
        assert_eq!((found.code, found.at), ("discarded", Some(at(70))));
        assert_eq!(found.change, Some((id.to_string(), at(70))));
    }
}
