//! Endpoints that are disabled, by their owner or by their answer.

use std::time::Duration;

use serde_json::json;

use crate::support::clock::{time_passes, wait_after};
use crate::support::{LocalApp, Receiver, Reply, Setup, until};

#[tokio::test]
async fn a_disabled_endpoint_holds_and_enabling_releases() {
    let (app, receiver) = (LocalApp::start().await, Receiver::start().await);
    let tenant = app.tenant("one").await;
    let (held, open) = (receiver.hook("/held"), receiver.hook("/open"));
    let endpoint = tenant.endpoint(&held, json!({"disabled": true})).await;
    tenant.endpoint(&open, json!({})).await;
    for number in 0..20 {
        tenant.message("made", json!({"number": number})).await;
    }
    app.settled().await;
    assert_eq!(receiver.received_at(&open).len(), 20);
    assert!(receiver.received_at(&held).is_empty());
    assert_eq!(app.database().count("SELECT count(*) FROM delivery WHERE state = 'held'").await, 20);

    tenant.patch_endpoint(&endpoint, json!({"disabled": false})).await;
    receiver.wait_at(&held, 20).await;
    app.done().await;
    assert_eq!(receiver.received_at(&held).len(), 20);
}

#[tokio::test]
async fn disabling_stops_the_retries_too() {
    let app = Setup::default().with("RETRY_SCHEDULE", "1h").start_local().await;
    let receiver = Receiver::start().await;
    let tenant = app.tenant("one").await;
    let hook = receiver.hook_that("/hook", |request| Reply::Status(if request.nth == 1 { 500 } else { 200 }));
    let endpoint = tenant.endpoint(&hook, json!({"filterTypes": ["made"]})).await;
    tenant.message("made", json!({})).await;
    wait_after(app.database(), 1).await;
    tenant.patch_endpoint(&endpoint, json!({"disabled": true})).await;
    time_passes(app.database(), Duration::from_secs(7200)).await;

    // What is due must not go. A delivery to another endpoint that comes after shows that the claimer went by.
    let open = receiver.hook_that("/open", |request| Reply::Status(if request.nth == 1 { 500 } else { 200 }));
    tenant.endpoint(&open, json!({"filterTypes": ["other"]})).await;
    tenant.message("other", json!({})).await;
    until("the other one waits", || async {
        let waits = "SELECT count(*) FROM pending p JOIN delivery d USING (message_id, endpoint_id) \
                     WHERE d.state = 'waiting' AND p.due_at > now() AND p.attempts = 1";
        (app.database().count(waits).await == 1).then_some(())
    })
    .await;
    time_passes(app.database(), Duration::from_secs(7200)).await;
    receiver.wait_at(&open, 2).await;
    assert_eq!(receiver.received_at(&hook).len(), 1);

    tenant.patch_endpoint(&endpoint, json!({"disabled": false})).await;
    receiver.wait_at(&hook, 2).await;
    app.done().await;
}

#[tokio::test]
async fn gone_disables_the_endpoint_and_buries_the_delivery() {
    let (mut app, receiver) = (LocalApp::start().await, Receiver::start().await);
    let tenant = app.tenant("one").await;
    let hook = receiver.hook_that("/hook", |_| Reply::Status(410));
    let endpoint = tenant.endpoint(&hook, json!({})).await;
    let id = tenant.message("made", json!({})).await;
    app.settled().await;
    let endpoint_now = tenant.get_endpoint(&endpoint).await;
    assert_eq!(endpoint_now["disabled"], true);
    assert_eq!(receiver.received().len(), 1);
    let dead = tenant.dead_letters().await;
    assert_eq!(dead.len(), 1);
    assert_eq!(dead[0]["reason"], "gone");
    assert_eq!(dead[0]["msgId"].as_str().or(dead[0]["messageId"].as_str()), Some(id.as_str()), "{dead:?}");

    // What comes after is held, not dropped.
    tenant.message("made", json!({})).await;
    until("the next is held", || async {
        let held = app.database().count("SELECT count(*) FROM delivery WHERE state = 'held'").await;
        (held == 1).then_some(())
    })
    .await;
    assert_eq!(receiver.received().len(), 1);
    app.leave_work();
}
