//! What a node tells of a moment: how much there was, and a sample of it, in the form in which nodes tell one another.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::domain::id::{ApplicationId, AttemptId, EndpointId, MessageId};

use super::scope::Scope;

/// A notice of Postgres has room for 8,000 bytes.
const MAX_NOTICE_BYTES: usize = 7_900;

/// A message that was accepted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MessageSeen {
    /// Its id.
    pub id: MessageId,
    /// Of which application.
    pub application: ApplicationId,
    /// Its event type.
    pub event_type: String,
    /// The producer's own id for it.
    pub event_id: Option<String>,
    /// Its channels.
    pub channels: Vec<String>,
    /// Its tags.
    pub tags: Vec<String>,
    /// The length of its payload.
    pub size_bytes: usize,
    /// Deliveries that began in memory.
    pub in_flight: u32,
    /// Deliveries that wait.
    pub waiting: u32,
    /// Deliveries that are held.
    pub held: u32,
}

/// An attempt that was recorded.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AttemptSeen {
    /// Its id.
    pub id: AttemptId,
    /// Of which message.
    pub message: MessageId,
    /// Of which application.
    pub application: ApplicationId,
    /// To which endpoint.
    pub endpoint: EndpointId,
    /// The message's event type.
    pub event_type: String,
    /// 1 for the first of a round of the schedule.
    pub number: u16,
    /// The answer's status, if there was an answer.
    pub status: Option<u16>,
    /// What went wrong.
    pub failure: Option<String>,
    /// How long it took.
    pub duration_ms: u64,
    /// What the delivery became by it.
    pub state: String,
}

impl AttemptSeen {
    /// When it was made.
    pub fn at(&self) -> DateTime<Utc> {
        self.id.created_at()
    }
}

/// What a node tells of a moment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Report {
    /// Of whom.
    pub scope: Scope,
    /// Messages that were accepted.
    pub accepted: u64,
    /// Attempts that arrived.
    pub delivered: u64,
    /// Attempts that did not.
    pub failed: u64,
    /// Some of the messages.
    pub messages: Vec<MessageSeen>,
    /// Some of the attempts.
    pub attempts: Vec<AttemptSeen>,
}

impl Report {
    /// Nothing of nobody in particular.
    pub const fn empty(scope: Scope) -> Self {
        Self { scope, accepted: 0, delivered: 0, failed: 0, messages: Vec::new(), attempts: Vec::new() }
    }

    /// As notices, each of which has room for it. The counts are in the first.
    pub fn into_notices(self) -> Vec<String> {
        let Self { scope, accepted, delivered, failed, messages, attempts } = self;
        let mut notices = Vec::new();
        let mut open = Self { accepted, delivered, failed, ..Self::empty(scope.clone()) };
        for message in messages {
            open.messages.push(message);
            if open.is_too_long() {
                let last = open.messages.pop();
                notices.extend(open.text());
                open = Self { messages: last.into_iter().collect(), ..Self::empty(scope.clone()) };
            }
        }
        for attempt in attempts {
            open.attempts.push(attempt);
            if open.is_too_long() {
                let last = open.attempts.pop();
                notices.extend(open.text());
                open = Self { attempts: last.into_iter().collect(), ..Self::empty(scope.clone()) };
            }
        }
        notices.extend(open.text());
        notices
    }

    /// From a notice; `None` for what another version of the program may have sent.
    pub fn from_notice(text: &str) -> Option<Self> {
        serde_json::from_str(text).ok()
    }

    fn is_too_long(&self) -> bool {
        serde_json::to_string(self).map_or(true, |text| text.len() > MAX_NOTICE_BYTES)
    }

    fn text(&self) -> Option<String> {
        serde_json::to_string(self).ok().filter(|text| text.len() <= MAX_NOTICE_BYTES)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message(length: usize) -> MessageSeen {
        MessageSeen {
            id: MessageId::generate(),
            application: ApplicationId::generate(),
            event_type: "x".repeat(length.min(256)),
            event_id: Some("y".repeat(length.min(256))),
            channels: vec!["c".repeat(length.min(128)); 5],
            tags: vec!["t".repeat(length.min(128)); 5],
            size_bytes: 1 << 20,
            in_flight: 50,
            waiting: 0,
            held: 3,
        }
    }

    #[test]
    fn the_largest_report_fits_into_notices_and_nothing_is_lost() {
        let scope = Scope::Environment(format!("org_{}", "a".repeat(64)).parse().unwrap());
        for length in [1, 256] {
            let report = Report {
                accepted: 1000,
                messages: (0..8).map(|_| message(length)).collect(),
                ..Report::empty(scope.clone())
            };
            let notices = report.clone().into_notices();
            assert!(notices.iter().all(|notice| notice.len() < 8_000));
            let read: Vec<Report> =
                notices.iter().map(|notice| Report::from_notice(notice).unwrap()).collect();
            assert_eq!(read.iter().map(|read| read.accepted).sum::<u64>(), 1000);
            let messages: Vec<_> = read.into_iter().flat_map(|read| read.messages).collect();
            assert_eq!(messages, report.messages);
        }
        assert_eq!(Report::from_notice("{}"), None);
    }
}
