//! What happened in a step of time to an endpoint, an application or an environment.

use std::time::Duration;

use chrono::{DateTime, Utc};

use super::histogram::Histogram;

/// An attempt that was recorded, as far as it is counted.
#[derive(Debug, Clone, Copy, Default)]
pub struct AttemptSeen {
    /// The answer's status.
    pub status: Option<u16>,
    /// The delivery arrived by it.
    pub delivered: bool,
    /// The delivery died by it.
    pub died: bool,
    /// From accepted to the beginning of the request, where that is our own doing: for a first attempt that never
    /// waited in the queue.
    pub own: Option<Duration>,
    /// From the beginning of the request to the end of its answer, if there was one.
    pub receiver: Option<Duration>,
    /// From accepted to delivered, for a delivery that arrived at its first attempt.
    pub end_to_end: Option<Duration>,
}

/// Counts and histograms.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Tally {
    /// Messages.
    pub accepted: u64,
    /// The bytes of their payloads.
    pub accepted_bytes: u64,
    /// Deliveries that were made of them.
    pub born: u64,
    /// Deliveries that arrived.
    pub delivered: u64,
    /// Deliveries that died.
    pub dead: u64,
    /// Attempts that were answered 2xx.
    pub status_2xx: u64,
    /// 3xx.
    pub status_3xx: u64,
    /// 4xx.
    pub status_4xx: u64,
    /// 5xx.
    pub status_5xx: u64,
    /// Attempts without such an answer.
    pub no_response: u64,
    /// From accepted to the beginning of the first request.
    pub own: Histogram,
    /// From the beginning of a request to its answer.
    pub receiver: Histogram,
    /// From accepted to delivered.
    pub end_to_end: Histogram,
    /// When the last delivery arrived.
    pub last_delivered_at: Option<DateTime<Utc>>,
}

impl Tally {
    /// Counts an attempt that was recorded at `now`.
    pub fn count(&mut self, attempt: &AttemptSeen, now: DateTime<Utc>) {
        let counter = match attempt.status.map(|status| status / 100) {
            Some(2) => &mut self.status_2xx,
            Some(3) => &mut self.status_3xx,
            Some(4) => &mut self.status_4xx,
            Some(5) => &mut self.status_5xx,
            _ => &mut self.no_response,
        };
        *counter = counter.saturating_add(1);
        self.delivered = self.delivered.saturating_add(attempt.delivered.into());
        self.dead = self.dead.saturating_add(attempt.died.into());
        if attempt.delivered {
            self.last_delivered_at = self.last_delivered_at.max(Some(now));
        }
        for (histogram, duration) in [
            (&mut self.own, attempt.own),
            (&mut self.receiver, attempt.receiver),
            (&mut self.end_to_end, attempt.end_to_end),
        ] {
            duration.into_iter().for_each(|duration| histogram.add(duration));
        }
    }

    /// Adds all of another one.
    pub fn merge(&mut self, other: &Self) {
        for (mine, theirs) in [
            (&mut self.accepted, other.accepted),
            (&mut self.accepted_bytes, other.accepted_bytes),
            (&mut self.born, other.born),
            (&mut self.delivered, other.delivered),
            (&mut self.dead, other.dead),
            (&mut self.status_2xx, other.status_2xx),
            (&mut self.status_3xx, other.status_3xx),
            (&mut self.status_4xx, other.status_4xx),
            (&mut self.status_5xx, other.status_5xx),
            (&mut self.no_response, other.no_response),
        ] {
            *mine = mine.saturating_add(theirs);
        }
        self.own.merge(&other.own);
        self.receiver.merge(&other.receiver);
        self.end_to_end.merge(&other.end_to_end);
        self.last_delivered_at = self.last_delivered_at.max(other.last_delivered_at);
    }

    /// Attempts that were not answered 2xx.
    pub fn failed(&self) -> u64 {
        self.status_3xx
            .saturating_add(self.status_4xx)
            .saturating_add(self.status_5xx)
            .saturating_add(self.no_response)
    }

    /// All attempts.
    pub fn attempts(&self) -> u64 {
        self.failed().saturating_add(self.status_2xx)
    }

    /// The share of attempts that failed; `None` when there was none.
    #[expect(clippy::cast_precision_loss, reason = "a share need not be exact")]
    pub fn failed_share(&self) -> Option<f64> {
        (self.attempts() > 0).then(|| self.failed() as f64 / self.attempts() as f64)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn attempts_are_counted_by_their_answer_and_merged() {
        let now = DateTime::UNIX_EPOCH;
        let mut tally = Tally::default();
        for status in [Some(204), Some(302), Some(404), Some(503), Some(100), None] {
            let delivered = status == Some(204);
            let receiver = status.map(|_| Duration::from_millis(10));
            tally.count(&AttemptSeen { status, delivered, receiver, ..AttemptSeen::default() }, now);
        }
        tally.merge(&tally.clone());
        assert_eq!((tally.attempts(), tally.failed(), tally.no_response), (12, 10, 4));
        assert_eq!((tally.delivered, tally.receiver.total(), tally.own.total()), (2, 10, 0));
        assert_eq!((tally.last_delivered_at, tally.failed_share()), (Some(now), Some(10.0 / 12.0)));
        assert_eq!(Tally::default().failed_share(), None);
    }
}
