//! What nobody works on is found, whatever lost it.

use std::collections::HashSet;

use serde_json::json;

use crate::support::{Receiver, Setup, TestApp, until};

#[tokio::test(flavor = "multi_thread")]
async fn whatever_a_process_drops_in_its_memory_is_found_and_delivered() {
    let mut app = Setup::default().with("TEST_LOSSES", "0.2").start().await;
    app.expect_rescues();
    let receiver = Receiver::start().await;
    let tenant = app.tenant("one").await;
    let hook = receiver.hook_that("/hook", |request| {
        // Some go through the queue, so that claims are dropped, too.
        crate::support::Reply::Status(if request.nth == 1 && request.id.ends_with(['0', '2', '4', '6']) {
            500
        } else {
            200
        })
    });
    tenant.endpoint(&hook, json!({})).await;
    let mut accepted = HashSet::new();
    for number in 0..300 {
        accepted.insert(tenant.message("made", json!({"number": number})).await);
    }
    receiver
        .wait_until("every message arrives", |all| {
            let arrived: HashSet<&str> = all
                .iter()
                .filter(|request| request.answered == Some(200))
                .map(|request| request.id.as_str())
                .collect();
            arrived.len() == accepted.len()
        })
        .await;
    app.settled().await;
    let health = app.api().get("/health").await.json();
    assert!(health["node"]["rescued"].as_u64().unwrap() > 0, "{health}");
}

#[tokio::test]
async fn a_delivery_that_its_owner_does_not_hold_is_put_back_within_a_minute() {
    let mut app = TestApp::start().await;
    app.expect_rescues();
    let receiver = Receiver::start().await;
    let tenant = app.tenant("one").await;
    let hook = receiver.hook("/hook");
    tenant.endpoint(&hook, json!({})).await;
    let mut ids = Vec::new();
    for number in 0..5 {
        ids.push(tenant.message("made", json!({"number": number})).await);
    }
    receiver.wait_at(&hook, 5).await;
    app.settled().await;

    // As if the process had dropped it: owned by the living node, by a node that is not there, and waiting without a
    // row in the queue.
    let pool = &app.database().pool;
    let set = |what: &'static str, number: usize| {
        let id: postrider::domain::id::MessageId = ids[number].parse().unwrap();
        sqlx::query(what).bind(id.uuid()).execute(pool)
    };
    let owned = "UPDATE delivery SET state = 'in_flight', settled_at = NULL, owner = (SELECT epoch FROM node) WHERE message_id = $1";
    set(owned, 0).await.unwrap();
    let orphaned =
        "UPDATE delivery SET state = 'in_flight', settled_at = NULL, owner = 0 WHERE message_id = $1";
    set(orphaned, 1).await.unwrap();
    let unqueued = "UPDATE delivery SET state = 'waiting', settled_at = NULL WHERE message_id = $1";
    set(unqueued, 2).await.unwrap();
    let requests = receiver.wait_at(&hook, 8).await;
    let again: HashSet<&String> = requests[5..].iter().map(|request| &request.id).collect();
    assert_eq!(again, ids[..3].iter().collect());
    app.settled().await;
    until("the log says so", || async { app.log().contains("nobody worked on").then_some(()) }).await;
    let health = app.api().get("/health").await.json();
    assert_eq!(health["node"]["rescued"], 3, "{health}");
}

#[tokio::test]
async fn a_claim_that_its_owner_does_not_hold_is_released_long_before_its_lease_ends() {
    let mut app = Setup::default().with("RETRY_SCHEDULE", "1h").start().await;
    app.expect_rescues();
    let receiver = Receiver::start().await;
    let tenant = app.tenant("one").await;
    let hook = receiver.hook_that("/hook", |request| {
        crate::support::Reply::Status(if request.nth == 1 { 500 } else { 200 })
    });
    tenant.endpoint(&hook, json!({})).await;
    tenant.message("made", json!({})).await;
    crate::support::clock::wait_after(app.database(), 1).await;
    // As if a claim had been committed whose answer was lost, nine seconds ago; its lease goes on for 81 s.
    let claimed = "UPDATE pending SET owner = (SELECT epoch FROM node), due_at = now() + interval '81 s'";
    sqlx::query(claimed).execute(&app.database().pool).await.unwrap();
    receiver.wait_at(&hook, 2).await;
    app.settled().await;
}
