//! The audit log: who did what.

use chrono::TimeDelta;
use serde_json::{Value, json};
use sqlx::Row;

use crate::support::store::store as store_of;
use crate::support::{Api, Database, LocalApp, Receiver, Reply, Setup, until};

/// The log, oldest first: `(action, object id, entry)`.
async fn entries(database: &Database) -> Vec<(String, String, Value)> {
    let rows =
        sqlx::query("SELECT action, object_id, to_jsonb(audit_log) AS entry FROM audit_log ORDER BY id")
            .fetch_all(&database.pool)
            .await
            .unwrap();
    rows.into_iter().map(|row| (row.get("action"), row.get("object_id"), row.get("entry"))).collect()
}

async fn actions(database: &Database) -> Vec<String> {
    entries(database).await.into_iter().map(|(action, ..)| action).collect()
}

#[tokio::test]
async fn every_change_is_noted_with_its_actor_and_its_fields() {
    let app = LocalApp::start().await;
    let tenant = app.tenant("one").await;
    let api = &tenant.api;
    let own = app.api().claiming(&json!({"sub": tenant.id, "org": "org_test", "jti": "session-1"}));
    let body = json!({"url": "http://127.0.0.1:9/", "headers": {"authorization": "Bearer hush-1"}});
    let made = own.post(&tenant.path("/endpoint"), &body).await.expect(201);
    let id = made["id"].as_str().unwrap();
    let endpoint = |rest: &str| tenant.path(&format!("/endpoint/{id}{rest}"));
    own.patch(&endpoint(""), &json!({"description": "hush-2", "rateLimit": 5})).await.expect(200);
    let headers = json!({"headers": {"x-key": "hush-3"}});
    api.put(&endpoint("/headers"), &headers).await.expect(204);
    let rotated = api.post(&endpoint("/secret/rotate"), &json!({"gracePeriodSeconds": 60})).await.expect(200);
    api.delete(&endpoint("")).await.expect(204);
    api.patch(&tenant.path(""), &json!({"name": "Uno"})).await.expect(200);
    api.post("/event-type", &json!({"name": "a.b", "description": "x"})).await.expect(201);
    api.patch("/event-type/a.b", &json!({"description": "y"})).await.expect(200);
    api.delete("/event-type/a.b?expunge=true").await.expect(204);
    api.delete(&tenant.path("")).await.expect(204);

    let log = entries(app.database()).await;
    let fields = |at: usize| log[at].2["details"]["fields"].clone();
    let expected = [
        ("environment.created", "org_test"),
        ("application.created", &tenant.id),
        ("endpoint.created", id),
        ("endpoint.updated", id),
        ("endpoint.headers.updated", id),
        ("endpoint.secret.rotated", id),
        ("endpoint.deleted", id),
        ("application.updated", &tenant.id),
        ("event_type.created", "a.b"),
        ("event_type.updated", "a.b"),
        ("event_type.expunged", "a.b"),
        ("application.deleted", &tenant.id),
    ];
    let seen: Vec<_> = log.iter().map(|(action, object, _)| (action.as_str(), object.as_str())).collect();
    assert_eq!(seen, expected);
    assert_eq!(fields(3), json!(["description", "rateLimit"]));
    assert_eq!(fields(4), json!(["x-key", "authorization"]));
    assert_eq!(log[5].2["details"], json!({"gracePeriodSeconds": 60}));
    assert_eq!(fields(7), json!(["name"]));
    for (action, _, entry) in &log {
        assert_eq!(entry["environment_id"], "org_test", "{action}");
        assert!(entry["address"].as_str().unwrap().starts_with("127."), "{entry}");
    }
    let actor = |at: usize| (log[at].2["actor_id"].clone(), log[at].2["actor_role"].clone());
    assert_eq!(actor(2), (json!("session-1"), json!("application")), "a token's own id, when it has one");
    assert_eq!(actor(4), (json!("org_test"), json!("environment")));
    let text = serde_json::to_string(&log.iter().map(|(.., entry)| entry).collect::<Vec<_>>()).unwrap();
    assert!(!text.contains("hush") && !text.contains(rotated["key"].as_str().unwrap()), "{text}");
}

