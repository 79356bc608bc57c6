//! Tokens that were taken back before they end.

use postrider::domain::clock::Clock;
use reqwest::Method;
use serde_json::json;

use super::portal;
use crate::support::{Api, LocalApp};

#[tokio::test]
async fn tokens_of_an_application_are_taken_back_by_session_or_all_at_once() {
    let app = LocalApp::start().await;
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

/// Whoever signs may have a clock that is a little ahead of ours.
#[tokio::test]
async fn a_token_of_a_clock_that_is_ahead_is_taken_back_as_well() {
    let app = LocalApp::start().await;
    let tenant = app.tenant("one").await;
    let soon = Clock::default().now().timestamp() + 3;
    let ahead = app.api().claiming(&json!({"sub": tenant.id, "org": "org_test", "iat": soon}));
    ahead.get("/auth/whoami").await.expect(200);
    let expire = format!("/auth/app/{}/expire-all", tenant.id);
    Api::send(tenant.api.request(Method::POST, &expire)).await.expect(204);
    ahead.get("/auth/whoami").await.expect_error(401, "authentication_failed");
}

#[tokio::test]
async fn logging_out_ends_one_token_alone() {
    let app = LocalApp::start().await;
    let tenant = app.tenant("one").await;
    let (a, b) = (portal(&tenant, json!({})).await, portal(&tenant, json!({})).await);
    a.post_once("/auth/logout", "auto_1", &json!({})).await.expect(204);
    a.get("/auth/whoami").await.expect_error(401, "authentication_failed");
    b.get("/auth/whoami").await.expect(200);
    tenant.api.post("/auth/logout", &json!({})).await.expect_error(403, "forbidden");
    let logouts = "SELECT count(*) FROM token_logout WHERE expires_at > now()";
    assert_eq!(app.database().count(logouts).await, 1);
}

#[tokio::test]
async fn a_session_is_taken_back_however_many_were_before() {
    let app = LocalApp::start().await;
    let tenant = app.tenant("one").await;
    let (x, other) =
        (portal(&tenant, json!({"sessionId": "x"})).await, portal(&tenant, json!({"sessionId": "s7"})).await);
    sqlx::raw_sql(
        "INSERT INTO token_cutoff (id, application_id, session_id, issued_until, effective_at)
         SELECT gen_random_uuid(), a.id, 's' || n, now() - interval '1 day', now() - interval '1 day'
         FROM application a, generate_series(1, 20000) n WHERE a.name = 'one'",
    )
    .execute(&app.database().pool)
    .await
    .unwrap();
    let expire = format!("/auth/app/{}/expire-all", tenant.id);
    tenant.api.post(&expire, &json!({"sessionIds": ["x", "x"]})).await.expect(204);
    x.get("/auth/whoami").await.expect_error(401, "authentication_failed");
    other.get("/auth/whoami").await.expect(200);
    tenant.api.post(&expire, &json!({"sessionIds": ["x", "s7"]})).await.expect(204);
    other.get("/auth/whoami").await.expect_error(401, "authentication_failed");
    let left = "SELECT count(*) FROM token_cutoff";
    assert_eq!(app.database().count(left).await, 20_001, "one for each session");
    tenant.api.post(&expire, &json!({})).await.expect(204);
    assert!(app.database().count(left).await < 20_001, "the rest goes in the night");
}
