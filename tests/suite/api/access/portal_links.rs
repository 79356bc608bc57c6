//! Portal links, whose tokens are a tenant's.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use postrider::domain::clock::Clock;
use serde_json::{Value, json};

use super::portal;
use crate::support::{LocalApp, Setup};

#[tokio::test]
async fn a_portal_link_carries_a_token_that_is_the_tenants_own() {
    let app = Setup::default().with("PUBLIC_URL", "https://hooks.example.com/").start_local().await;
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
    let app = LocalApp::start().await;
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
async fn a_portal_shows_the_event_types_that_its_flags_show() {
    let app = LocalApp::start().await;
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
