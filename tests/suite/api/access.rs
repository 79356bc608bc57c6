//! Who gets in, with what, and how they are shut out again.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use postrider::domain::clock::Clock;
use reqwest::Method;
use serde_json::{Value, json};

use crate::support::api::JWT_SECRET;
use crate::support::server::command;
use crate::support::{Api, Database, Setup, Tenant, TestApp, until};

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

fn operator(app: &TestApp) -> Api {
    app.api().claiming(&json!({"sub": "operator"}))
}

async fn make_key(api: &Api, body: Value) -> (String, Value) {
    let made = api.post("/api-key", &body).await.expect(201);
    (made["key"].as_str().unwrap().to_owned(), made)
}

/// A portal's token of these wishes.
async fn portal(tenant: &Tenant, wishes: Value) -> Api {
    let path = format!("/auth/app-portal-access/{}", tenant.id);
    let made = tenant.api.post(&path, &wishes).await.expect(200);
    tenant.api.with_token(made["token"].as_str().unwrap())
}

#[tokio::test]
async fn a_key_opens_what_its_role_may_until_it_is_revoked() {
    let app = TestApp::start().await;
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
    let app = TestApp::start().await;
    let operator = operator(&app);
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
    let app = TestApp::start().await;
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

#[tokio::test]
async fn a_portal_link_carries_a_token_that_is_the_tenants_own() {
    let app = Setup::default().with("PUBLIC_URL", "https://hooks.example.com/").start().await;
    let (tenant, other) = (app.tenant("one").await, app.tenant("other").await);
    let path = format!("/auth/app-portal-access/{}", tenant.id);
    let wishes = json!({"expiry": 3600, "featureFlags": ["beta"], "sessionId": "user_7"});
    let made = tenant.api.post(&path, &wishes).await.expect(200);
    let url = made["url"].as_str().unwrap();
    let key = url.strip_prefix("https://hooks.example.com/portal/#key=").unwrap_or_else(|| panic!("{url}"));
    let key: Value = serde_json::from_slice(&STANDARD.decode(key).unwrap()).unwrap();
    assert_eq!(key["appId"], tenant.id.as_str());
    assert_eq!(key["token"], made["token"]);
    assert_eq!(key["serverUrl"], "https://hooks.example.com");

    let session = app.api().with_token(made["token"].as_str().unwrap());
    let who = session.get("/auth/whoami").await.expect(200);
    assert_eq!((&who["role"], &who["appId"]), (&json!("application"), &json!(tenant.id)));
    assert_eq!((&who["featureFlags"], &who["sessionId"]), (&json!(["beta"]), &json!("user_7")));
    assert_eq!(who["capabilities"].as_array().unwrap().len(), 6);
    let ends: chrono::DateTime<chrono::Utc> = who["expiresAt"].as_str().unwrap().parse().unwrap();
    let left = ends - Clock::default().now();
    assert!(left <= chrono::TimeDelta::seconds(3600) && left > chrono::TimeDelta::seconds(3400), "{left}");
    session.get(&tenant.path("/endpoint")).await.expect(200);
    session.get(&other.path("/endpoint")).await.expect_error(404, "not_found");
    session.post(&path, &json!({})).await.expect_error(403, "forbidden");

    let older =
        tenant.api.post(&format!("/auth/dashboard-access/{}", tenant.id), &json!({})).await.expect(200);
    app.api().with_token(older["token"].as_str().unwrap()).get(&tenant.path("")).await.expect(200);
    tenant.api.post("/auth/app-portal-access/nobody", &json!({})).await.expect_error(404, "not_found");
    let upsert = json!({"application": {"name": "Fresh"}});
    let made = tenant.api.post("/auth/app-portal-access/fresh", &upsert).await.expect(200);
    let fresh = app.api().with_token(made["token"].as_str().unwrap());
    assert_eq!(fresh.get("/app/fresh").await.expect(200)["name"], "Fresh");
    let again = json!({"application": {"name": "Other"}});
    tenant.api.post("/auth/app-portal-access/fresh", &again).await.expect(200);
    assert_eq!(fresh.get("/app/fresh").await.expect(200)["name"], "Fresh", "what is there stays");
    for wrong in
        [json!({"expiry": 60}), json!({"capabilities": ["ManageEndpoint"]}), json!({"capabilities": ["X"]})]
    {
        tenant.api.post(&path, &wrong).await.expect_invalid();
    }
}

#[tokio::test]
async fn a_portal_token_does_what_it_allows_and_nothing_else() {
    let app = TestApp::start().await;
    let tenant = app.tenant("one").await;
    let body = json!({"url": "http://127.0.0.1:9/"});
    let endpoint = tenant.api.post(&tenant.path("/endpoint"), &body).await.expect(201);
    let path = |rest: &str| tenant.path(&format!("/endpoint/{}{rest}", endpoint["id"].as_str().unwrap()));
    let replay = tenant.path("/dead-letter/dl_01h455vb4pex5vsknk084sn02q/replay");
    for (wishes, expected) in [
        (json!({}), [200, 200, 200, 404]),
        (json!({"readOnly": true}), [403, 403, 403, 403]),
        (json!({"capabilities": ["ViewBase"]}), [403, 403, 403, 403]),
        (json!({"capabilities": ["ViewBase", "ViewEndpointSecret"]}), [200, 403, 403, 403]),
        (json!({"capabilities": ["ViewBase", "ManageEndpointSecret"]}), [200, 200, 403, 403]),
        (json!({"capabilities": ["ViewBase", "ManageEndpoint"]}), [200, 200, 200, 403]),
        (json!({"capabilities": ["ViewBase", "CreateAttempts"]}), [403, 403, 403, 404]),
    ] {
        let api = portal(&tenant, wishes.clone()).await;
        api.get(&path("")).await.expect(200);
        let seen = [
            api.get(&path("/secret")).await.status,
            api.post(&path("/secret/rotate"), &json!({})).await.status,
            api.patch(&path(""), &json!({"description": "x"})).await.status,
            api.post(&replay, &json!({})).await.status,
        ];
        assert_eq!(seen, expected, "{wishes}");
        api.post("/auth/logout", &json!({})).await.expect(204);
        api.get(&path("")).await.expect_error(401, "authentication_failed");
    }
}

#[tokio::test]
async fn tokens_of_an_application_are_taken_back_by_session_or_all_at_once() {
    let app = TestApp::start().await;
    let (tenant, other) = (app.tenant("one").await, app.tenant("other").await);
    let a = portal(&tenant, json!({"sessionId": "a"})).await;
    let b = portal(&tenant, json!({"sessionId": "b"})).await;
    let bare = app.api().claiming(&json!({"sub": tenant.id, "org": "org_test"}));
    let stranger = portal(&other, json!({"sessionId": "a"})).await;
    let status = |api: Api| async move { api.get("/auth/whoami").await.status };
    let expire = format!("/auth/app/{}/expire-all", tenant.id);
    a.post(&expire, &json!({})).await.expect_error(403, "forbidden");
    tenant.api.post(&expire, &json!({"sessionIds": ["a"]})).await.expect(204);
    assert_eq!([status(a.clone()).await, status(b.clone()).await], [401, 200]);
    assert_eq!([status(bare.clone()).await, status(stranger.clone()).await], [200, 200]);
    let again = portal(&tenant, json!({"sessionId": "a"})).await;
    assert_eq!(status(again.clone()).await, 200, "what is issued later holds");

    tenant.api.post(&expire, &json!({"expiry": 3600})).await.expect(204);
    assert_eq!([status(b.clone()).await, status(again.clone()).await], [200, 200], "they go on for an hour");
    assert_eq!(status(a.clone()).await, 401, "what was taken back stays so");
    Api::send(tenant.api.request(Method::POST, &expire)).await.expect(204);
    for api in [a, b, bare, again] {
        assert_eq!(status(api).await, 401);
    }
    assert_eq!([status(stranger).await, status(tenant.api.clone()).await], [200, 200]);
    let left = "SELECT count(*) FROM token_cutoff";
    assert_eq!(app.database().count(left).await, 1, "the last one makes the others superfluous");
    tenant.api.post(&expire, &json!({"expiry": 604_801})).await.expect_invalid();
}

#[tokio::test]
async fn a_portal_shows_the_event_types_that_its_flags_show() {
    let app = TestApp::start().await;
    let tenant = app.tenant("one").await;
    for (name, flags) in [("plain", json!(null)), ("beta", json!(["beta"])), ("alpha", json!(["alpha"]))] {
        let body = json!({"name": name, "description": "x", "featureFlags": flags});
        tenant.api.post("/event-type", &body).await.expect(201);
    }
    for (wishes, expected) in
        [(json!({}), vec!["plain"]), (json!({"featureFlags": ["beta"]}), vec!["beta", "plain"])]
    {
        let api = portal(&tenant, wishes).await;
        let listed = api.all("/event-type", 1).await;
        let names: Vec<_> = listed.iter().map(|it| it["name"].as_str().unwrap()).collect();
        assert_eq!(names, expected);
        api.get("/event-type/plain").await.expect(200);
        api.get("/event-type/alpha").await.expect_error(404, "not_found");
    }
    assert_eq!(tenant.api.all("/event-type", 10).await.len(), 3);
}

#[tokio::test]
async fn logging_out_ends_one_token_alone() {
    let app = TestApp::start().await;
    let tenant = app.tenant("one").await;
    let (a, b) = (portal(&tenant, json!({})).await, portal(&tenant, json!({})).await);
    a.post_once("/auth/logout", "auto_1", &json!({})).await.expect(204);
    a.get("/auth/whoami").await.expect_error(401, "authentication_failed");
    b.get("/auth/whoami").await.expect(200);
    tenant.api.post("/auth/logout", &json!({})).await.expect_error(403, "forbidden");
    let logouts = "SELECT count(*) FROM token_logout WHERE expires_at > now()";
    assert_eq!(app.database().count(logouts).await, 1);
}
