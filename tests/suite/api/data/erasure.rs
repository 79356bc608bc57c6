//! Erasing leaves nothing of what was meant, everything else, and a proof that counts.

use std::sync::Arc;

use postrider::domain::id::{ApplicationId, MessageId};
use serde_json::{Value, json};
use tokio::sync::Notify;

use super::ended;
use crate::support::queue::crowded::{crowd, insert_crowded};
use crate::support::{LocalApp, Receiver, Reply, Setup, Tenant, until};

/// Rows by table, of all tenants.
async fn rows(app: &LocalApp) -> Vec<(String, i64)> {
    sqlx::query_as(
        "SELECT 'messages', count(*) FROM message UNION ALL SELECT 'deliveries', count(*) FROM delivery
         UNION ALL SELECT 'attempts', count(*) FROM attempt UNION ALL SELECT 'deadLetters', count(*) FROM dead_letter
         UNION ALL SELECT 'waiting', count(*) FROM pending UNION ALL SELECT 'eventIds', count(*) FROM message_event_id
         UNION ALL SELECT 'endpoints', count(*) FROM endpoint UNION ALL SELECT 'secrets', count(*) FROM endpoint_secret
         UNION ALL SELECT 'inboxes', count(*) FROM inbox",
    )
    .fetch_all(&app.database().pool)
    .await
    .unwrap()
}

/// What is gone since, as the proof has it.
async fn gone(app: &LocalApp, before: &[(String, i64)]) -> Value {
    let after = rows(app).await;
    let differences =
        before.iter().zip(after).map(|((name, before), (_, after))| (name.clone(), json!(before - after)));
    Value::Object(differences.collect())
}

/// A tenant with an endpoint that answers, one that fails, one that is closed, and messages of two people.
async fn busy(app: &LocalApp, receiver: &Receiver, name: &str) -> Tenant {
    let tenant = app.tenant(name).await;
    let hook = |path: &str| format!("/{name}{path}");
    tenant.endpoint(&receiver.hook(&hook("/well")), json!({})).await;
    tenant.endpoint(&receiver.hook_that(&hook("/ill"), |_| Reply::Status(500)), json!({})).await;
    tenant
        .endpoint(
            &receiver.hook(&hook("/closed")),
            json!({"disabled": true, "headers": {"x-secret": "hush"}}),
        )
        .await;
    for (number, person) in ["anna", "ben", "anna", "ben", "anna"].into_iter().enumerate() {
        let id = format!("{person}-{number}");
        let body =
            json!({"eventType": "a", "eventId": id, "tags": [person, "all"], "payload": {"person": person}});
        tenant.message_of(body).await;
    }
    tenant
}

async fn setup() -> (LocalApp, Receiver) {
    // Maintenance would take what a deleted application left.
    let setup = Setup::default().with("RETRY_SCHEDULE", "100ms").with("ROLES", "api,dispatcher");
    let mut app = setup.start_local().await;
    app.leave_work();
    (app, Receiver::start().await)
}

#[tokio::test]
async fn everything_with_a_tag_goes_and_the_proof_does_not_say_who_it_was() {
    let (app, receiver) = setup().await;
    let api = app.environment();
    let (one, two) = (busy(&app, &receiver, "one").await, busy(&app, &receiver, "two").await);
    app.settled().await;
    // One dead letter has outlived its message.
    let outlived = "WITH gone AS (DELETE FROM message WHERE event_id = 'anna-4' AND application_id = (SELECT id FROM application WHERE name = 'two') RETURNING id),
                         queued AS (DELETE FROM pending p USING gone WHERE p.message_id = gone.id)
                    DELETE FROM delivery d USING gone WHERE d.message_id = gone.id";
    sqlx::raw_sql(outlived).execute(&app.database().pool).await.unwrap();
    let before = rows(&app).await;
    let asked = json!({"tag": "anna", "note": "a request of a person's"});
    let task = api.post("/erasure", &asked).await.expect(202);
    let done = ended(&api, &task).await;
    assert_eq!(
        (&done["status"], &done["kind"], &done["note"]),
        (&json!("finished"), &json!("tag.erase"), &asked["note"])
    );
    let erased = &done["data"]["erased"];
    assert_eq!(erased["deadLetters"], 6);
    assert_eq!(
        (&erased["messages"], &erased["waiting"], &erased["attempts"]),
        (&json!(5), &json!(5), &json!(18))
    );
    assert_eq!(erased, &gone(&app, &before).await);
    let left = "SELECT (SELECT count(*) FROM message WHERE 'anna' = ANY(tags) OR payload::text LIKE '%anna%')
                     + (SELECT count(*) FROM dead_letter WHERE 'anna' = ANY(tags)) + (SELECT count(*) FROM background_task WHERE filter::text LIKE '%anna%')
                     + (SELECT count(*) FROM message_event_id WHERE event_id LIKE 'anna%')
                     + (SELECT count(*) FROM audit_log WHERE details::text || object_id LIKE '%anna%')";
    assert_eq!(app.database().count(left).await, 0);
    assert_eq!(
        app.database()
            .count("SELECT count(*) FROM message WHERE 'ben' = ANY(tags) AND payload IS NOT NULL")
            .await,
        4
    );
    let proof = api.all("/audit-log?action=tag.erased", 10).await.remove(0);
    assert_eq!((&proof["details"]["erased"], proof["objectId"].as_str().unwrap().len()), (erased, 64));
    assert_eq!(proof["objectId"], done["data"]["filter"]["tagHash"]);
    assert_eq!(done["data"]["filter"].as_object().unwrap().len(), 1, "the tag itself is forgotten");
    let made = api.all("/audit-log?action=background_task.created", 10).await.remove(0);
    assert_eq!(made["details"]["filter"], json!({"tagHash": proof["objectId"]}));
    // Only of one application.
    let task = api.post("/erasure", &json!({"tag": "all", "appId": one.id})).await.expect(202);
    assert_eq!(ended(&api, &task).await["data"]["erased"]["messages"], 2);
    assert_eq!(api.get(&two.path("/msg")).await.expect(200)["data"].as_array().unwrap().len(), 2);
}

