//! How an outcome is counted for the console.

use crate::domain::delivery::NextStep;
use crate::domain::delivery::attempt::Trigger;
use crate::domain::rollup::tally::AttemptSeen;
use crate::rollup::Recorded;

use super::Outcome;

impl<G> Outcome<G> {
    /// As it is counted. What waited in the queue before its first attempt says nothing of our own doing: it may have
    /// been held.
    pub(super) fn counted(&self) -> Recorded<'_> {
        let attempt = &self.attempt;
        let is_first = self.attempts_made == 1 && self.trigger == Trigger::Scheduled;
        let until_begun = attempt.id.created_at() - self.message.id.created_at();
        let until_begun = until_begun.to_std().unwrap_or_default();
        let delivered = self.next == NextStep::Settle;
        let seen = AttemptSeen {
            status: attempt.http_status,
            delivered,
            died: matches!(self.next, NextStep::Bury(_)),
            own: (is_first && self.lease.is_none()).then_some(until_begun),
            receiver: attempt.http_status.map(|_| attempt.duration),
            end_to_end: (is_first && delivered).then(|| until_begun + attempt.duration),
        };
        Recorded {
            application: self.endpoint.application_id,
            endpoint: self.endpoint.id,
            seen,
            failure: attempt.failure.map(|failure| (failure.name(), attempt.response_body.as_ref())),
        }
    }
}
