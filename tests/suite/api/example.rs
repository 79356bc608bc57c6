//! Examples of event types, and the question whether a message would go anywhere.

use serde_json::json;

use crate::support::{LocalApp, Receiver};

#[tokio::test]
async fn an_example_goes_to_one_endpoint_alone() {
    let (app, receiver) = (LocalApp::start().await, Receiver::start().await);
    let tenant = app.tenant("one").await;
    let (mine, other) = (receiver.hook("/mine"), receiver.hook("/other"));
    let endpoint = tenant.endpoint(&mine, json!({"filterTypes": ["another.type"]})).await;
    tenant.endpoint(&other, json!({})).await;
    let api = app.environment();
    let told =
        json!({"name": "a.told", "description": "", "schemas": {"1": {"examples": [{"n": 1}, {"n": 2}]}}});
    let shaped = json!({"name": "a.shaped", "description": "", "schemas": {
        "1": {"type": "object", "properties": {"n": {"type": "integer"}}}}});
    for event_type in [told, shaped, json!({"name": "a.bare", "description": ""})] {
        api.post("/event-type", &event_type).await.expect(201);
    }
    // Tenants may, too.
    let own = app.api().claiming(&json!({"sub": tenant.id, "org": "org_test"}));
    let path = tenant.path(&format!("/endpoint/{endpoint}/send-example"));
    for (body, payload) in [
        (json!({"eventType": "a.told"}), json!({"n": 1})),
        (json!({"eventType": "a.told", "exampleIndex": 1}), json!({"n": 2})),
        (json!({"eventType": "a.shaped"}), json!({"n": 0})),
        (json!({"eventType": "a.bare", "payload": {"my": "own"}}), json!({"my": "own"})),
    ] {
        let sent = own.post(&path, &body).await.expect(202);
        assert_eq!((&sent["payload"], &sent["eventType"]), (&payload, &body["eventType"]));
        let id = sent["id"].as_str().unwrap().to_owned();
        let came = receiver.wait_until("the example", |all| all.iter().any(|one| one.id == id)).await;
        let came = came.iter().find(|one| one.id == id).unwrap();
        assert_eq!(serde_json::from_slice::<serde_json::Value>(&came.body).unwrap(), payload);
    }
    app.settled().await;
    assert!(receiver.received_at(&other).is_empty());
    for wrong in [
        json!({"eventType": "a.bare"}),
        json!({"eventType": "a.never"}),
        json!({"eventType": "a.told", "exampleIndex": 7}),
        json!({"eventType": "a.bare", "payload": []}),
        json!({}),
    ] {
        own.post(&path, &wrong).await.expect_invalid();
    }
    let unknown = tenant.path("/endpoint/nobody/send-example");
    own.post(&unknown, &json!({"eventType": "a.told"})).await.expect_error(404, "not_found");
}

#[tokio::test]
async fn a_producer_can_ask_whether_a_message_would_go_anywhere() {
    let (app, receiver) = (LocalApp::start().await, Receiver::start().await);
    let tenant = app.tenant("one").await;
    tenant.endpoint(&receiver.hook("/one"), json!({"filterTypes": ["a"], "channels": ["eu"]})).await;
    let closed = json!({"filterTypes": ["b"], "disabled": true});
    tenant.endpoint(&receiver.hook("/two"), closed).await;
    let api = app.environment();
    for (body, active) in [
        (json!({"eventType": "a", "channels": ["us", "eu"]}), true),
        (json!({"eventType": "a", "channels": ["us"]}), false),
        (json!({"eventType": "a"}), false),
        (json!({"eventType": "b", "channels": ["eu"]}), false),
    ] {
        let answer = api.post(&tenant.path("/msg/precheck/active"), &body).await.expect(200);
        assert_eq!(answer, json!({"active": active}), "{body}");
    }
}
