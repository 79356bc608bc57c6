//! Every metric that there is: its name, its kind, its labels, and what it says. What is not here cannot be made, and
//! `docs/metrics.md` is held against it by a test. No label ever names a tenant, an endpoint or an event type, so that the
//! number of series does not grow with what is stored.

/// What kind of metric it is.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Kind {
    /// It only grows.
    Counter,
    /// It goes up and down.
    Gauge,
    /// It counts what lies below each of these bounds.
    Histogram(&'static [f64]),
}

impl Kind {
    /// As Prometheus calls it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Counter => "counter",
            Self::Gauge => "gauge",
            Self::Histogram(_) => "histogram",
        }
    }
}

/// A metric.
#[derive(Debug, Clone, Copy)]
pub struct Metric {
    /// Its name.
    pub name: &'static str,
    /// Its kind.
    pub kind: Kind,
    /// The names of its labels.
    pub labels: &'static [&'static str],
    /// What it says, as a sentence without its end.
    pub help: &'static str,
}

/// From half a millisecond to ten seconds.
const FAST: Kind =
    Kind::Histogram(&[0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0]);
/// From a millisecond to a minute.
const SLOW: Kind = Kind::Histogram(&[
    0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0,
]);
/// How many things are in a batch.
const ITEMS: Kind = Kind::Histogram(&[1.0, 2.0, 5.0, 10.0, 20.0, 50.0, 100.0, 200.0, 500.0, 1000.0]);
const COUNTER: Kind = Kind::Counter;
const GAUGE: Kind = Kind::Gauge;

macro_rules! metrics {
    ($($id:ident = $kind:ident $name:literal [$($label:literal),*] $help:literal;)*) => {
        $(pub(super) const $id: Metric =
            Metric { name: $name, kind: $kind, labels: &[$($label),*], help: $help };)*

        /// All of them.
        pub const ALL: &[Metric] = &[$($id),*];
    };
}