#[tokio::test]
async fn a_message_goes_with_all_that_came_of_it_and_its_event_id_is_free() {
    let (app, receiver) = setup().await;
    let api = app.environment();
    let (one, two) = (busy(&app, &receiver, "one").await, busy(&app, &receiver, "two").await);
    app.settled().await;
    let before = rows(&app).await;
    let task = api.post("/erasure", &json!({"appId": one.id, "msgId": "anna-0"})).await.expect(202);
    let done = ended(&api, &task).await;
    assert_eq!(done["data"]["erased"], gone(&app, &before).await);
    assert_eq!(done["data"]["erased"]["deliveries"], 3);
    api.get(&one.path("/msg/anna-0")).await.expect_error(404, "not_found");
    api.get(&two.path("/msg/anna-0")).await.expect(200);
    let proof = api.all("/audit-log?action=message.erased", 10).await.remove(0);
    assert_eq!((&proof["appId"], &proof["details"]["erased"]), (&json!(one.id), &done["data"]["erased"]));
    let again = json!({"eventType": "a", "eventId": "anna-0", "payload": {}});
    api.post(&one.path("/msg"), &again).await.expect(202);

    let own = app.api().claiming(&json!({"sub": one.id, "org": "org_test"}));
    own.post("/erasure", &json!({"appId": one.id})).await.expect_error(403, "forbidden");
    let elsewhere = app.api().claiming(&json!({"sub": "org_other"}));
    elsewhere.post("/erasure", &json!({"appId": one.id})).await.expect_error(404, "not_found");
    api.post("/erasure", &json!({"appId": one.id, "msgId": "nobody"})).await.expect_error(404, "not_found");
    for wrong in [
        json!({}),
        json!({"msgId": "x"}),
        json!({"tag": "a b"}),
        json!({"tag": "x".repeat(129)}),
        json!({"appId": one.id, "who": 1}),
    ] {
        assert_eq!(api.post("/erasure", &wrong).await.status, 422, "{wrong}");
    }
}

#[tokio::test]
async fn an_application_goes_with_everything_that_it_had() {
    let (app, receiver) = setup().await;
    let api = app.environment();
    let (one, two) = (busy(&app, &receiver, "one").await, busy(&app, &receiver, "two").await);
    for tenant in [&one, &two] {
        api.post("/inbox", &json!({"appId": tenant.id})).await.expect(201);
    }
    app.settled().await;
    let before = rows(&app).await;
    let task = api.post("/erasure", &json!({"appId": one.id})).await.expect(202);
    let done = ended(&api, &task).await;
    assert_eq!(done["data"]["erased"], gone(&app, &before).await);
    assert_eq!(
        (&done["data"]["erased"]["messages"], &done["data"]["erased"]["endpoints"]),
        (&json!(5), &json!(3))
    );
    let after = rows(&app).await;
    let half: Vec<i64> = before.iter().map(|(_, rows)| rows / 2).collect();
    assert_eq!(after.iter().map(|(_, rows)| *rows).collect::<Vec<_>>(), half, "the other has what it had");
    api.get(&one.path("")).await.expect_error(404, "not_found");
    let named = "SELECT count(*) FROM application WHERE deleted_at IS NOT NULL AND name = '' AND uid IS NULL";
    assert_eq!(app.database().count(named).await, 1);
    let proof = api.all("/audit-log?action=application.erased", 10).await.remove(0);
    assert_eq!((&proof["objectId"], &proof["details"]["task"]), (&json!(one.id), &done["id"]));
    // It can be asked for again, by its id: nothing is left to go.
    let task = api.post("/erasure", &json!({"appId": one.id})).await.expect(202);
    let erased = ended(&api, &task).await["data"]["erased"].clone();
    assert!(erased.as_object().unwrap().values().all(|count| *count == 0), "{erased}");
}

