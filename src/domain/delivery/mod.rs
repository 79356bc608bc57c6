//! A delivery: message × endpoint, the unit of work. Its state machine, and the decision after each attempt.

pub mod attempt;
pub mod dead_letter;
pub mod hold;
pub mod operational;

use std::time::Duration;

use super::policy::EffectivePolicy;
use super::policy::retry_on::FailedBy;
use attempt::{AttemptOutcome, Failure};
use dead_letter::DeathReason;

/// A `Retry-After` is honoured up to this.
pub const RETRY_AFTER_CAP: Duration = Duration::from_secs(24 * 60 * 60);

/// An endpoint whose receiver is asked too often is left alone for no longer, whatever it asks for: it is asked again now and
/// then.
pub const LONGEST_CLOSURE: Duration = Duration::from_secs(60 * 60);

/// So many times a receiver may ask a delivery to come later before that counts like any failure.
pub const MAX_REFUSALS: u16 = 100;

/// The one state of a delivery.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DeliveryState {
    /// In the memory of the node that owns it.
    InFlight,
    /// In `pending`, due at a time.
    Waiting,
    /// In `pending`, because its endpoint is closed.
    Held,
    /// Answered 2xx.
    Delivered,
    /// In `dead_letter`.
    Dead,
    /// Called off.
    Cancelled,
}

impl DeliveryState {
    /// All of them, in the order of a delivery's life.
    pub const ALL: [Self; 6] =
        [Self::InFlight, Self::Waiting, Self::Held, Self::Delivered, Self::Dead, Self::Cancelled];

    /// As stored.
    pub const fn name(self) -> &'static str {
        match self {
            Self::InFlight => "in_flight",
            Self::Waiting => "waiting",
            Self::Held => "held",
            Self::Delivered => "delivered",
            Self::Dead => "dead",
            Self::Cancelled => "cancelled",
        }
    }

    /// From the stored name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.name() == name)
    }
}

/// Where a delivery stands in the words of callers. The numbers are those of the API.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(i16)]
pub enum Standing {
    /// It arrived.
    Success = 0,
    /// It waits for its first attempt.
    Pending = 1,
    /// It is a dead letter.
    Fail = 2,
    /// It was tried once and waits for its next attempt, or is with a node, which tries it or is about to.
    Sending = 3,
    /// It was called off.
    Canceled = 4,
}

impl Standing {
    /// All of them.
    pub const ALL: [Self; 5] = [Self::Success, Self::Pending, Self::Fail, Self::Sending, Self::Canceled];

    /// As the API counts.
    pub const fn code(self) -> i16 {
        self as i16
    }

    /// From the number.
    pub fn from_code(code: i16) -> Option<Self> {
        Self::ALL.into_iter().find(|known| known.code() == code)
    }

    /// As the API names it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Success => "success",
            Self::Pending => "pending",
            Self::Fail => "fail",
            Self::Sending => "sending",
            Self::Canceled => "canceled",
        }
    }

    /// From the name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|known| known.name() == name)
    }
}

/// What follows from an attempt.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NextStep {
    /// It arrived.
    Settle,
    /// Back into the queue.
    RetryAfter(Duration),
    /// Into the dead letters.
    Bury(DeathReason),
}

/// The attempts of a delivery in the current round of its schedule, counting the one that was just made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AttemptsMade {
    /// All of them.
    pub all: u16,
    /// Those that the receiver refused because it was asked too often.
    pub refusals: u16,
}

impl AttemptsMade {
    /// Those that count in the schedule. To be asked to wait is no failure, unless it goes on without end.
    pub fn counted(self) -> u16 {
        self.all.saturating_sub(self.refusals.min(MAX_REFUSALS))
    }
}

/// Decides what follows from an attempt. `chance` is in `[0, 1)`.
pub fn next_step(
    outcome: &AttemptOutcome,
    made: AttemptsMade,
    policy: &EffectivePolicy,
    chance: f64,
) -> NextStep {
    match outcome.failure {
        None => NextStep::Settle,
        Some(Failure::Gone) => NextStep::Bury(DeathReason::Gone),
        Some(Failure::Unsendable) => NextStep::Bury(DeathReason::Unsendable),
        Some(failure) if !policy.retry_on.covers(failed_by(failure, outcome.http_status)) => {
            NextStep::Bury(DeathReason::NotRetryable)
        }
        Some(_) => retry(outcome, made, policy, chance)
            .map_or(NextStep::Bury(DeathReason::Exhausted), NextStep::RetryAfter),
    }
}

/// How long to wait before the next attempt, or `None` when the schedule has no more.
fn retry(
    outcome: &AttemptOutcome,
    made: AttemptsMade,
    policy: &EffectivePolicy,
    chance: f64,
) -> Option<Duration> {
    let schedule = &policy.retry_schedule;
    let asked = outcome.retry_after.map(|wait| wait.min(RETRY_AFTER_CAP));
    if outcome.is_too_fast() && made.refusals <= MAX_REFUSALS {
        // It does not count, so the wait is the one that would follow if this attempt were the next to count. It is not
        // longer than what the receiver asked for: its lane opens then.
        let wait = schedule.wait_after(made.counted() + 1, chance).or_else(|| schedule.last_wait(chance))?;
        return Some(asked.map_or(wait, |asked| asked.min(LONGEST_CLOSURE)));
    }
    let wait = schedule.wait_after(made.counted(), chance)?;
    Some(wait.max(asked.unwrap_or_default()))
}

/// In the words of a policy. A failure of the connection is one whatever was answered before.
fn failed_by(failure: Failure, http_status: Option<u16>) -> FailedBy {
    match (failure, http_status) {
        (Failure::Status | Failure::Redirect | Failure::Overloaded | Failure::Gone, Some(status)) => {
            FailedBy::Status(status)
        }
        (Failure::Timeout, _) => FailedBy::Timeout,
        _ => FailedBy::Network,
    }
}

#[cfg(test)]
mod tests;
