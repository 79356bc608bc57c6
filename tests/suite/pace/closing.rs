//! A receiver that says when to come again is left alone until then.

use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::support::{LocalApp, Receiver, Reply, Setup, Tenant, TestApp, until};

/// Returns when the endpoint is known to be left alone.
async fn closed(tenant: &Tenant, endpoint: &str) -> Value {
    until("its receiver was heard", || async {
        let shown = tenant.get_endpoint(endpoint).await;
        shown["throttledUntil"].is_string().then_some(shown)
    })
    .await
}

#[tokio::test(flavor = "multi_thread")]
async fn who_asks_to_wait_is_left_alone_by_every_node_and_after_a_restart() {
    let mut app = TestApp::start().await;
    app.leave_work();
    let receiver = Receiver::start().await;
    let other = app.another_node("other").await;
    let tenant = app.tenant("one").await;
    let mut there = tenant.clone();
    there.api = tenant.api.through(&other.address());
    let busy = receiver.hook_that("/busy", |_| Reply::With(429, "retry-after", "3600".to_owned()));
    let endpoint = tenant.endpoint(&busy, json!({})).await;
    tenant.message("first", json!({})).await;
    let shown = closed(&tenant, &endpoint).await;
    assert!(shown["throttledSince"].is_string() && shown["learnedRate"].as_f64() > Some(0.0), "{shown}");

    // That this is in force on every node means that each has heard what was told before.
    let healthy = receiver.hook("/healthy");
    tenant.endpoint(&healthy, json!({})).await;
    for _ in 0..5 {
        tenant.message("next", json!({})).await;
        there.message("next", json!({})).await;
    }
    receiver.wait_at(&healthy, 10).await;
    assert!(app.node_mut().terminate().await.success());
    app.node_mut().restart().await;
    tenant.message("later", json!({})).await;
    receiver.wait_at(&healthy, 11).await;
    assert_eq!(receiver.received_at(&busy).len(), 1);
    let tried = "SELECT count(*) FROM pending WHERE attempts > 0";
    assert_eq!(app.database().count(tried).await, 1, "what waits has used nothing of its schedule up");
    let overview = tenant.api.get(&tenant.path(&format!("/endpoint/{endpoint}/overview"))).await.expect(200);
    assert!(overview["throttledUntil"].is_string(), "{overview}");
}

#[tokio::test]
async fn what_waited_comes_when_it_was_asked_for_and_is_tried_once() {
    for (asked, seconds, status) in [("2", 2, 429), ("1.2", 2, 429), ("2", 2, 503)] {
        let app = Setup::default().with("RETRY_SCHEDULE", "1h").start_local().await;
        let receiver = Receiver::start().await;
        let tenant = app.tenant("one").await;
        let times = Arc::new(Mutex::new(Vec::new()));
        let seen = times.clone();
        let hook = receiver.hook_that("/hook", move |_| {
            let mut seen = seen.lock().unwrap();
            seen.push(Instant::now());
            match seen.len() {
                1 => Reply::With(status, "retry-after", asked.to_owned()),
                _ => Reply::Status(200),
            }
        });
        let endpoint = tenant.endpoint(&hook, json!({})).await;
        let first = tenant.message("made", json!({})).await;
        closed(&tenant, &endpoint).await;
        for _ in 0..5 {
            tenant.message("made", json!({})).await;
        }
        app.settled().await;
        let times = times.lock().unwrap();
        assert!(times[1] - times[0] >= Duration::from_secs(seconds), "{:?}", times[1] - times[0]);
        let requests = receiver.received();
        assert_eq!(requests.len(), 7);
        assert_eq!(requests.iter().filter(|request| request.id == first).count(), 2);
    }
}

#[tokio::test]
async fn to_be_asked_to_wait_uses_nothing_of_the_schedule_up() {
    let app = LocalApp::start().await;
    let receiver = Receiver::start().await;
    let tenant = app.tenant("one").await;
    let hook = receiver.hook_that("/hook", |request| match request.nth {
        1..=4 => Reply::With(429, "retry-after", "1".to_owned()),
        5 => Reply::Status(500),
        _ => Reply::Status(200),
    });
    // One retry, and it is needed for the failure.
    let endpoint = tenant.endpoint(&hook, json!({"retrySchedule": [0.05]})).await;
    tenant.message("made", json!({})).await;
    app.settled().await;
    assert!(tenant.dead_letters().await.is_empty());
    let attempts = tenant.attempts(&endpoint).await;
    let statuses: Vec<_> = attempts.iter().map(|attempt| attempt["responseStatusCode"].clone()).collect();
    assert_eq!(statuses, [200, 500, 429, 429, 429, 429]);
}

#[tokio::test]
async fn an_endpoint_beside_one_that_is_left_alone_gets_everything() {
    let mut app = LocalApp::start().await;
    app.leave_work();
    let receiver = Receiver::start().await;
    let tenant = app.tenant("one").await;
    let busy = receiver.hook_that("/busy", |_| Reply::With(503, "retry-after", "3600".to_owned()));
    let healthy = receiver.hook("/healthy");
    let endpoint = tenant.endpoint(&busy, json!({})).await;
    tenant.message("made", json!({})).await;
    closed(&tenant, &endpoint).await;
    let before = receiver.received_at(&busy).len();
    tenant.endpoint(&healthy, json!({})).await;
    for _ in 0..200 {
        tenant.message("made", json!({})).await;
    }
    receiver.wait_at(&healthy, 200).await;
    assert_eq!(receiver.received_at(&busy).len(), before);
}