/// What is on its way at that moment is answered; the answer is not kept.
#[tokio::test]
async fn an_erasure_ends_when_nothing_is_on_its_way_any_more() {
    let (app, receiver) = setup().await;
    let tenant = app.tenant("one").await;
    let answer = Arc::new(Notify::new());
    let told = answer.clone();
    let hook = receiver.hook_that("/slow", move |_| Reply::Once(told.clone(), Box::new(Reply::Status(200))));
    tenant.endpoint(&hook, json!({})).await;
    tenant.message_of(json!({"eventType": "a", "tags": ["anna"], "payload": {"person": "anna"}})).await;
    receiver.wait_at(&hook, 1).await;
    let api = app.environment();
    let task = api.post("/erasure", &json!({"tag": "anna"})).await.expect(202);
    let emptied = "SELECT count(*) FROM message WHERE payload IS NULL";
    until("its content is gone", || async { (app.database().count(emptied).await == 1).then_some(()) }).await;
    let path = format!("/background-task/{}", task["id"].as_str().unwrap());
    assert_eq!(api.get(&path).await.expect(200)["status"], "running");
    answer.notify_one();
    let done = ended(&api, &task).await;
    assert_eq!(
        (&done["data"]["erased"]["messages"], &done["data"]["erased"]["attempts"]),
        (&json!(1), &json!(1))
    );
    assert!(
        rows(&app)
            .await
            .iter()
            .all(|(name, rows)| *rows == 0 || ["endpoints", "secrets"].contains(&name.as_str()))
    );
}

/// Thousands of endpoints, each with something that waits and an attempt: the first chunk is too much, and is halved.
#[tokio::test]
async fn an_erasure_ends_however_much_hangs_on_a_message() {
    let (app, _receiver) = setup().await;
    let tenant = app.tenant("one").await;
    let pool = &app.database().pool;
    crowd(pool, 2_600).await;
    let id: ApplicationId = tenant.id.parse().unwrap();
    insert_crowded(pool, id.uuid(), 1, 3_000, true).await;
    let before = rows(&app).await;
    let api = app.environment();
    let task = api.post("/erasure", &json!({"appId": tenant.id})).await.expect(202);
    let done = ended(&api, &task).await;
    assert_eq!(done["status"], "finished", "{done}");
    let erased = &done["data"]["erased"];
    assert_eq!(erased, &gone(&app, &before).await);
    for what in ["waiting", "deliveries", "attempts"] {
        assert_eq!(erased[what], 3_000, "{what}");
    }
}

#[tokio::test]
async fn dead_letters_of_a_message_are_erased_however_many_they_are() {
    let (app, _receiver) = setup().await;
    let tenant = app.tenant("one").await;
    let pool = &app.database().pool;
    crowd(pool, 5_000).await;
    let id: ApplicationId = tenant.id.parse().unwrap();
    insert_crowded(pool, id.uuid(), 1, 6_000, false).await;
    let die = "INSERT INTO dead_letter (id, environment_id, application_id, endpoint_id, message_id, event_type, reason, attempts)
               SELECT gen_random_uuid(), 'org_test', m.application_id, d.endpoint_id, m.id, 'a.b', 'exhausted', 7
               FROM delivery d JOIN message m ON m.id = d.message_id;
               UPDATE message SET event_id = 'crowded'";
    sqlx::raw_sql(die).execute(pool).await.unwrap();
    let api = app.environment();
    let before = rows(&app).await;
    let name: String = MessageId::from(
        sqlx::query_scalar::<_, uuid::Uuid>("SELECT id FROM message").fetch_one(pool).await.unwrap(),
    )
    .to_string();
    let task = api.post("/erasure", &json!({"appId": tenant.id, "msgId": name})).await.expect(202);
    let done = ended(&api, &task).await;
    assert_eq!(done["data"]["erased"], gone(&app, &before).await);
    assert_eq!(done["data"]["erased"]["deadLetters"], 6_000);
}
