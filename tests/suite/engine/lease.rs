//! A node's right to work: what happens when it lapses while the node lives.

use std::collections::HashSet;
use std::time::Duration;

use serde_json::json;

use crate::support::until::DEADLINE;
use crate::support::{LocalApp, Receiver, Tenant, until};

/// Far longer than a delivery takes.
const LONG: Duration = Duration::from_secs(10);

async fn post(tenant: &Tenant) -> String {
    tenant.message("invoice.paid", json!({"amount": 7})).await
}

#[tokio::test]
async fn a_node_that_cannot_prove_that_it_lives_stops_and_comes_back_as_another() {
    let (app, receiver) = (LocalApp::start().await, Receiver::start().await);
    let tenant = app.tenant("one").await;
    let hook = receiver.hook("/hook");
    tenant.endpoint(&hook, json!({})).await;
    let mut accepted: Vec<String> = Vec::new();
    for _ in 0..20 {
        accepted.push(post(&tenant).await);
    }
    let epoch = "SELECT max(epoch) FROM node";
    let before = app.database().count(epoch).await;

    // No heartbeat gets through from here on, while everything else does.
    let mut lock = app.database().pool.begin().await.unwrap();
    sqlx::raw_sql("LOCK TABLE node IN ACCESS EXCLUSIVE MODE").execute(&mut *lock).await.unwrap();
    let lapsed = async {
        loop {
            let message = json!({"eventType": "invoice.paid", "payload": {"amount": 7}});
            let answer = tenant.api.post(&tenant.path("/msg"), &message).await;
            if answer.status == 503 {
                // It lapsed between the last arrival and this post.
                return;
            }
            let id = answer.expect(202)["id"].as_str().unwrap().to_owned();
            accepted.push(id.clone());
            // While the node may send, this takes milliseconds.
            let arrival = until("it arrives", || async {
                receiver.received().iter().any(|request| request.id == id).then_some(())
            });
            if tokio::time::timeout(LONG, arrival).await.is_err() {
                return;
            }
        }
    };
    tokio::time::timeout(DEADLINE, lapsed).await.expect("the lease lapses, and nothing is sent any more");
    lock.commit().await.unwrap();

    until("everything that was accepted arrives", || async {
        let arrived: HashSet<String> = receiver.received().into_iter().map(|request| request.id).collect();
        accepted.iter().all(|id| arrived.contains(id)).then_some(())
    })
    .await;
    let after = app.database().count(epoch).await;
    assert!(after > before, "a right that lapsed is never revived: epoch {before}, then {after}");
    assert_eq!(app.database().count("SELECT count(*) FROM node").await, 1);

    app.settled().await;
    let unsettled = "SELECT count(*) FROM delivery WHERE state <> 'delivered'";
    assert_eq!(app.database().count(unsettled).await, 0);
}