#[tokio::test]
async fn what_did_not_happen_is_not_noted() {
    let app = LocalApp::start().await;
    let tenant = app.tenant("one").await;
    let api = &tenant.api;
    api.post("/app", &json!({"name": "x", "uid": "taken"})).await.expect(201);
    let before = actions(app.database()).await.len();
    api.post("/app", &json!({"name": "x", "uid": "taken"})).await.expect(409);
    api.patch(&tenant.path(""), &json!({"uid": "taken"})).await.expect(409);
    api.delete(&tenant.path("/endpoint/none")).await.expect(404);
    api.post("/dead-letter/dl_01h455vb4pex5vsknk084sn02q/discard", &json!({})).await.expect(404);
    api.delete("/event-type/none?expunge=true").await.expect(404);
    let refused = json!({"url": "http://127.0.0.1:9/", "headers": {"webhook-id": "x"}});
    api.post(&tenant.path("/endpoint"), &refused).await.expect(422);
    assert_eq!(actions(app.database()).await.len(), before);
}

#[tokio::test]
async fn what_changes_nothing_is_not_noted() {
    let app = LocalApp::start().await;
    let tenant = app.tenant("one").await;
    let api = &tenant.api;
    let body = json!({"url": "http://127.0.0.1:9/", "rateLimit": 5, "headers": {"x-key": "a"}});
    let made = api.post(&tenant.path("/endpoint"), &body).await.expect(201);
    let endpoint = tenant.path(&format!("/endpoint/{}", made["id"].as_str().unwrap()));
    api.post("/event-type", &json!({"name": "a.b", "description": "x"})).await.expect(201);
    let before = actions(app.database()).await;
    api.patch(&endpoint, &json!({"rateLimit": 5})).await.expect(200);
    api.put(&format!("{endpoint}/headers"), &json!({"headers": {"x-key": "a"}})).await.expect(204);
    api.patch(&tenant.path(""), &json!({"name": "one"})).await.expect(200);
    api.patch("/event-type/a.b", &json!({"description": "x"})).await.expect(200);
    assert_eq!(actions(app.database()).await, before);
    api.patch(&endpoint, &json!({"rateLimit": 6})).await.expect(200);
    assert_eq!(actions(app.database()).await.len(), before.len() + 1);
}

#[tokio::test]
async fn an_entry_stays_as_it_is_until_retention() {
    let app = LocalApp::start().await;
    app.tenant("one").await;
    let database = app.database();
    for statement in [
        "UPDATE audit_log SET actor_id = 'somebody else'",
        "DELETE FROM audit_log",
        "TRUNCATE audit_log",
        "DO $$ BEGIN PERFORM set_config('postrider.audit_retention', 'on', true); UPDATE audit_log SET address = NULL; END $$",
    ] {
        let refused = sqlx::raw_sql(statement).execute(&database.pool).await.unwrap_err();
        assert!(refused.to_string().contains("only ever added to"), "{statement}: {refused}");
    }
    let store = store_of(database).await;
    assert_eq!(store.upkeep.delete_audit_entries(TimeDelta::hours(1), 100).await.unwrap(), 0);
    assert_eq!(actions(database).await, ["environment.created", "application.created"]);
    assert_eq!(
        store.upkeep.delete_audit_entries(TimeDelta::zero() - TimeDelta::hours(1), 100).await.unwrap(),
        2
    );
    assert!(actions(database).await.is_empty());
}

