//! Content goes when it is told to, everywhere; what it was about stays.

use std::sync::Arc;

use postrider::domain::id::{ApplicationId, MessageId};
use postrider::maintenance::Round;
use serde_json::{Value, json};
use tokio::sync::Notify;

use crate::support::queue::crowded::{crowd, insert_crowded};
use crate::support::store::{MAINTENANCE, store};
use crate::support::{Api, LocalApp, Receiver, Reply, Setup, until};

/// The background task, when it has ended.
async fn ended(api: &Api, task: &Value) -> Value {
    let path = format!("/background-task/{}", task["id"].as_str().unwrap());
    until("the background task ends", || async {
        let task = api.get(&path).await.expect(200);
        (task["status"] != "running").then_some(task)
    })
    .await
}

const PAYLOADS: &str = "SELECT (SELECT count(*) FROM message WHERE payload IS NOT NULL)
    + (SELECT count(*) FROM dead_letter WHERE payload IS NOT NULL)";

#[tokio::test]
async fn an_expunged_message_is_still_there_without_its_payload() {
    let (app, receiver) = (LocalApp::start().await, Receiver::start().await);
    let tenant = app.tenant("one").await;
    let endpoint = tenant.endpoint(&receiver.hook("/well"), json!({})).await;
    let id = tenant.message_of(json!({"eventType": "a", "eventId": "mine", "payload": {"secret": 1}})).await;
    app.settled().await;
    let api = app.environment();
    api.delete(&tenant.path("/msg/mine/content")).await.expect(204);
    let left = api.get(&tenant.path(&format!("/msg/{id}"))).await.expect(200);
    assert_eq!((&left["payload"], &left["eventType"]), (&json!({"expired": true}), &json!("a")));
    api.post(&tenant.path(&format!("/msg/{id}/endpoint/{endpoint}/resend")), &json!({}))
        .await
        .expect_error(409, "content_expunged");
    // It can be said twice.
    api.delete(&tenant.path(&format!("/msg/{id}/content"))).await.expect(204);
    api.delete(&tenant.path("/msg/msg_00000000000000000000000000/content"))
        .await
        .expect_error(404, "not_found");
    let other = app.tenant("two").await;
    api.delete(&other.path(&format!("/msg/{id}/content"))).await.expect_error(404, "not_found");
    let own = app.api().claiming(&json!({"sub": tenant.id, "org": "org_test"}));
    own.delete(&tenant.path(&format!("/msg/{id}/content"))).await.expect_error(403, "forbidden");
}

#[tokio::test]
async fn what_waits_without_a_payload_is_a_dead_letter_and_sends_nothing() {
    let app = Setup::default().with("RETRY_SCHEDULE", "1h").start_local().await;
    let receiver = Receiver::start().await;
    let tenant = app.tenant("one").await;
    let hook = receiver.hook_that("/down", |_| Reply::Status(500));
    tenant.endpoint(&hook, json!({})).await;
    let id = tenant.message("a", json!({"secret": 1})).await;
    until("it waits", || async {
        (app.database().count("SELECT count(*) FROM pending WHERE owner IS NULL").await == 1).then_some(())
    })
    .await;
    app.environment().delete(&tenant.path(&format!("/msg/{id}/content"))).await.expect(204);
    app.done().await;
    let open = tenant.dead_letters().await;
    assert_eq!((open.len(), &open[0]["reason"]), (1, &json!("unsendable")));
    assert_eq!(receiver.received_at(&hook).len(), 1);
    assert_eq!(app.database().count(PAYLOADS).await, 0);
}