metrics! {
    BUILD_INFO = GAUGE "postrider_build_info" ["version"] "Always 1; its label says which version runs";

    MESSAGES_ACCEPTED = COUNTER "postrider_messages_accepted_total" [] "Messages that were stored";
    MESSAGES_REPEATED = COUNTER "postrider_messages_repeated_total" []
        "Posts that repeated an earlier one under its idempotency key, so that nothing was stored";
    MESSAGES_REFUSED = COUNTER "postrider_messages_refused_total" ["reason"]
        "Messages that were not stored, by the code of the error that was answered";
    DELIVERIES_CREATED = COUNTER "postrider_deliveries_created_total" ["state"]
        "Deliveries that were stored with their messages, by the state that they began in: in_flight, waiting, held";
    ACCEPT_SECONDS = SLOW "postrider_accept_seconds" []
        "From the head of a post to its answer, of posts that were accepted";
    POST_WAITS = COUNTER "postrider_post_waits_total" [] "Waits of posts for the long queue of an endpoint, 50 ms each at the most";

    ATTEMPTS = COUNTER "postrider_attempts_total" ["outcome", "status_class"]
        "Attempts that were recorded, by outcome (delivered, or what went wrong) and by the class of the answer's status";
    ATTEMPT_SECONDS = SLOW "postrider_attempt_seconds" ["outcome"]
        "From the beginning of a request to the end of its answer, by outcome: delivered, failed";
    END_TO_END_SECONDS = SLOW "postrider_end_to_end_seconds" []
        "From accepted to delivered, of deliveries that arrived at their first attempt";
    RETRIES_SCHEDULED = COUNTER "postrider_retries_scheduled_total" [] "Attempts that failed and are followed by another";
    DEAD_LETTERS = COUNTER "postrider_dead_letters_total" ["cause"]
        "Deliveries that became dead letters, by cause: attempt (the last one failed), maintenance (they can reach nobody)";
    OUTCOMES_NOT_OWNED = COUNTER "postrider_outcomes_not_owned_total" []
        "Attempts that were made and not recorded, because the delivery was another node's by then";
    EGRESS_REFUSALS = COUNTER "postrider_egress_refusals_total" []
        "Connections that were not made because the egress policy refuses the address";

    IN_FLIGHT = GAUGE "postrider_in_flight_requests" [] "Requests to receivers under way on this node";
    IN_MEMORY = GAUGE "postrider_queued_in_memory_deliveries" [] "Deliveries that wait in this node's memory for their turn";
    LANES = GAUGE "postrider_lanes" ["state"]
        "Endpoints that have something to do on this node, by state: open, closed (paused or disabled), limited (by a rate)";
    MEMORY_BYTES = GAUGE "postrider_memory_used_bytes" ["budget"]
        "What is taken of each budget of memory: deliveries, request_bodies, answers";
    MEMORY_LIMIT_BYTES = GAUGE "postrider_memory_limit_bytes" ["budget"] "How large each budget of memory is";

    QUEUE_DELIVERIES = GAUGE "postrider_queue_deliveries" ["state"]
        "What waits in the database, as the last look at the queue found it, a thousand an endpoint at most: due, later, paused, disabled";
    QUEUE_OLDEST_DUE_SECONDS = GAUGE "postrider_queue_oldest_due_seconds" []
        "For how long the longest overdue delivery of an open endpoint has been due; 0 when none is";
    DEAD_LETTERS_OPEN = GAUGE "postrider_dead_letters_open" []
        "Dead letters that were neither replayed nor discarded, a hundred thousand an environment at most";
    QUEUE_LOOK_AGE_SECONDS = GAUGE "postrider_queue_look_age_seconds" []
        "How long ago the last look at the queue ended; the three metrics above are as old";

    LEASE_HELD = GAUGE "postrider_lease_held" [] "1 while this node may work on deliveries, else 0";
    LEASES_LOST = COUNTER "postrider_leases_lost_total" []
        "How often this node lost its lease and came back under a new epoch";
    TAKEOVERS = COUNTER "postrider_takeovers_total" [] "How often this node took over what a stopped node held";
    TAKEN_OVER = COUNTER "postrider_taken_over_deliveries_total" []
        "Deliveries that this node freed by taking over a stopped node";
    RESCUED = COUNTER "postrider_rescued_deliveries_total" []
        "Deliveries that nobody worked on and that were found; anything but 0 is a fault of ours";
    HEARTBEAT_AGE_SECONDS = GAUGE "postrider_heartbeat_age_seconds" []
        "How long ago the database last took this node's heartbeat";

    ALERT_NOTICES = COUNTER "postrider_alert_notices_total" ["channel", "result"]
        "Alerts, recoveries and tests that this node sent or tried to, by the kind of the channel (operational, slack, teams, email) and by result: sent, failed (it is tried again), given_up";
    ALERTS_SUPPRESSED = COUNTER "postrider_alerts_suppressed_total" []
        "Alerts that were held back because their rule had sent one a short while before";
    ALERT_RULES_FIRING = GAUGE "postrider_alert_rules_firing" ["severity"]
        "Alert rules of all environments that fire and have not recovered, by severity: info, warning, critical";

    HTTP_REQUESTS = COUNTER "postrider_http_requests_total" ["status_class"]
        "Requests that were answered on the public listener, by the class of the status";

    BATCH_ITEMS = ITEMS "postrider_batch_items" ["batch"]
        "How many things are written or read in one statement: messages, outcomes, hand_backs, claims";
    STATEMENT_SECONDS = FAST "postrider_statement_seconds" ["statement"]
        "How long a statement took, by the name that its text begins with";
    STATEMENT_ERRORS = COUNTER "postrider_statement_errors_total" ["statement"] "Statements that failed";
    POOL_WAIT_SECONDS = FAST "postrider_pool_wait_seconds" ["pool"] "How long a connection to the database was waited for";
    POOL_TIMEOUTS = COUNTER "postrider_pool_timeouts_total" ["pool"] "How often none came in time";
    POOL_CONNECTIONS = GAUGE "postrider_pool_connections" ["pool", "state"]
        "Connections to the database, by state: idle, used";
    POOL_LIMIT = GAUGE "postrider_pool_connections_limit" ["pool"] "How many connections a pool may have";

    PROCESS_CPU = COUNTER "process_cpu_seconds_total" [] "Time of processors that this process has used";
    PROCESS_MEMORY = GAUGE "process_resident_memory_bytes" [] "Memory that this process has";
    PROCESS_FDS = GAUGE "process_open_fds" [] "Descriptors that are open";
    PROCESS_FDS_LIMIT = GAUGE "process_max_fds" [] "Descriptors that may be open";
    PROCESS_START = GAUGE "process_start_time_seconds" [] "When this process was started, in seconds since 1970";
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_page_on_metrics_has_each_of_them_and_no_other() {
        let page = include_str!("../../../docs/metrics.md");
        let (_, table) = page.split_once("| name | kind | labels | meaning |\n|---|---|---|---|\n").unwrap();
        let rows: Vec<&str> = table.lines().take_while(|line| line.starts_with('|')).collect();
        let known = ALL.iter().map(|metric| {
            let labels: Vec<String> = metric.labels.iter().map(|label| format!("`{label}`")).collect();
            let labels = if labels.is_empty() { "–".to_owned() } else { labels.join(", ") };
            format!("| `{}` | {} | {labels} | {} |", metric.name, metric.kind.name(), metric.help)
        });
        assert_eq!(rows, known.collect::<Vec<_>>());
    }

    #[test]
    fn names_are_as_prometheus_wants_them() {
        for metric in ALL {
            let name = metric.name;
            assert!(name.starts_with("postrider_") || name.starts_with("process_"), "{name}");
            assert_eq!(name.ends_with("_total"), metric.kind == Kind::Counter, "{name}");
            if let Kind::Histogram(bounds) = metric.kind {
                assert!(bounds.is_sorted(), "{name}");
                assert!(name.ends_with("_seconds") || name.ends_with("_items"), "{name}");
            }
        }
    }
}
