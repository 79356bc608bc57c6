//! The producer: a few events each second, such as a shop and its users would make.

use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};

use crate::domain::chance;
use crate::domain::clock::Clock;

use super::api::Api;
use super::statistics::Statistics;
use super::tenants::Tenants;

const POST_INTERVAL: Duration = Duration::from_millis(350);

/// Posts for ever.
pub(super) async fn produce(api: Api, tenants: Tenants, statistics: Arc<Statistics>) {
    let mut ticks = tokio::time::interval(POST_INTERVAL);
    let clock = Clock::default();
    let mut number = 0;
    loop {
        ticks.tick().await;
        let Some(tenant) = pick(&tenants) else { return };
        // Tenths of a second: more of them pass than events, so that no later start has one of these numbers.
        number = (number + 1).max(clock.now().timestamp_millis() / 100);
        let (event_type, payload) = event(number);
        let body = json!({"eventType": event_type, "eventId": format!("{event_type}-{number}"),
                          "tags": [pick(&["eu", "us"])], "payload": payload});
        match api.post(&format!("/app/{}/msg", tenant.uid), &body).await {
            Ok(_) => statistics.counts().accepted += 1,
            Err(error) => {
                let mut counts = statistics.counts();
                counts.refused += 1;
                counts.add_event(format!("a post failed: {error:#}"));
            }
        }
    }
}

fn pick<T>(from: &[T]) -> Option<&T> {
    from.get(below(from.len()))
}

/// A whole number from 0 up to this one.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    clippy::cast_precision_loss,
    reason = "small numbers of a demonstration"
)]
fn below(end: usize) -> usize {
    (chance::fraction() * end as f64) as usize
}

fn event(number: i64) -> (&'static str, Value) {
    let customer = pick(&["Ada Lovelace", "Grace Hopper", "Alan Turing", "Radia Perlman", "Ken Thompson"]);
    match below(10) {
        0..=2 => (
            "invoice.paid",
            json!({"invoice": {"id": format!("in_{number}"), "total": 100 * below(900) + 99, "currency": "EUR"},
                   "customer": customer, "method": pick(&["card", "sepa", "transfer"])}),
        ),
        3 => (
            "invoice.overdue",
            json!({"invoice": {"id": format!("in_{number}"), "total": 100 * below(900) + 99, "currency": "EUR"},
                   "customer": customer, "daysOverdue": 1 + below(30)}),
        ),
        4..=6 => (
            "order.shipped",
            json!({"order": format!("ord_{number}"), "carrier": pick(&["DHL", "UPS", "Hermes"]),
                   "parcels": 1 + below(3), "customer": customer}),
        ),
        7 | 8 => (
            "user.signed_up",
            json!({"user": {"id": format!("usr_{number}"), "name": customer}, "plan": pick(&["free", "team"])}),
        ),
        _ => ("user.deleted", json!({"user": {"id": format!("usr_{number}")}, "reason": "requested"})),
    }
}
