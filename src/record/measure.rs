//! What metrics count of outcomes: exactly those that the database took.

use std::collections::HashSet;

use uuid::Uuid;

use crate::domain::delivery::NextStep;
use crate::domain::delivery::attempt::Failure;
use crate::telemetry::metrics;

use super::Outcome;

/// Which outcomes of a group the database took. The others were of deliveries that this node did not own any more.
pub(super) enum Moved {
    /// So many of a group in which all are alike, as far as metrics go.
    First(usize),
    /// Those with these attempts.
    These(HashSet<Uuid>),
}

impl Moved {
    pub(super) fn count(&self) -> usize {
        match self {
            Self::First(count) => *count,
            Self::These(attempts) => attempts.len(),
        }
    }

    /// Counts what was taken, and what was not.
    pub(super) fn measure<G>(&self, group: &[Outcome<G>]) {
        let mut left_out = 0;
        for (place, outcome) in group.iter().enumerate() {
            let taken = match self {
                Self::First(count) => place < *count,
                Self::These(attempts) => attempts.contains(&outcome.attempt.id.uuid()),
            };
            if taken {
                outcome.measure();
            } else {
                left_out += 1;
            }
        }
        metrics::current().outcomes_not_owned.increment(left_out);
    }
}

impl<G> Outcome<G> {
    fn measure(&self) {
        let (metrics, attempt) = (metrics::current(), &self.attempt);
        metrics.attempts(attempt.failure.map(Failure::name), attempt.http_status).increment(1);
        let seconds =
            if attempt.failure.is_none() { &metrics.delivered_seconds } else { &metrics.failed_seconds };
        metrics::record(seconds, attempt.duration);
        match self.next {
            NextStep::Settle => {}
            NextStep::RetryAfter(_) => metrics.retries_scheduled.increment(1),
            NextStep::Bury(_) => metrics.died_by_attempt.increment(1),
        }
        if let Some(end_to_end) = self.counted().seen.end_to_end {
            metrics::record(&metrics.end_to_end_seconds, end_to_end);
        }
    }
}
