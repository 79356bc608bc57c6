//! API keys.

use postrider::domain::clock::Clock;
use reqwest::Method;
use serde_json::{Value, json};

use super::portal;
use crate::support::api::JWT_SECRET;
use crate::support::server::command;
use crate::support::{Api, Database, LocalApp, TestApp, until};

/// The program, from the shell, on that database.
fn shell(database: &Database, arguments: &[&str]) -> (bool, String, String) {
    let variables = [
        ("DATABASE_URL", database.url()),
        ("POSTRIDER_JWT_SECRET", JWT_SECRET),
        ("POSTRIDER_MAIN_SECRET", "the suite's own secret that seals"),
    ];
    let place = tempfile::tempdir().unwrap();
    let output = command().args(arguments).envs(variables).current_dir(place.path()).output().unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap().trim().to_owned();
    (output.status.success(), text(output.stdout), text(output.stderr))
}

async fn make_key(api: &Api, body: Value) -> (String, Value) {
    let made = api.post("/api-key", &body).await.expect(201);
    (made["key"].as_str().unwrap().to_owned(), made)
}

#[tokio::test]
async fn a_key_opens_what_its_role_may_until_it_is_revoked() {
    let app = LocalApp::start().await;
    let (one, other) = (app.tenant("one").await, app.tenant("other").await);
    let environment = app.environment();
    let (text, made) = make_key(&environment, json!({"name": "billing"})).await;
    assert!(text.starts_with("pr_") && text.len() == 46, "{text}");
    assert_eq!((&made["role"], &made["environmentId"]), (&json!("environment"), &json!("org_test")));
    let key = app.api().with_token(&text);
    assert_eq!(key.get("/app").await.expect(200)["data"].as_array().unwrap().len(), 2);
    let message = json!({"eventType": "a", "payload": {}});
    key.post(&one.path("/msg"), &message).await.expect(202);
    let who = key.get("/auth/whoami").await.expect(200);
    assert_eq!(
        (&who["kind"], &who["id"], &who["role"]),
        (&json!("api_key"), &made["id"], &json!("environment"))
    );

    let wishes = json!({"name": "portal", "role": "application", "appId": one.id});
    let (own, _) = make_key(&key, wishes).await;
    let own = app.api().with_token(&own);
    own.get(&one.path("/endpoint")).await.expect(200);
    own.get(&other.path("/endpoint")).await.expect_error(404, "not_found");
    own.get("/app").await.expect_error(403, "forbidden");
    own.post(&one.path("/msg"), &message).await.expect_error(403, "forbidden");
    own.get("/api-key").await.expect_error(403, "forbidden");

    let id = made["id"].as_str().unwrap();
    let shown = environment.get(&format!("/api-key/{id}")).await.expect(200);
    assert_eq!((&shown["key"], &shown["hint"]), (&Value::Null, &json!(text[42..])));
    let listed = environment.all("/api-key", 1).await;
    assert_eq!(listed.len(), 2);
    assert!(listed.iter().all(|key| key["key"].is_null()), "{listed:?}");
    until("its use is written down", || async {
        let shown = environment.get(&format!("/api-key/{id}")).await.expect(200);
        shown["lastUsedAt"].is_string().then_some(())
    })
    .await;

    environment.delete(&format!("/api-key/{id}")).await.expect(204);
    key.get("/app").await.expect_error(401, "authentication_failed");
    environment.delete(&format!("/api-key/{id}")).await.expect(204);
    let shown = environment.get(&format!("/api-key/{id}")).await.expect(200);
    assert!(shown["revokedAt"].is_string(), "{shown}");
    own.get(&one.path("/endpoint")).await.expect(200);

    let actions = "SELECT count(*) FROM audit_log WHERE action = 'api_key.revoked'";
    assert_eq!(app.database().count(actions).await, 1, "once, however often it was asked for");
    let by_key = "SELECT count(*) FROM audit_log WHERE actor_kind = 'api_key' AND action = 'api_key.created'";
    assert_eq!(app.database().count(by_key).await, 1);
    let plain = "SELECT count(*) FROM api_key WHERE encode(hash, 'escape') LIKE '%pr\\_%'";
    assert_eq!(app.database().count(plain).await, 0);
    app.done().await;
}

#[tokio::test]
async fn a_revocation_holds_on_every_node() {
    let app = TestApp::start().await;
    let tenant = app.tenant("one").await;
    let second = app.another_node("second").await;
    let (text, made) = make_key(&app.environment(), json!({"name": "billing"})).await;
    let key = app.api().with_token(&text);
    let there = key.through(&second.address());
    let session = portal(&tenant, json!({})).await;
    let session_there = session.through(&second.address());
    for api in [&key, &there] {
        api.get("/app").await.expect(200);
    }
    for api in [&session, &session_there] {
        api.get(&tenant.path("/endpoint")).await.expect(200);
    }
    let refused = |api: Api, path: String| async move {
        until("the other node refuses it", || async {
            let answer = api.get(&path).await;
            (answer.status == 401).then_some(())
        })
        .await;
    };
    app.environment().delete(&format!("/api-key/{}", made["id"].as_str().unwrap())).await.expect(204);
    key.get("/app").await.expect(401);
    refused(there, "/app".to_owned()).await;
    session_there.post("/auth/logout", &json!({})).await.expect(204);
    session_there.get(&tenant.path("/endpoint")).await.expect(401);
    refused(session, tenant.path("/endpoint")).await;
}

