//! How an outcome is counted for metrics and the console, and told to those who watch.

use crate::domain::delivery::attempt::Trigger;
use crate::domain::delivery::{DeliveryState, NextStep};
use crate::domain::live::report;
use crate::domain::rollup::tally::AttemptSeen;
use crate::rollup::Recorded;

use super::measure::Moved;
use super::{Outcome, Recorder};

impl<G: Send + Sync + 'static> Recorder<G> {
    /// These were recorded, as far as they `moved`.
    pub(super) fn note_recorded(&self, group: &[Outcome<G>], moved: &Moved) {
        moved.measure(group);
        self.deaths.note(group);
        self.rollups.recorded(group.iter().map(Outcome::counted));
        if self.live.is_watched() {
            for outcome in group {
                let (application, endpoint) = (outcome.endpoint.application_id, outcome.endpoint.id);
                let delivered = outcome.next == NextStep::Settle;
                self.live.recorded(application, endpoint, delivered, || outcome.seen());
            }
        }
    }
}

impl<G> Outcome<G> {
    /// As it is told.
    fn seen(&self) -> report::AttemptSeen {
        let attempt = &self.attempt;
        let state = match self.next {
            NextStep::Settle => DeliveryState::Delivered,
            NextStep::RetryAfter(_) => DeliveryState::Waiting,
            NextStep::Bury(_) => DeliveryState::Dead,
        };
        report::AttemptSeen {
            id: attempt.id,
            message: self.message.id,
            application: self.endpoint.application_id,
            endpoint: self.endpoint.id,
            event_type: self.message.event_type.clone(),
            number: self.attempts_made,
            status: attempt.http_status,
            failure: attempt.failure.map(|failure| failure.name().to_owned()),
            duration_ms: u64::try_from(attempt.duration.as_millis()).unwrap_or(u64::MAX),
            state: state.name().to_owned(),
        }
    }

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