#[tokio::test]
async fn dead_letters_lose_their_copy_even_when_retention_took_the_message() {
    let app = Setup::default().with("RETRY_SCHEDULE", "20ms").start_local().await;
    let receiver = Receiver::start().await;
    let tenant = app.tenant("one").await;
    tenant.endpoint(&receiver.hook_that("/down", |_| Reply::Status(500)), json!({})).await;
    let id = tenant.message("a", json!({"secret": 1})).await;
    app.settled().await;
    sqlx::raw_sql("DELETE FROM message; DELETE FROM delivery").execute(&app.database().pool).await.unwrap();
    let api = app.environment();
    let letter = tenant.dead_letters().await.remove(0);
    let path = format!("/dead-letter/{}", letter["id"].as_str().unwrap());
    assert_eq!(api.get(&path).await.expect(200)["payload"], json!({"secret": 1}));
    api.delete(&tenant.path(&format!("/msg/{id}/content"))).await.expect(204);
    assert_eq!(api.get(&path).await.expect(200)["payload"], Value::Null);
    api.post(&format!("{path}/replay"), &json!({})).await.expect_error(409, "content_expunged");
}

#[tokio::test]
async fn what_a_receiver_answered_goes_alone() {
    let (app, receiver) = (LocalApp::start().await, Receiver::start().await);
    let tenant = app.tenant("one").await;
    let endpoint = tenant.endpoint(&receiver.hook("/well"), json!({})).await;
    let message = tenant.message("a", json!({"kept": true})).await;
    app.settled().await;
    let attempt = tenant.attempts(&endpoint).await.remove(0);
    let path = tenant.path(&format!("/msg/{message}/attempt/{}", attempt["id"].as_str().unwrap()));
    let api = app.environment();
    api.delete(&format!("{path}/content")).await.expect(204);
    let left = api.get(&path).await.expect(200);
    assert_eq!((&left["response"], &left["responseStatusCode"]), (&json!(""), &json!(200)));
    let kept = api.get(&tenant.path(&format!("/msg/{message}"))).await.expect(200);
    assert_eq!(kept["payload"], json!({"kept": true}));
    let unknown = path.replace(attempt["id"].as_str().unwrap(), "atmpt_00000000000000000000000000");
    api.delete(&format!("{unknown}/content")).await.expect_error(404, "not_found");
}

#[tokio::test]
async fn many_are_expunged_by_name_and_all_by_a_background_task() {
    let app = Setup::default().with("RETRY_SCHEDULE", "20ms").start_local().await;
    let receiver = Receiver::start().await;
    let (tenant, other) = (app.tenant("one").await, app.tenant("two").await);
    tenant.endpoint(&receiver.hook_that("/down", |_| Reply::Status(500)), json!({})).await;
    let ids = [tenant.message("a", json!({})).await, tenant.message("a", json!({})).await];
    tenant.message("a", json!({})).await;
    other.message("a", json!({})).await;
    app.settled().await;
    let api = app.environment();
    let body = json!({"ids": [ids[0], "nobody"]});
    let done = api.post(&tenant.path("/msg/bulk-expunge"), &body).await.expect(200);
    assert_eq!(done["results"], json!({&ids[0]: "expunged", "nobody": "not-found"}));
    assert_eq!(app.database().count(PAYLOADS).await, 3 + 2);

    let task = api.post(&tenant.path("/msg/expunge-all-contents"), &json!({})).await.expect(202);
    assert_eq!(task["task"], "application.purge_content");
    let task = ended(&api, &task).await;
    assert_eq!((&task["status"], &task["data"]["messagesPurged"]), (&json!("finished"), &json!(2)));
    assert_eq!(app.database().count(PAYLOADS).await, 1, "the other tenant's");
}

