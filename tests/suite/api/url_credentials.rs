//! Credentials in an endpoint's URL: sent, kept, and never shown.

use serde_json::json;

use crate::support::{LocalApp, Receiver, Tenant};

/// Posts a message and returns the `authorization` that comes with it.
async fn sent_with(tenant: &Tenant, receiver: &Receiver, path: &str) -> Option<String> {
    let id = tenant.message("a", json!({})).await;
    let came = receiver
        .wait_until("the message", |all| all.iter().any(|one| one.id == id && one.path == path))
        .await;
    let came = came.into_iter().find(|one| one.id == id && one.path == path).unwrap();
    came.headers.get("authorization").map(|value| value.to_str().unwrap().to_owned())
}

#[tokio::test]
async fn credentials_in_a_url_are_sent_and_shown_as_a_mask_that_keeps_them() {
    let (app, receiver) = (LocalApp::start().await, Receiver::start().await);
    let tenant = app.tenant("one").await;
    let mut hook = receiver.hook("/a");
    let plain = hook.url.clone();
    hook.url = plain.replace("http://", "http://us%20er:p%40ss@");
    let masked = plain.replace("http://", "http://********@");
    let endpoint = tenant.endpoint(&hook, json!({})).await;
    let basic = Some("Basic dXMgZXI6cEBzcw==".to_owned());
    assert_eq!(tenant.get_endpoint(&endpoint).await["url"], masked);
    assert_eq!(sent_with(&tenant, &receiver, "/a").await, basic);
    let open = "SELECT count(*) FROM endpoint e WHERE position('p@ss' IN e::text) + position('p%40ss' IN e::text) > 0";
    assert_eq!(app.database().count(open).await, 0, "they are sealed");

    // What was read is written back, whole or in part.
    let one = tenant.path(&format!("/endpoint/{endpoint}"));
    tenant.patch_endpoint(&endpoint, json!({"description": "x"})).await;
    assert_eq!(sent_with(&tenant, &receiver, "/a").await, basic);
    let put = tenant.api.put(&one, &json!({"url": masked, "description": "y"})).await.expect(200);
    assert_eq!(put["url"], masked);
    assert_eq!(sent_with(&tenant, &receiver, "/a").await, basic);
    for attempt in tenant.attempts(&endpoint).await {
        assert_eq!(attempt["url"], plain);
    }

    // They are not sent elsewhere, and go when the URL has none.
    let elsewhere = json!({"url": "http://********@127.0.0.1:9/"});
    let found = tenant.api.patch(&one, &elsewhere).await.expect_invalid();
    assert!(found["body.url"].contains("give them anew"), "{found:?}");
    let changed = json!({"url": plain.replace("http://", "http://other:one@")});
    tenant.patch_endpoint(&endpoint, changed).await;
    assert_eq!(sent_with(&tenant, &receiver, "/a").await.as_deref(), Some("Basic b3RoZXI6b25l"));
    let log = tenant.api.get("/audit-log?action=endpoint.updated&limit=1").await.expect(200);
    assert_eq!(log["data"][0]["details"]["fields"], json!(["url"]));
    assert_eq!(tenant.patch_endpoint(&endpoint, json!({"url": plain})).await["url"], plain);
    assert_eq!(sent_with(&tenant, &receiver, "/a").await, None);
    app.settled().await;
}

#[tokio::test]
async fn a_mask_stands_for_nothing_where_there_is_nothing() {
    let app = LocalApp::start().await;
    let tenant = app.tenant("one").await;
    let path = tenant.path("/endpoint");
    for url in ["https://********@example.com/", "https://a%3Ab:c@example.com/"] {
        let found = tenant.api.post(&path, &json!({"url": url})).await.expect_invalid();
        assert!(found.contains_key("body.url"), "{url}: {found:?}");
    }
}

#[tokio::test]
async fn a_header_of_the_endpoints_own_is_sent_instead() {
    let (app, receiver) = (LocalApp::start().await, Receiver::start().await);
    let tenant = app.tenant("one").await;
    let mut hook = receiver.hook("/a");
    hook.url = hook.url.replace("http://", "http://user:pass@");
    tenant.endpoint(&hook, json!({"headers": {"Authorization": "Bearer mine"}})).await;
    assert_eq!(sent_with(&tenant, &receiver, "/a").await.as_deref(), Some("Bearer mine"));
    app.settled().await;
}
