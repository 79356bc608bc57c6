//! Messages of different size share a database, and do not wait for each other.

use serde_json::json;

use crate::support::{LocalApp, Receiver, until};

/// Large messages are written apart: what holds up their batch holds up no small message, and health tells of it.
#[tokio::test(flavor = "multi_thread")]
async fn a_batch_of_large_messages_that_waits_holds_up_no_small_ones() {
    let (app, receiver) = (LocalApp::start().await, Receiver::start().await);
    let tenant = app.tenant("one").await;
    let hook = receiver.hook("/hook");
    tenant.endpoint(&hook, json!({})).await;
    // The commit of this `eventId` is waited for by whoever posts it.
    let mut holding = app.database().pool.begin().await.unwrap();
    sqlx::query(
        "INSERT INTO message_event_id (application_id, event_id, message_id)
         SELECT id, 'held', gen_random_uuid() FROM application WHERE name = 'one'",
    )
    .execute(&mut *holding)
    .await
    .unwrap();
    let large = json!({"eventType": "made", "eventId": "held", "payload": {"filler": "x".repeat(20_000)}});
    let (api, path) = (tenant.api.clone(), tenant.path("/msg"));
    let posting = tokio::spawn(async move { api.post(&path, &large).await });
    let health = tenant.api.clone();
    let told = until("health tells of it", || async {
        let mut small = Vec::new();
        for number in 0..10 {
            small.push(tenant.message("made", json!({"number": number})).await);
        }
        receiver
            .wait_until("small ones arrive", |all| small.iter().all(|id| all.iter().any(|one| one.id == *id)))
            .await;
        let answer = health.get("/health").await;
        (answer.status == 503).then(|| answer.json()["problems"].to_string())
    })
    .await;
    assert!(told.contains("large messages that were posted wait"), "{told}");
    holding.rollback().await.unwrap();
    let answer = posting.await.unwrap().expect(202);
    let id = answer["id"].as_str().unwrap().to_owned();
    receiver.wait_until("the large one arrives", |all| all.iter().any(|one| one.id == id)).await;
    until("health is good again", || async { (health.get("/health").await.status == 200).then_some(()) })
        .await;
}

/// What is large is compressed in the way that costs the database least, where it was built with that.
#[tokio::test(flavor = "multi_thread")]
async fn large_payloads_are_compressed_with_lz4() {
    let app = LocalApp::start().await;
    app.tenant("one").await.message("made", json!({"filler": "x".repeat(20_000)})).await;
    let pool = &app.database().pool;
    let has_lz4: bool = sqlx::query_scalar(
        "SELECT EXISTS (SELECT FROM pg_settings WHERE name = 'default_toast_compression' AND 'lz4' = ANY(enumvals))",
    )
    .fetch_one(pool)
    .await
    .unwrap();
    let found: Vec<String> = sqlx::query_scalar("SELECT pg_column_compression(payload) FROM message")
        .fetch_all(pool)
        .await
        .unwrap();
    assert_eq!(found, [if has_lz4 { "lz4" } else { "pglz" }]);
}