#[tokio::test]
async fn a_payload_is_kept_as_long_as_was_asked() {
    let app = LocalApp::start().await;
    let tenant = app.tenant("one").await;
    tenant.message("a", json!({"n": 0})).await;
    let short = json!({"eventType": "a", "payload": {"n": 1}, "payloadRetentionHours": 5});
    let long = json!({"eventType": "a", "payload": {"n": 2}, "payloadRetentionPeriod": 2});
    for body in [&short, &long] {
        app.environment().post(&tenant.path("/msg"), body).await.expect(202);
    }
    let count = |hours: u32| {
        format!(
            "SELECT count(*) FROM payload_expiry WHERE again AND expires_at > now() + interval '{hours} hours' - interval '5 minutes'"
        )
    };
    for (hours, number) in [(0, 2), (5, 2), (6, 1), (48, 1), (49, 0)] {
        let found: i64 = sqlx::query_scalar(sqlx::AssertSqlSafe(count(hours)))
            .fetch_one(&app.database().pool)
            .await
            .unwrap();
        assert_eq!(found, number, "{hours}");
    }
    // Time passes.
    sqlx::raw_sql("UPDATE payload_expiry SET expires_at = expires_at - interval '6 hours'")
        .execute(&app.database().pool)
        .await
        .unwrap();
    let store = store(app.database()).await;
    until("a node does the maintenance", || async {
        postrider::maintenance::run(&store.upkeep, MAINTENANCE, Round::Minutely).await.unwrap().then_some(())
    })
    .await;
    let list = app.environment().all(&tenant.path("/msg"), 10).await;
    let payloads: Vec<&Value> = list.iter().map(|message| &message["payload"]).collect();
    assert_eq!(payloads, [&json!({"n": 2}), &json!({"expired": true}), &json!({"n": 0})]);
    for wrong in [
        json!({"payloadRetentionHours": 0}),
        json!({"payloadRetentionPeriod": 4000}),
        json!({"payloadRetentionHours": 5, "payloadRetentionPeriod": 1}),
    ] {
        let mut body = json!({"eventType": "a", "payload": {}});
        body.as_object_mut().unwrap().extend(wrong.as_object().unwrap().clone());
        app.environment().post(&tenant.path("/msg"), &body).await.expect_invalid();
    }
}

#[tokio::test]
async fn what_receivers_repeated_of_a_message_goes_with_it() {
    let app = Setup::default().with("RETRY_SCHEDULE", "20ms").start_local().await;
    let receiver = Receiver::start().await;
    let tenant = app.tenant("one").await;
    let echo = "you sent 4111111111111111";
    let hook = receiver.hook_that("/echo", move |_| Reply::With(500, "server", echo.to_owned()));
    let endpoint = tenant.endpoint(&hook, json!({})).await;
    let body = json!({"eventType": "a", "payload": {"card": "4111111111111111"},
        "transformationsParams": {"headers": {"x-card": "4111111111111111"}}});
    let id = tenant.message_of(body).await;
    let kept = tenant.message("a", json!({})).await;
    app.settled().await;
    let left = "SELECT (SELECT count(*) FROM attempt a WHERE position('4111' IN a::text) > 0)
        + (SELECT count(*) FROM message m WHERE position('4111' IN m.headers::text) > 0)
        + (SELECT count(*) FROM dead_letter l WHERE position('4111' IN l.headers::text) > 0)";
    assert_eq!(app.database().count(left).await, 6, "four attempts, a message and a dead letter");
    app.environment().delete(&tenant.path(&format!("/msg/{id}/content"))).await.expect(204);
    assert_eq!(app.database().count(left).await, 2, "those of the other message");
    for attempt in tenant.attempts(&endpoint).await {
        assert_eq!(attempt["response"] == "", attempt["msgId"] == id.as_str(), "{attempt}");
        assert_eq!(attempt["responseStatusCode"], 500, "that there was an answer stays");
    }
    for letter in tenant.dead_letters().await {
        let path = tenant.path(&format!("/dead-letter/{}", letter["id"].as_str().unwrap()));
        let shown = app.environment().get(&path).await.expect(200);
        let answers =
            shown["attempts"].as_array().unwrap().iter().filter(|one| one["response"] != "").count();
        assert_eq!(answers, if letter["msgId"] == kept.as_str() { 2 } else { 0 }, "{shown}");
    }
    // The task that takes everything away takes the rest.
    let task =
        app.environment().post(&tenant.path("/msg/expunge-all-contents"), &json!({})).await.expect(202);
    ended(&app.environment(), &task).await;
    assert_eq!(app.database().count(left).await, 0);
}

