//! Settings of deliveries that the endpoint, its application, its environment or the server may have.

use serde_json::{Value, json};

use crate::support::receiver::Hook;
use crate::support::{LocalApp, Receiver, Reply, Setup};

const SVIX: [&str; 3] = ["svix-id", "svix-timestamp", "svix-signature"];

/// How often the only message came, and what the dead letter says, after a receiver has answered so.
async fn tried(answer: u16, settings: Value) -> (usize, Value) {
    let app = Setup::default().with("RETRY_SCHEDULE", "10ms,10ms").start_local().await;
    let receiver = Receiver::start().await;
    let tenant = app.tenant("one").await;
    let hook = receiver.hook_that("/a", move |_| Reply::Status(answer));
    tenant.endpoint(&hook, settings).await;
    tenant.message("a", json!({})).await;
    app.settled().await;
    (receiver.received_at(&hook).len(), tenant.dead_letters().await[0]["reason"].clone())
}

#[tokio::test]
async fn what_an_endpoint_does_not_have_tried_again_is_final() {
    let errors_of_the_server = json!({"retryOn": ["network", "timeout", "5xx"]});
    assert_eq!(tried(400, errors_of_the_server.clone()).await, (1, json!("not_retryable")));
    assert_eq!(tried(503, errors_of_the_server).await, (3, json!("exhausted")));
    assert_eq!(tried(400, json!({})).await, (3, json!("exhausted")));
    assert_eq!(tried(422, json!({"retryOn": ["!422"]})).await, (1, json!("not_retryable")));
}

#[tokio::test]
async fn what_is_tried_again_is_set_on_every_level_and_the_nearest_decides() {
    let app = Setup::default().with("RETRY_SCHEDULE", "10ms").with("RETRY_ON", "!500").start_local().await;
    let receiver = Receiver::start().await;
    let tenant = app.tenant("one").await;
    let hook = receiver.hook_that("/a", |_| Reply::Status(500));
    let endpoint = tenant.endpoint(&hook, json!({})).await;
    let mut seen = 0;
    let mut attempts_of_the_next = async || {
        tenant.message("a", json!({})).await;
        app.settled().await;
        let all = receiver.received_at(&hook).len();
        std::mem::replace(&mut seen, all).abs_diff(all)
    };
    assert_eq!(attempts_of_the_next().await, 1, "the server's");
    let api = app.environment();
    let set = json!({"retryOn": ["5xx"]});
    assert_eq!(api.patch("/environment/policy", &set).await.expect(200)["retryOn"], json!(["5xx"]));
    assert_eq!(attempts_of_the_next().await, 2, "the environment's");
    api.patch(&tenant.path(""), &json!({"retryOn": []})).await.expect(200);
    assert_eq!(attempts_of_the_next().await, 1, "the application's");
    tenant.patch_endpoint(&endpoint, json!({"retryOn": ["all"]})).await;
    assert_eq!(attempts_of_the_next().await, 2, "the endpoint's");
    for wrong in [json!(["410"]), json!(["5XX"]), json!("5xx"), json!(vec!["500"; 33])] {
        let body = json!({"retryOn": wrong});
        let found = api.patch(&tenant.path(&format!("/endpoint/{endpoint}")), &body).await.expect_invalid();
        assert!(found.keys().all(|place| place.starts_with("body.retryOn")), "{found:?}");
    }
}

/// Whether the only message came with the signature under the names of Svix, and the right one.
async fn svix_headers(app: &LocalApp, hook: &Hook, receiver: &Receiver, nth: usize) -> bool {
    app.settled().await;
    let headers = receiver.received_at(hook)[nth].headers.clone();
    let there = SVIX.iter().filter(|name| headers.contains_key(**name)).count();
    assert!(SVIX.iter().all(|name| {
        let own = headers.get(name.replace("svix", "webhook"));
        headers.get(*name).is_none_or(|value| Some(value) == own)
    }));
    assert!([0, 3].contains(&there), "{headers:?}");
    there == 3
}

#[tokio::test]
async fn receivers_that_migrate_get_the_headers_that_they_know_as_well() {
    let app = LocalApp::start().await;
    let receiver = Receiver::start().await;
    let tenant = app.tenant("one").await;
    let hook = receiver.hook("/a");
    let endpoint = tenant.endpoint(&hook, json!({})).await;
    let api = app.environment();
    tenant.message("a", json!({})).await;
    assert!(!svix_headers(&app, &hook, &receiver, 0).await);
    api.patch("/environment/policy", &json!({"svixHeaders": true})).await.expect(200);
    tenant.message("a", json!({})).await;
    assert!(svix_headers(&app, &hook, &receiver, 1).await, "for the whole environment");
    tenant.patch_endpoint(&endpoint, json!({"svixHeaders": false})).await;
    tenant.message("a", json!({})).await;
    assert!(!svix_headers(&app, &hook, &receiver, 2).await, "but for those that have moved");
    let log = api.get("/audit-log?action=environment.updated").await.expect(200);
    assert_eq!(log["data"][0]["details"]["fields"], json!(["svixHeaders"]));
}

#[tokio::test]
async fn the_server_may_send_them_to_everybody() {
    let app = Setup::default().with("SVIX_HEADERS", "true").start_local().await;
    let receiver = Receiver::start().await;
    let tenant = app.tenant("one").await;
    let hook = receiver.hook("/a");
    tenant.endpoint(&hook, json!({})).await;
    tenant.message("a", json!({})).await;
    assert!(svix_headers(&app, &hook, &receiver, 0).await);
}

#[tokio::test]
async fn certificates_are_left_unverified_only_where_the_operator_allows_it() {
    for (allowed, status) in [("false", 422), ("true", 201)] {
        let app = Setup::default().with("ALLOW_INSECURE_TLS", allowed).start_local().await;
        let tenant = app.tenant("one").await;
        let body = json!({"url": "https://example.com/", "disabled": true, "insecureTls": true});
        let answer = tenant.api.post(&tenant.path("/endpoint"), &body).await;
        assert_eq!(answer.status, status, "{answer:?}");
        assert!(status != 422 || answer.expect_invalid()["body.insecureTls"].contains("allow_insecure_tls"));
    }
}
