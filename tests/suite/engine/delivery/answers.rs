//! Answers that are none: redirects, silence, bodies without end.

use serde_json::json;

use crate::support::{Receiver, Reply, Setup};

#[tokio::test]
async fn a_redirect_is_a_failure_and_is_not_followed() {
    let app = Setup::default().with("RETRY_SCHEDULE", "50ms").start_local().await;
    let receiver = Receiver::start().await;
    let tenant = app.tenant("one").await;
    let elsewhere = receiver.hook("/elsewhere");
    let url = elsewhere.url.clone();
    let hook = receiver.hook_that("/hook", move |_| Reply::With(307, "location", url.clone()));
    let endpoint = tenant.endpoint(&hook, json!({})).await;
    tenant.message("made", json!({})).await;
    app.settled().await;
    assert!(receiver.received_at(&elsewhere).is_empty());
    let attempts = tenant.attempts(&endpoint).await;
    assert_eq!(attempts.len(), 2);
    assert!(attempts.iter().all(|attempt| attempt["responseStatusCode"] == 307), "{attempts:?}");
    assert_eq!(tenant.dead_letters().await.len(), 1);
}

#[tokio::test]
async fn an_endpoint_that_never_answers_times_out_and_delays_nobody() {
    let app =
        Setup::default().with("RETRY_SCHEDULE", "none").with("REQUEST_TIMEOUT", "2s").start_local().await;
    let receiver = Receiver::start().await;
    let (hanging, well) = (app.tenant("hanging").await, app.tenant("well").await);
    let silent = receiver.hook_that("/silent", |_| Reply::Hang);
    let dripping = receiver.hook_that("/dripping", |_| Reply::Drip);
    let good = receiver.hook("/good");
    let silent_endpoint = hanging.endpoint(&silent, json!({})).await;
    hanging.endpoint(&dripping, json!({})).await;
    well.endpoint(&good, json!({})).await;
    for _ in 0..24 {
        hanging.message("made", json!({})).await;
    }
    // While the others hang, the good one gets everything: it has all its messages before one of theirs ended.
    receiver.wait_at(&silent, 1).await;
    for _ in 0..40 {
        well.message("made", json!({})).await;
    }
    receiver.wait_at(&good, 40).await;
    let waiting =
        app.database().count("SELECT count(*) FROM delivery WHERE state IN ('in_flight', 'waiting')").await;
    assert!(waiting > 0, "the hanging ones were still hanging");
    app.settled().await;
    let attempts = hanging.attempts(&silent_endpoint).await;
    assert_eq!(attempts.len(), 24);
    assert!(attempts.iter().all(|attempt| attempt["status"] == 2), "{:?}", attempts[0]);
    assert_eq!(hanging.dead_letters().await.len(), 48);
    assert!(well.dead_letters().await.is_empty());
}

#[tokio::test]
async fn an_endless_answer_is_bounded() {
    let app =
        Setup::default().with("RETRY_SCHEDULE", "none").with("REQUEST_TIMEOUT", "5s").start_local().await;
    let receiver = Receiver::start().await;
    let tenant = app.tenant("one").await;
    let hook = receiver.hook_that("/hook", |_| Reply::Flood);
    let endpoint = tenant.endpoint(&hook, json!({})).await;
    tenant.message("made", json!({})).await;
    app.settled().await;
    let attempts = tenant.attempts(&endpoint).await;
    assert_eq!(attempts.len(), 1);
    let kept = attempts[0]["response"].as_str().unwrap().len();
    assert!(kept <= 16 * 1024, "{kept}");
}