/// Does what maintenance does once the minute is over that it waits for.
async fn after_a_minute(app: &LocalApp) {
    sqlx::raw_sql("UPDATE payload_expiry SET expires_at = now()")
        .execute(&app.database().pool)
        .await
        .unwrap();
    let store = store(app.database()).await;
    until("a node does the maintenance", || async {
        postrider::maintenance::run(&store.upkeep, MAINTENANCE, Round::Minutely).await.unwrap().then_some(())
    })
    .await;
}

#[tokio::test]
async fn what_is_answered_long_after_an_expunge_goes_as_well() {
    let (app, receiver) = (LocalApp::start().await, Receiver::start().await);
    let tenant = app.tenant("one").await;
    let told = Arc::new(Notify::new());
    let waits_for = told.clone();
    let echo = Box::new(Reply::With(200, "server", "you sent 4111111111111111".to_owned()));
    let hook = receiver.hook_that("/slow", move |_| Reply::Once(waits_for.clone(), echo.clone()));
    tenant.endpoint(&hook, json!({})).await;
    let api = app.environment();
    let answers = "SELECT count(*) FROM attempt a WHERE position('4111' IN a::text) > 0";
    for nth in 1..=2 {
        let id = tenant.message("a", json!({"card": "4111111111111111"})).await;
        receiver.wait_at(&hook, nth).await;
        if nth == 1 {
            api.delete(&tenant.path(&format!("/msg/{id}/content"))).await.expect(204);
        } else {
            let all = api.post(&tenant.path("/msg/expunge-all-contents"), &json!({})).await.expect(202);
            ended(&api, &all).await;
        }
        after_a_minute(&app).await;
        told.notify_one();
        app.settled().await;
        assert_eq!(app.database().count(answers).await, 1, "it was recorded after that");
        after_a_minute(&app).await;
        assert_eq!(app.database().count(answers).await, 0);
        assert_eq!(app.database().count("SELECT count(*) FROM payload_expiry").await, 0, "nothing is left");
    }
}

#[tokio::test]
async fn what_receivers_answered_goes_however_often_they_were_asked() {
    let mut app = LocalApp::start().await;
    app.leave_work();
    let (one, two) = (app.tenant("one").await, app.tenant("two").await);
    let pool = &app.database().pool;
    crowd(pool, 5_000).await;
    for tenant in [&one, &two] {
        let id: ApplicationId = tenant.id.parse().unwrap();
        insert_crowded(pool, id.uuid(), 2, 3_000, false).await;
    }
    let api = app.environment();
    let task = api.post(&one.path("/msg/expunge-all-contents"), &json!({})).await.expect(202);
    let task = ended(&api, &task).await;
    assert_eq!((&task["status"], &task["data"]["messagesPurged"]), (&json!("finished"), &json!(2)));
    let left = "SELECT count(*) FROM attempt WHERE response_body IS NOT NULL";
    assert_eq!(app.database().count(left).await, 6_000, "the other tenant's");

    let all_on_one = "WITH one AS (SELECT id FROM message WHERE payload IS NOT NULL LIMIT 1)
                      UPDATE attempt a SET message_id = one.id FROM one WHERE a.response_body IS NOT NULL";
    sqlx::raw_sql("DROP FUNCTION at_most CASCADE; DROP FUNCTION insert_crowded").execute(pool).await.unwrap();
    sqlx::raw_sql(all_on_one).execute(pool).await.unwrap();
    crowd(pool, 5_000).await;
    let message: uuid::Uuid =
        sqlx::query_scalar("SELECT message_id FROM attempt WHERE response_body IS NOT NULL LIMIT 1")
            .fetch_one(pool)
            .await
            .unwrap();
    let path = two.path(&format!("/msg/{}/content", MessageId::from(message)));
    api.delete(&path).await.expect(204);
    assert_eq!(app.database().count(left).await, 0);
}
