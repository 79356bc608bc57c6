//! `/metrics` on a listener of its own, never on the public one. What can be read when somebody asks is read then.

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::State;
use axum::response::IntoResponse;
use axum::routing::get;
use http::header;
use tokio::task::JoinHandle;

use crate::api::Budgets;
use crate::engine::NodeView;
use crate::listener::{BoundListener, Listener, ListenerLimits};
use crate::store::{QueueTotal, Store};
use crate::telemetry::metrics;
use crate::telemetry::metrics::Gauges;

/// How often what was recorded is taken into the histograms while nobody asks.
const TAKE_IN_INTERVAL: Duration = Duration::from_secs(5);
/// A database that takes longer to say what waits says nothing this time.
const DATABASE_TIMEOUT: Duration = Duration::from_secs(2);
/// How long a stop waits for a scrape under way.
const STOP_TIMEOUT: Duration = Duration::from_secs(1);
/// What those who scrape may take.
const LIMITS: ListenerLimits = ListenerLimits {
    connections: 32,
    streams: 8,
    head_timeout: Duration::from_secs(10),
    idle_timeout: Duration::from_secs(120),
    stall_timeout: Duration::from_secs(60),
    body_bytes: 1 << 10,
};

/// What metrics are read from.
pub(super) struct Sources {
    pub(super) store: Store,
    /// `None` on a node that neither answers nor delivers.
    pub(super) node: Option<NodeView>,
    /// `None` on a node without an API.
    pub(super) budgets: Option<Budgets>,
}

/// The listener, and the task that keeps histograms small.
pub(super) struct MetricsListener {
    listener: Listener,
    taking_in: JoinHandle<()>,
}

impl MetricsListener {
    pub(super) fn start(bound: BoundListener, sources: Sources) -> Self {
        let scraped = Arc::new(Scraped { gauges: Gauges::of_process(), sources });
        let router = Router::new().route("/metrics", get(scrape)).with_state(scraped);
        let taking_in = tokio::spawn(async {
            let mut ticks = tokio::time::interval(TAKE_IN_INTERVAL);
            loop {
                ticks.tick().await;
                metrics::take_in();
            }
        });
        Self { listener: Listener::start(bound, router, LIMITS), taking_in }
    }

    pub(super) async fn stop(self) {
        self.taking_in.abort();
        self.listener.stop(STOP_TIMEOUT).await;
    }
}

struct Scraped {
    gauges: Gauges,
    sources: Sources,
}

async fn scrape(State(scraped): State<Arc<Scraped>>) -> impl IntoResponse {
    scraped.read_node();
    tokio::join!(scraped.read_queue(), scraped.read_alerts());
    let text_format = "text/plain; version=0.0.4; charset=utf-8";
    ([(header::CONTENT_TYPE, text_format)], metrics::render())
}

impl Scraped {
    fn read_node(&self) {
        let Self { gauges, sources } = self;
        sources.store.measure_pools();
        if let Some(budgets) = &sources.budgets {
            gauges.request_bodies.set(budgets.body_bytes());
            gauges.answers.set(budgets.answer_bytes());
        }
        let Some(node) = &sources.node else { return };
        let (in_flight, in_memory) = node.dispatcher.load();
        metrics::set(&gauges.in_flight, in_flight);
        metrics::set(&gauges.in_memory, in_memory);
        let lanes = node.dispatcher.lane_counts();
        metrics::set(&gauges.lanes_open, lanes.open);
        metrics::set(&gauges.lanes_closed, lanes.closed);
        metrics::set(&gauges.lanes_limited, lanes.limited);
        gauges.deliveries.set(node.dispatcher.memory_bytes());
        gauges.lease_held.set(f64::from(node.lease.covers(node.lease.epoch())));
        let beat = node.health.heartbeat.last_done();
        gauges.heartbeat_age_seconds.set(beat.map_or(f64::NAN, |age| age.as_secs_f64()));
    }

    /// One row, which the node that looks at the queue has left. What is not known is not a number, so that no rule takes
    /// an old one for a new one.
    async fn read_queue(&self) {
        let asked = tokio::time::timeout(DATABASE_TIMEOUT, self.sources.store.rollups.queue_total()).await;
        let total = asked.ok().and_then(Result::ok).flatten();
        let count = |of: fn(&QueueTotal) -> i64| gauge_value(total.as_ref().map(of));
        let gauges = &self.gauges;
        gauges.queue_due.set(count(|total| total.due));
        gauges.queue_later.set(count(|total| total.later));
        gauges.queue_paused.set(count(|total| total.paused));
        gauges.queue_disabled.set(count(|total| total.disabled));
        gauges.dead_letters_open.set(count(|total| total.dead_open));
        gauges.queue_oldest_due_seconds.set(total.map_or(f64::NAN, |total| total.oldest_due_seconds));
        gauges.queue_look_age_seconds.set(total.map_or(f64::NAN, |total| total.age_seconds));
    }

    async fn read_alerts(&self) {
        let asked = tokio::time::timeout(DATABASE_TIMEOUT, self.sources.store.alerts.firing_rules()).await;
        let firing = asked.ok().and_then(Result::ok);
        for (place, gauge) in self.gauges.alert_rules_firing.iter().enumerate() {
            gauge.set(gauge_value(firing.and_then(|counts| counts.get(place).copied())));
        }
    }
}

/// What is not known is not a number.
fn gauge_value(count: Option<i64>) -> f64 {
    count.map_or(f64::NAN, |count| i32::try_from(count).map_or(f64::MAX, f64::from))
}
