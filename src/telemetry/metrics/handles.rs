//! The handles of what is counted where it happens, each made once.

use std::sync::OnceLock;

use metrics::{Counter, Gauge, Histogram};

use crate::domain::alert::ChannelKind;
use crate::telemetry::statement_name::name_of;

use super::catalogue as all;
use super::current;
use super::maker::Maker;
use super::named::ByName;
use super::statement::{Statement, StatementTimer};

/// The outcomes of an attempt, as their label has them: delivered, and what may go wrong.
const OUTCOMES: [&str; 11] = [
    "delivered",
    "status",
    "redirect",
    "gone",
    "overloaded",
    "timeout",
    "dns",
    "egress_refused",
    "connection",
    "tls",
    "unsendable",
];
/// The classes of a status, by its first digit.
const CLASSES: [&str; 6] = ["none", "1xx", "2xx", "3xx", "4xx", "5xx"];

/// Everything that is counted where it happens.
pub struct Metrics {
    pub(super) maker: Maker,
    /// Whether anybody can read what is counted.
    is_read: bool,
    attempts: [[OnceLock<Counter>; CLASSES.len()]; OUTCOMES.len()],
    http_requests: [OnceLock<Counter>; CLASSES.len()],
    refused: ByName<Counter>,
    statements: ByName<Statement>,
    /// Messages that were stored.
    pub messages_accepted: Counter,
    /// Posts that repeated an earlier one.
    pub messages_repeated: Counter,
    /// Deliveries that were stored in flight.
    pub created_in_flight: Counter,
    /// Deliveries that were stored waiting.
    pub created_waiting: Counter,
    /// Deliveries that were stored held.
    pub created_held: Counter,
    /// From the head of a post to its answer.
    pub accept_seconds: Histogram,
    /// Waits of posts for a long queue.
    pub post_waits: Counter,
    /// How long requests took that were answered well.
    pub delivered_seconds: Histogram,
    /// How long the others took.
    pub failed_seconds: Histogram,
    /// From accepted to delivered.
    pub end_to_end_seconds: Histogram,
    /// Attempts that are followed by another.
    pub retries_scheduled: Counter,
    /// Dead letters that an attempt made.
    pub died_by_attempt: Counter,
    /// Dead letters that maintenance made.
    pub died_by_maintenance: Counter,
    /// Attempts that could not be recorded.
    pub outcomes_not_owned: Counter,
    /// Connections that were not made.
    pub egress_refusals: Counter,
    /// Leases that were lost.
    pub leases_lost: Counter,
    /// Nodes that were taken over.
    pub takeovers: Counter,
    /// What they held.
    pub taken_over: Counter,
    /// Deliveries that were found with nobody at work.
    pub rescued: Counter,
    /// Messages in a statement.
    pub batch_messages: Histogram,
    /// Outcomes in a statement.
    pub batch_outcomes: Histogram,
    /// Deliveries handed back in a statement.
    pub batch_hand_backs: Histogram,
    /// Rows claimed in a statement.
    pub batch_claims: Histogram,
    /// Alerts that were held back.
    pub alerts_suppressed: Counter,
    notices: [[Counter; NoticeResult::ALL.len()]; ChannelKind::ALL.len()],
}

/// What came of sending a notice.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NoticeResult {
    /// It was sent.
    Sent,
    /// It was not, and is tried again.
    Failed,
    /// It was not, and is not tried again.
    GivenUp,
}

impl NoticeResult {
    const ALL: [Self; 3] = [Self::Sent, Self::Failed, Self::GivenUp];

    const fn name(self) -> &'static str {
        match self {
            Self::Sent => "sent",
            Self::Failed => "failed",
            Self::GivenUp => "given_up",
        }
    }
}