#[tokio::test]
async fn keys_end_and_are_for_one_environment() {
    let app = TestApp::start().await;
    app.tenant("one").await;
    let environment = app.environment();
    let soon = Clock::default().now() + chrono::TimeDelta::hours(1);
    let (text, made) = make_key(&environment, json!({"name": "a", "expiresAt": soon})).await;
    let key = app.api().with_token(&text);
    key.get("/app").await.expect(200);
    let id = made["id"].as_str().unwrap().to_owned();
    // What the cache knows of its end holds as well: another node has not seen it yet.
    sqlx::query("UPDATE api_key SET expires_at = now() - interval '1 second'")
        .execute(&app.database().pool)
        .await
        .unwrap();
    let second = app.another_node("second").await;
    key.through(&second.address()).get("/app").await.expect_error(401, "authentication_failed");

    let stranger = app.api().claiming(&json!({"sub": "org_stranger"}));
    stranger.get(&format!("/api-key/{id}")).await.expect_error(404, "not_found");
    stranger.delete(&format!("/api-key/{id}")).await.expect_error(404, "not_found");
    assert_eq!(stranger.get("/api-key").await.expect(200)["data"], json!([]));
    let wishes = json!({"name": "a", "role": "application", "appId": "app_01h455vb4pex5vsknk084sn02q"});
    environment.post("/api-key", &wishes).await.expect_error(404, "not_found");
    for (body, place) in [
        (json!({"name": "a", "role": "operator"}), "body.role"),
        (json!({"name": "a", "environmentId": "org_stranger"}), "body.environmentId"),
        (json!({"name": "a", "expiresAt": "2020-01-01T00:00:00Z"}), "body.expiresAt"),
        (json!({}), "body.name"),
    ] {
        let found = environment.post("/api-key", &body).await.expect_invalid();
        assert!(found.contains_key(place), "{found:?}");
    }
}

#[tokio::test]
async fn operators_make_keys_for_everybody() {
    let app = LocalApp::start().await;
    let operator = app.operator();
    let made =
        operator.post("/admin/api-key", &json!({"name": "root", "role": "operator"})).await.expect(201);
    let root = app.api().with_token(made["key"].as_str().unwrap());
    assert_eq!(root.get("/auth/whoami").await.expect(200)["role"], "operator");
    let made =
        root.post("/admin/api-key", &json!({"name": "a", "environmentId": "org_new"})).await.expect(201);
    let fresh = app.api().with_token(made["key"].as_str().unwrap());
    fresh.post("/app", &json!({"name": "x"})).await.expect(201);
    let request = root.request(Method::GET, "/app").header("postrider-environment", "org_new");
    assert_eq!(Api::send(request).await.expect(200)["data"].as_array().unwrap().len(), 1);
    root.get("/app").await.expect_error(400, "environment_required");
    assert_eq!(root.all("/admin/api-key", 100).await.len(), 2);
    assert_eq!(root.all("/admin/api-key?environment_id=org_new", 100).await.len(), 1);
    fresh.get("/admin/api-key").await.expect_error(403, "forbidden");
    let id = made["id"].as_str().unwrap();
    fresh.delete(&format!("/admin/api-key/{id}")).await.expect_error(403, "forbidden");
    root.delete(&format!("/admin/api-key/{id}")).await.expect(204);
    fresh.get("/app").await.expect(401);
}

#[tokio::test]
async fn the_first_key_is_made_on_the_command_line() {
    let app = LocalApp::start().await;
    let (success, text, complaint) =
        shell(app.database(), &["api-key", "create", "--role", "operator", "--name", "first"]);
    assert!(success, "{complaint}");
    let root = app.api().with_token(&text);
    let listed = root.all("/admin/api-key", 10).await;
    assert_eq!(listed[0]["name"], "first");
    let (_, text, _) = shell(
        app.database(),
        &["api-key", "create", "--role", "environment", "--env", "org_cli", "--ttl", "1h"],
    );
    let made = app.api().with_token(&text).post("/app", &json!({"name": "x"})).await.expect(201);
    let own = ["api-key", "create", "--role", "application", "--env", "org_cli", "--app"];
    let (_, text, _) = shell(app.database(), &[&own[..], &[made["id"].as_str().unwrap()]].concat());
    assert_eq!(app.api().with_token(&text).get("/auth/whoami").await.expect(200)["appId"], made["id"]);
    let (success, _, complaint) =
        shell(app.database(), &[&own[..], &["app_01h455vb4pex5vsknk084sn02q"]].concat());
    assert!(!success && complaint.contains("org_cli"), "{complaint}");
    let noted = "SELECT count(*) FROM audit_log WHERE actor_kind = 'cli' AND action = 'api_key.created'";
    assert_eq!(app.database().count(noted).await, 3);
}