#[tokio::test]
async fn replays_discards_and_resends_are_noted() {
    let mut app = Setup::default().with("RETRY_SCHEDULE", "none").start_local().await;
    app.leave_work();
    let receiver = Receiver::start().await;
    let tenant = app.tenant("one").await;
    let hook = receiver.hook_that("/failing", |_| Reply::Status(500));
    let endpoint = tenant.endpoint(&hook, json!({})).await;
    let message = tenant.message("a", json!({})).await;
    let letter = until("it is dead", || async { tenant.dead_letters().await.first().cloned() }).await;
    let id = letter["id"].as_str().unwrap();
    tenant.api.post(&format!("/dead-letter/{id}/discard"), &json!({})).await.expect(200);
    tenant.api.post(&tenant.path(&format!("/dead-letter/{id}/replay")), &json!({})).await.expect(202);
    until("it is dead again", || async { tenant.dead_letters().await.first().cloned() }).await;
    let resend = tenant.path(&format!("/msg/{message}/endpoint/{endpoint}/resend"));
    tenant.api.post(&resend, &json!({})).await.expect(202);
    until("it is dead again", || async { tenant.dead_letters().await.first().cloned() }).await;
    tenant.api.post("/dead-letter/discard", &json!({"dryRun": true})).await.expect(200);
    let asked = json!({"endpointId": endpoint});
    let bulk = tenant.api.post("/dead-letter/discard", &asked).await.expect(202);

    let log = entries(app.database()).await;
    let noted: Vec<_> = log.iter().skip(3).map(|(action, object, _)| (&**action, &**object)).collect();
    assert_eq!(
        noted,
        [
            ("dead_letter.discarded", id),
            ("dead_letter.replayed", id),
            ("message.resent", &message),
            ("background_task.created", bulk["id"].as_str().unwrap()),
        ]
    );
    let details = &log.last().unwrap().2["details"];
    assert_eq!(details["kind"], "dead_letter.discard");
    assert_eq!(details["filter"]["endpointId"], endpoint.as_str(), "{details}");
}

#[tokio::test]
async fn an_endpoint_that_is_gone_was_disabled_by_postrider_itself() {
    let mut app = LocalApp::start().await;
    app.leave_work();
    let receiver = Receiver::start().await;
    let tenant = app.tenant("one").await;
    let endpoint = tenant.endpoint(&receiver.hook_that("/gone", |_| Reply::Status(410)), json!({})).await;
    tenant.message("a", json!({})).await;
    let entry = until("it is noted", || async {
        let log = entries(app.database()).await;
        log.into_iter().find(|(action, ..)| action == "endpoint.disabled")
    })
    .await;
    assert_eq!(entry.1, endpoint);
    assert_eq!((&entry.2["actor_kind"], &entry.2["actor_role"]), (&json!("system"), &Value::Null));
    assert_eq!(entry.2["details"]["reason"], "gone");
    assert_eq!((&entry.2["environment_id"], &entry.2["address"]), (&json!("org_test"), &Value::Null));
}

#[tokio::test]
async fn the_address_behind_a_trusted_proxy_is_noted_and_no_other() {
    for (trusted, expected) in [("127.0.0.0/8", "198.51.100.7"), ("10.0.0.0/8", "127.")] {
        let app = Setup::default().with("TRUSTED_PROXIES", trusted).start_local().await;
        let api = app.environment();
        let request = api.request(reqwest::Method::POST, "/app").json(&json!({"name": "x"}));
        Api::send(request.header("x-forwarded-for", "203.0.113.1, 198.51.100.7")).await.expect(201);
        let log = entries(app.database()).await;
        let address = log.last().unwrap().2["address"].as_str().unwrap();
        assert!(address.starts_with(expected), "{address}");
    }
}

#[tokio::test]
async fn an_api_key_is_shown_by_its_name() {
    let app = LocalApp::start().await;
    let api = app.environment();
    let key = api.post("/api-key", &json!({"name": "billing service"})).await.expect(201);
    let by_key = app.api().with_token(key["key"].as_str().unwrap());
    by_key.post("/app", &json!({"name": "x"})).await.expect(201);
    let made = api.get("/audit-log?action=application.created").await.expect(200)["data"][0]["actor"].clone();
    assert_eq!((&made["kind"], &made["id"]), (&json!("api_key"), &key["id"]));
    assert_eq!(made["name"], "billing service");
    let token = api.get("/audit-log?action=api_key.created").await.expect(200)["data"][0]["actor"].clone();
    assert_eq!((&token["kind"], &token["name"]), (&json!("token"), &Value::Null));
}