impl Metrics {
    pub(super) fn new(maker: Maker, is_read: bool) -> Self {
        let counter = |metric| maker.counter(metric, &[]);
        let batch = |of| maker.histogram(all::BATCH_ITEMS, &[of]);
        let made = Self {
            attempts: Default::default(),
            http_requests: Default::default(),
            refused: ByName::default(),
            statements: ByName::default(),
            messages_accepted: counter(all::MESSAGES_ACCEPTED),
            messages_repeated: counter(all::MESSAGES_REPEATED),
            created_in_flight: maker.counter(all::DELIVERIES_CREATED, &["in_flight"]),
            created_waiting: maker.counter(all::DELIVERIES_CREATED, &["waiting"]),
            created_held: maker.counter(all::DELIVERIES_CREATED, &["held"]),
            accept_seconds: maker.histogram(all::ACCEPT_SECONDS, &[]),
            post_waits: counter(all::POST_WAITS),
            delivered_seconds: maker.histogram(all::ATTEMPT_SECONDS, &["delivered"]),
            failed_seconds: maker.histogram(all::ATTEMPT_SECONDS, &["failed"]),
            end_to_end_seconds: maker.histogram(all::END_TO_END_SECONDS, &[]),
            retries_scheduled: counter(all::RETRIES_SCHEDULED),
            died_by_attempt: maker.counter(all::DEAD_LETTERS, &["attempt"]),
            died_by_maintenance: maker.counter(all::DEAD_LETTERS, &["maintenance"]),
            outcomes_not_owned: counter(all::OUTCOMES_NOT_OWNED),
            egress_refusals: counter(all::EGRESS_REFUSALS),
            leases_lost: counter(all::LEASES_LOST),
            takeovers: counter(all::TAKEOVERS),
            taken_over: counter(all::TAKEN_OVER),
            rescued: counter(all::RESCUED),
            batch_messages: batch("messages"),
            batch_outcomes: batch("outcomes"),
            batch_hand_backs: batch("hand_backs"),
            batch_claims: batch("claims"),
            alerts_suppressed: counter(all::ALERTS_SUPPRESSED),
            notices: ChannelKind::ALL.map(|kind| {
                NoticeResult::ALL
                    .map(|result| maker.counter(all::ALERT_NOTICES, &[kind.name(), result.name()]))
            }),
            is_read,
            maker,
        };
        made.attempts(None, Some(200)).increment(0);
        made.maker.gauge(all::BUILD_INFO, &[env!("CARGO_PKG_VERSION")]).set(1.0);
        made
    }

    /// Attempts that ended so: `failure` is the name of what went wrong.
    pub fn attempts(&self, failure: Option<&'static str>, status: Option<u16>) -> &Counter {
        let name = failure.unwrap_or("delivered");
        let outcome = OUTCOMES.iter().position(|known| *known == name).unwrap_or(1);
        let class = class_of(status);
        let cell = self.attempts.get(outcome).and_then(|row| row.get(class));
        let labels = [name, CLASSES.get(class).copied().unwrap_or_default()];
        let make = || self.maker.counter(all::ATTEMPTS, &labels);
        cell.map_or(&self.outcomes_not_owned, |cell| cell.get_or_init(make))
    }

    /// A request of the API was answered with this status.
    pub fn answered(&self, status: u16) {
        let class = class_of(Some(status));
        if let (Some(cell), Some(name)) = (self.http_requests.get(class), CLASSES.get(class)) {
            cell.get_or_init(|| self.maker.counter(all::HTTP_REQUESTS, &[name])).increment(1);
        }
    }

    /// A message was refused. The reason is the code of an error, of which there are few.
    pub fn refused(&self, reason: &'static str) {
        self.refused.of(reason, || self.maker.counter(all::MESSAGES_REFUSED, &[reason])).increment(1);
    }

    /// A notice was sent over a channel of that kind, or was not.
    pub fn notice(&self, kind: ChannelKind, result: NoticeResult) {
        let row = ChannelKind::ALL.iter().position(|known| *known == kind);
        let column = NoticeResult::ALL.iter().position(|known| *known == result);
        let counter = row.zip(column).and_then(|(row, column)| self.notices.get(row)?.get(column));
        if let Some(counter) = counter {
            counter.increment(1);
        }
    }

    fn statement(&self, sql: &str) -> Statement {
        let name = self.statements.kept(name_of(sql));
        self.statements.of(name, || Statement {
            seconds: self.maker.histogram(all::STATEMENT_SECONDS, &[name]),
            errors: self.maker.counter(all::STATEMENT_ERRORS, &[name]),
        })
    }

    /// How long connections of a pool are waited for, and how often in vain.
    pub fn pool(&self, pool: &'static str) -> PoolMetrics {
        PoolMetrics {
            wait_seconds: self.maker.histogram(all::POOL_WAIT_SECONDS, &[pool]),
            timeouts: self.maker.counter(all::POOL_TIMEOUTS, &[pool]),
            idle: self.maker.gauge(all::POOL_CONNECTIONS, &[pool, "idle"]),
            used: self.maker.gauge(all::POOL_CONNECTIONS, &[pool, "used"]),
            limit: self.maker.gauge(all::POOL_LIMIT, &[pool]),
        }
    }
}

/// The handles of one pool of connections.
#[derive(Clone)]
pub struct PoolMetrics {
    /// How long a connection was waited for.
    pub wait_seconds: Histogram,
    /// How often none came in time.
    pub timeouts: Counter,
    /// Connections that wait to be used.
    pub idle: Gauge,
    /// Connections in use.
    pub used: Gauge,
    /// How many there may be.
    pub limit: Gauge,
}

/// Times a statement from here on; `None` when nothing is measured.
#[must_use]
pub fn time_statement(sql: &str) -> Option<StatementTimer> {
    let metrics = current();
    metrics.is_read.then(|| StatementTimer::begin(metrics.statement(sql)))
}

fn class_of(status: Option<u16>) -> usize {
    let digit = status.map_or(0, |status| usize::from(status / 100));
    if digit < CLASSES.len() { digit } else { 0 }
}
