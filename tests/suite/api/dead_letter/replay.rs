//! One dead letter is replayed.

use serde_json::{Value, json};

use super::{Failing, brief, id_of, path_of};
use crate::support::{Receiver, Reply};

#[tokio::test]
async fn replay_goes_only_to_the_endpoint_that_missed_it() {
    let (app, receiver) = (brief().start_local().await, Receiver::start().await);
    let failing = Failing::new(&app, &receiver, "one").await;
    let well = receiver.hook("/well");
    failing.tenant.endpoint(&well, json!({})).await;
    let posted = failing.tenant.raw(r#"{"b":1, "a":2}"#).await.expect(202);
    app.settled().await;
    let letter = failing.only().await;
    assert_eq!(
        (letter["reason"].as_str(), letter["lastStatusCode"].as_i64()),
        (Some("exhausted"), Some(500))
    );

    receiver.now(&failing.hook, |_| Reply::Status(200));
    let answer = app.environment().post(&path_of(&letter, "/replay"), &json!({})).await.expect(202);
    assert_eq!(answer["state"], "replayed");
    app.settled().await;
    let requests = receiver.received_at(&failing.hook);
    assert_eq!(requests.len(), 3);
    assert!(
        requests.iter().all(|request| request.id == id_of(&posted) && request.body == r#"{"b":1, "a":2}"#)
    );
    assert_eq!(receiver.received_at(&well).len(), 1);
    let attempts = failing.tenant.attempts(&failing.endpoint).await;
    assert_eq!((attempts[0]["status"].as_i64(), attempts[0]["triggerType"].as_i64()), (Some(0), Some(1)));
}

#[tokio::test]
async fn a_replay_that_fails_is_an_open_dead_letter_again() {
    let (app, receiver) = (brief().start_local().await, Receiver::start().await);
    let failing = Failing::new(&app, &receiver, "one").await;
    failing.die(&app, 1).await;
    let letter = failing.only().await;
    app.environment().post(&path_of(&letter, "/replay"), &json!({})).await.expect(202);
    app.settled().await;
    let again = failing.only().await;
    assert_eq!(id_of(&again), id_of(&letter));
    assert_ne!(again["diedAt"], letter["diedAt"]);
    let whole = app.environment().get(&path_of(&letter, "")).await.expect(200);
    let numbers: Vec<&Value> =
        whole["attempts"].as_array().unwrap().iter().map(|a| &a["attemptNumber"]).collect();
    assert_eq!(numbers, [2, 1, 2, 1]);
    assert_eq!(whole["payload"], json!({"number": 0}));
}

#[tokio::test]
async fn replay_cannot_be_started_twice_at_once() {
    let (app, receiver) = (brief().start_local().await, Receiver::start().await);
    let failing = Failing::new(&app, &receiver, "one").await;
    failing.die(&app, 1).await;
    let letter = failing.only().await;
    receiver.now(&failing.hook, |_| Reply::Status(200));
    let mut twins = tokio::task::JoinSet::new();
    for _ in 0..8 {
        let (api, path) = (app.environment(), path_of(&letter, "/replay"));
        twins.spawn(async move { api.post(&path, &json!({})).await });
    }
    let (mut started, mut refused) = (0, 0);
    for answer in twins.join_all().await {
        if answer.status == 202 {
            started += 1;
        } else {
            answer.expect_error(409, "already_replayed");
            refused += 1;
        }
    }
    assert_eq!((started, refused), (1, 7));
    app.settled().await;
    assert_eq!(receiver.received_at(&failing.hook).len(), 3);
    app.environment()
        .post(&path_of(&letter, "/replay"), &json!({}))
        .await
        .expect_error(409, "already_replayed");
}

#[tokio::test]
async fn replay_brings_back_what_retention_took() {
    let (app, receiver) = (brief().start_local().await, Receiver::start().await);
    let failing = Failing::new(&app, &receiver, "one").await;
    let ids = failing.die(&app, 1).await;
    let letter = failing.only().await;
    for statement in ["DELETE FROM message", "DELETE FROM delivery"] {
        sqlx::query(statement).execute(&app.database().pool).await.unwrap();
    }
    receiver.now(&failing.hook, |_| Reply::Status(200));
    app.environment().post(&path_of(&letter, "/replay"), &json!({})).await.expect(202);
    let requests = receiver.wait_at(&failing.hook, 3).await;
    assert!(ids.contains(&requests[2].id));
    assert_eq!(requests[2].body, r#"{"number":0}"#);
    app.settled().await;
}

#[tokio::test]
async fn a_dead_letter_of_a_deleted_endpoint_stays_open() {
    let (app, receiver) = (brief().start_local().await, Receiver::start().await);
    let failing = Failing::new(&app, &receiver, "one").await;
    failing.die(&app, 1).await;
    let letter = failing.only().await;
    let path = failing.tenant.path(&format!("/endpoint/{}", failing.endpoint));
    app.environment().delete(&path).await.expect(204);
    app.environment()
        .post(&path_of(&letter, "/replay"), &json!({}))
        .await
        .expect_error(409, "endpoint_deleted");
    assert_eq!(id_of(&failing.only().await), id_of(&letter));
    let preview = app.environment().post("/dead-letter/replay", &json!({"dryRun": true})).await.expect(200);
    assert_eq!(preview["count"], 0);
}
