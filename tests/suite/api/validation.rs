//! What is wrong with a request is told with its place.

use reqwest::Method;
use serde_json::json;

use crate::support::{Api, LocalApp};

#[tokio::test]
async fn what_does_not_validate_is_named() {
    let app = LocalApp::start().await;
    let api = app.environment();
    for (body, place) in [
        (json!({}), "body.name"),
        (json!({"name": ""}), "body.name"),
        (json!({"name": 7}), "body.name"),
        (json!({"name": "a", "uid": "a b"}), "body.uid"),
        (json!({"name": "a", "uid": "app_mine"}), "body.uid"),
        (json!({"name": "a", "uid": "u".repeat(257)}), "body.uid"),
        (json!({"name": "a", "rateLimit": 0}), "body.rateLimit"),
        (json!({"name": "a", "metadata": {"a": 1}}), "body.metadata.a"),
        (json!({"name": "a", "metadata": {"a": "x".repeat(5000)}}), "body.metadata"),
    ] {
        let found = api.post("/app", &body).await.expect_invalid();
        assert!(found.contains_key(place), "{body}: {found:?}");
    }
    let tenant = app.tenant("one").await;
    let endpoints = tenant.path("/endpoint");
    for (body, place) in [
        (json!({}), "body.url"),
        (json!({"url": "nonsense"}), "body.url"),
        (json!({"url": "ftp://example.com/"}), "body.url"),
        (json!({"url": "http://example.com/", "secret": "whsec_c2hvcnQ="}), "body.secret"),
        (json!({"url": "http://example.com/", "channels": ["a b"]}), "body.channels"),
        (json!({"url": "http://example.com/", "headers": {"webhook-id": "x"}}), "body.headers"),
        (json!({"url": "http://example.com/", "headers": {"host": "x"}}), "body.headers"),
    ] {
        let found = tenant.api.post(&endpoints, &body).await.expect_invalid();
        assert!(found.keys().any(|found| found.starts_with(place)), "{body}: {found:?}");
    }
    for query in ["limit=0", "limit=251", "limit=many", "iterator=nonsense", "order=sideways"] {
        let answer = api.get(&format!("/app?{query}")).await;
        assert!([400, 422].contains(&answer.status), "{query}: {answer:?}");
        answer.json();
    }
    api.post_bytes("/app", "nonsense").await.expect_invalid();
}

#[tokio::test]
async fn unknown_paths_and_methods_answer_json() {
    let app = LocalApp::start().await;
    let api = app.environment();
    api.get("/nowhere").await.expect_error(404, "not_found");
    let send = |method, path| Api::send(api.request(method, path));
    send(Method::DELETE, "/app").await.expect_error(405, "method_not_allowed");
    app.api().get("/health/ping").await.expect(204);
    assert_eq!(app.api().get("/health").await.expect(200)["status"], "ok");
    let specification = app.api().get("/openapi.json").await.expect(200);
    assert!(specification["openapi"].as_str().unwrap().starts_with("3.1"));
    assert!(specification["paths"]["/api/v1/app/{app_id}/msg"]["post"].is_object());
    let docs =
        crate::support::api::client().get(format!("http://{}/docs/api", app.address())).send().await.unwrap();
    assert_eq!(docs.status().as_u16(), 200);
}
