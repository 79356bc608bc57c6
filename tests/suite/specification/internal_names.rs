//! A tenant does not learn from any answer which names there are in the operator's network, nor where they lead.

use serde_json::json;

use crate::console::watcher::Watcher;
use crate::specification::errors::operations;
use crate::support::{Api, Receiver, Setup, TestApp};

/// What an answer about an internal name must not have.
const TOLD: [&str; 4] = ["egress", "allow_subnets", "127.0.0.1", "::1"];

#[tokio::test]
async fn no_answer_about_an_internal_name_tells_that_it_is_one() {
    let app = Setup::default().without("ALLOW_SUBNETS").with("RETRY_SCHEDULE", "none").start().await;
    let tenant = app.tenant("curious").await;
    let endpoint = json!({"url": "http://localhost:9/", "uid": "main"});
    tenant.api.post(&tenant.path("/endpoint"), &endpoint).await.expect(201);
    let own = app.api().claiming(&json!({"sub": tenant.id, "org": "org_test"}));
    let mut watcher = Watcher::begin(&own, &tenant.path("/live?topics=attempt")).await;
    let message = tenant.message("asked", json!({})).await;
    assert_eq!(watcher.next_of("attempt").await["failure"], "dns");
    app.settled().await;
    let attempts = tenant.api.get(&tenant.path("/attempt/endpoint/main")).await.expect(200);
    assert_eq!(attempts["data"][0]["failure"], "egress_refused", "{attempts}");
    let letters = tenant.dead_letters().await;
    let attempt = attempts["data"][0]["id"].as_str().unwrap();
    let named = [
        ("app_id", &*tenant.id),
        ("endpoint_id", "main"),
        ("msg_id", &*message),
        ("attempt_id", attempt),
        ("id", letters[0]["id"].as_str().unwrap()),
    ];
    let mut answered = 0;
    for operation in operations(&app, &named).await {
        let is_check = operation.name.ends_with("/endpoint/{endpoint_id}/check");
        if !operation.name.starts_with("get ") && !is_check {
            continue;
        }
        let request = operation.request(&own);
        let answer = Api::send(if is_check { request.json(&json!({})) } else { request }).await;
        let found = TOLD.iter().find(|told| answer.text.contains(**told));
        assert_eq!(found, None, "{}: {}", operation.name, answer.text);
        answered += usize::from(answer.status == 200);
    }
    assert!(answered > 15, "{answered} operations answered");
}

#[tokio::test]
async fn where_a_name_leads_within_the_operators_network_is_the_operators() {
    let (app, receiver) = (TestApp::start().await, Receiver::start().await);
    let tenant = app.tenant("curious").await;
    let url = receiver.hook("/one").url;
    let own = app.api().claiming(&json!({"sub": tenant.id, "org": "org_test"}));
    for (uid, url, told) in [
        ("named", url.replace("127.0.0.1", "localhost"), json!(null)),
        ("written", url.clone(), json!("127.0.0.1")),
    ] {
        tenant.api.post(&tenant.path("/endpoint"), &json!({"url": url, "uid": uid})).await.expect(201);
        let check = tenant.path(&format!("/endpoint/{uid}/check"));
        let reached = |answer: serde_json::Value| answer["checks"][0]["address"].clone();
        assert_eq!(reached(own.post(&check, &json!({})).await.expect(200)), told, "{uid}");
        let operators = reached(tenant.api.post(&check, &json!({})).await.expect(200));
        assert_eq!(operators, "127.0.0.1", "{uid}");
    }
}
