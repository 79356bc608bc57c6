//! What is read when somebody asks for metrics.

use metrics::Gauge;

use crate::domain::alert::Severity;

use super::catalogue as all;
use super::current;
use super::values::set;

/// The gauges of a node.
pub struct Gauges {
    /// Requests under way.
    pub in_flight: Gauge,
    /// Deliveries queued in memory.
    pub in_memory: Gauge,
    /// Lanes that may send.
    pub lanes_open: Gauge,
    /// Lanes of closed endpoints.
    pub lanes_closed: Gauge,
    /// Lanes that wait for a rate.
    pub lanes_limited: Gauge,
    /// Memory for deliveries.
    pub deliveries: BudgetGauges,
    /// Memory for bodies of requests.
    pub request_bodies: BudgetGauges,
    /// Memory for large answers.
    pub answers: BudgetGauges,
    /// What waits and is due.
    pub queue_due: Gauge,
    /// What waits for a later time.
    pub queue_later: Gauge,
    /// What is held for paused endpoints.
    pub queue_paused: Gauge,
    /// What is held for disabled endpoints.
    pub queue_disabled: Gauge,
    /// For how long the longest overdue one has been due.
    pub queue_oldest_due_seconds: Gauge,
    /// Open dead letters.
    pub dead_letters_open: Gauge,
    /// How old the last look at the queue is.
    pub queue_look_age_seconds: Gauge,
    /// Whether this node may work.
    pub lease_held: Gauge,
    /// How old its last heartbeat is.
    pub heartbeat_age_seconds: Gauge,
    /// Alert rules that fire, in the order of [`Severity::ALL`].
    pub alert_rules_firing: [Gauge; Severity::ALL.len()],
}

/// The gauges of one budget of memory.
pub struct BudgetGauges {
    used: Gauge,
    limit: Gauge,
}

impl BudgetGauges {
    fn of(budget: &'static str) -> Self {
        let maker = &current().maker;
        Self {
            used: maker.gauge(all::MEMORY_BYTES, &[budget]),
            limit: maker.gauge(all::MEMORY_LIMIT_BYTES, &[budget]),
        }
    }

    /// So many bytes are taken of so many.
    pub fn set(&self, (used, limit): (usize, usize)) {
        set(&self.used, used);
        set(&self.limit, limit);
    }
}

impl Gauges {
    /// Of what this process counts.
    #[must_use]
    pub fn of_process() -> Self {
        let maker = &current().maker;
        let gauge = |metric| maker.gauge(metric, &[]);
        let lanes = |state| maker.gauge(all::LANES, &[state]);
        let queue = |state| maker.gauge(all::QUEUE_DELIVERIES, &[state]);
        Self {
            in_flight: gauge(all::IN_FLIGHT),
            in_memory: gauge(all::IN_MEMORY),
            lanes_open: lanes("open"),
            lanes_closed: lanes("closed"),
            lanes_limited: lanes("limited"),
            deliveries: BudgetGauges::of("deliveries"),
            request_bodies: BudgetGauges::of("request_bodies"),
            answers: BudgetGauges::of("answers"),
            queue_due: queue("due"),
            queue_later: queue("later"),
            queue_paused: queue("paused"),
            queue_disabled: queue("disabled"),
            queue_oldest_due_seconds: gauge(all::QUEUE_OLDEST_DUE_SECONDS),
            dead_letters_open: gauge(all::DEAD_LETTERS_OPEN),
            queue_look_age_seconds: gauge(all::QUEUE_LOOK_AGE_SECONDS),
            lease_held: gauge(all::LEASE_HELD),
            heartbeat_age_seconds: gauge(all::HEARTBEAT_AGE_SECONDS),
            alert_rules_firing: Severity::ALL
                .map(|severity| maker.gauge(all::ALERT_RULES_FIRING, &[severity.name()])),
        }
    }
}
