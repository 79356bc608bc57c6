//! What failed is tried again, when it is to be.

use std::time::Duration;

use serde_json::json;

use crate::support::clock::{time_passes, wait_after};
use crate::support::{LocalApp, Receiver, Reply, Setup};

#[tokio::test]
async fn a_failing_endpoint_is_tried_again_with_the_same_id_and_a_new_timestamp() {
    let app = Setup::default().with("RETRY_SCHEDULE", "2s,100ms").start_local().await;
    let receiver = Receiver::start().await;
    let tenant = app.tenant("one").await;
    let hook = receiver.hook_that("/hook", |request| Reply::Status([500, 503, 200][request.nth - 1]));
    let endpoint = tenant.endpoint(&hook, json!({})).await;
    let id = tenant.message("made", json!({})).await;
    let requests = receiver.wait_at(&hook, 3).await;
    app.settled().await;
    assert!(requests.iter().all(|request| request.id == id));
    assert_ne!(requests[0].headers["webhook-timestamp"], requests[1].headers["webhook-timestamp"]);
    let attempts = tenant.attempts(&endpoint).await;
    let statuses: Vec<_> = attempts.iter().map(|attempt| attempt["responseStatusCode"].clone()).collect();
    assert_eq!(statuses, [200, 503, 500]);
    assert!(tenant.dead_letters().await.is_empty());
}

#[tokio::test]
async fn retry_after_is_honoured_when_it_is_longer() {
    let app = Setup::default().with("RETRY_SCHEDULE", "60s,60s").start_local().await;
    let receiver = Receiver::start().await;
    let tenant = app.tenant("one").await;
    let hook = receiver.hook_that("/hook", |request| match request.nth {
        1 => Reply::With(500, "retry-after", "3600".to_owned()),
        2 => Reply::With(500, "retry-after", "1".to_owned()),
        _ => Reply::Status(204),
    });
    tenant.endpoint(&hook, json!({})).await;
    tenant.message("made", json!({})).await;

    let wait = wait_after(app.database(), 1).await;
    assert!(wait.since_attempt >= 3600.0 && wait.from_now <= 3600.0 * 1.1, "{wait:?}");
    time_passes(app.database(), Duration::from_secs(3961)).await;
    let wait = wait_after(app.database(), 2).await;
    assert!(wait.since_attempt >= 30.0, "{wait:?}");
    time_passes(app.database(), Duration::from_secs(4000)).await;
    receiver.wait_at(&hook, 3).await;
    app.settled().await;
}

#[tokio::test]
async fn a_connection_that_breaks_is_tried_again() {
    let (app, receiver) = (LocalApp::start().await, Receiver::start().await);
    let tenant = app.tenant("one").await;
    let hook = receiver.hook_that("/hook", |request| match request.nth {
        1 => Reply::Break,
        _ => Reply::Status(200),
    });
    let endpoint = tenant.endpoint(&hook, json!({})).await;
    tenant.message("made", json!({})).await;
    receiver.wait_at(&hook, 2).await;
    app.settled().await;
    assert_eq!(tenant.attempts(&endpoint).await.len(), 2);
}

#[tokio::test]
async fn an_endpoints_own_schedule_rules_its_retries() {
    let app = Setup::default().with("RETRY_SCHEDULE", "1h").start_local().await;
    let receiver = Receiver::start().await;
    let tenant = app.tenant("one").await;
    let hook = receiver.hook_that("/hook", |_| Reply::Status(500));
    let endpoint = tenant.endpoint(&hook, json!({"retrySchedule": [0.05, 0.05]})).await;
    let never = receiver.hook_that("/never-again", |_| Reply::Status(500));
    let once = tenant.endpoint(&never, json!({"retrySchedule": []})).await;
    tenant.message("made", json!({})).await;
    app.settled().await;
    assert_eq!(tenant.attempts(&endpoint).await.len(), 3);
    assert_eq!(tenant.attempts(&once).await.len(), 1);
    assert_eq!(tenant.dead_letters().await.len(), 2);
}
