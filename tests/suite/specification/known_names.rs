//! No operation takes a name that it does not have, be it in the query or in the body: a filter that is misspelt would mean
//! everything, and a field that is misspelt would be lost.

use serde_json::{Value, json};

use crate::specification::errors::operations;
use crate::support::{Api, LocalApp, TestApp};

/// A caller who may do what the operation does.
fn caller(app: &TestApp, operation: &str) -> Api {
    let operator = app.api().claiming(&json!({"sub": "operator", "org": "org_test"}));
    if operation.contains("/admin/") { operator } else { app.environment() }
}

#[tokio::test]
async fn every_operation_refuses_a_parameter_that_it_does_not_have() {
    let mut app = TestApp::start().await;
    app.leave_work();
    for mut operation in operations(&app, &[]).await {
        let joint = if operation.path.contains('?') { '&' } else { '?' };
        operation.path = format!("{}{joint}no_such_parameter=1", operation.path);
        let request = operation.request(&caller(&app, &operation.name));
        let answer = Api::send(match &operation.body {
            Some(body) => request.json(body),
            None => request,
        });
        let found = answer.await.expect_invalid();
        assert!(found.contains_key("query.no_such_parameter"), "{}: {found:?}", operation.name);
    }
}

#[tokio::test]
async fn every_operation_refuses_a_field_that_it_does_not_have() {
    let mut app = TestApp::start().await;
    app.leave_work();
    let tenant = app.tenant("one").await;
    let endpoint = json!({"url": "https://example.com/hook", "uid": "main", "disabled": true});
    tenant.api.post(&tenant.path("/endpoint"), &endpoint).await.expect(201);
    tenant.api.post("/operational-webhook/endpoint", &endpoint).await.expect(201);
    let mut asked = 0;
    let [rule, channel] = &tenant.alerts().await;
    let named =
        [("app_id", &*tenant.id), ("endpoint_id", "main"), (rule.0, &*rule.1), (channel.0, &*channel.1)];
    for operation in operations(&app, &named).await {
        let Some(Value::Object(mut fields)) = operation.body.clone() else { continue };
        fields.insert("noSuchField".to_owned(), json!(1));
        let request = operation.request(&caller(&app, &operation.name)).json(&fields);
        let found = Api::send(request).await.expect_invalid();
        assert!(found.contains_key("body.noSuchField"), "{}: {found:?}", operation.name);
        asked += 1;
    }
    assert!(asked > 20, "operations with a body were not found");
}

#[tokio::test]
async fn what_was_meant_is_said() {
    let app = LocalApp::start().await;
    let tenant = app.tenant("one").await;
    let api = app.environment();
    for (path, place, meant) in [
        ("/dead-letter?appId=x".to_owned(), "query.appId", "app_id"),
        (tenant.path("/msg?event_type=a"), "query.event_type", "event_types"),
        (tenant.path("/endpoint?limits=3"), "query.limits", "limit"),
        (tenant.path("/msg?channel[]=a"), "query.channel[]", "channel"),
    ] {
        let found = api.get(&path).await.expect_invalid();
        assert!(found[place].contains(&format!("did you mean `{meant}`?")), "{path}: {found:?}");
    }
    let message = |more: Value| {
        let mut body = json!({"eventType": "a", "payload": {}});
        body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        body
    };
    let batch = |more: Value| json!({"messages": [message(more)]});
    let (messages, batches) = (tenant.path("/msg"), tenant.path("/msg/batch"));
    for (path, body, place, meant) in [
        (&messages, message(json!({"evnetId": "x"})), "body.evnetId", "eventId"),
        (&messages, message(json!({"application": {"nmae": "x"}})), "body.application.nmae", "name"),
        (
            &tenant.path("/endpoint"),
            json!({"url": "https://x.example/", "chanels": []}),
            "body.chanels",
            "channels",
        ),
        (&"/app".to_owned(), json!({"name": "x", "meta_data": {}}), "body.meta_data", "metadata"),
    ] {
        let found = api.post(path, &body).await.expect_invalid();
        assert_eq!(found[place], format!("is not known; did you mean `{meant}`?"), "{path}");
    }
    let results = api.post(&batches, &batch(json!({"Tags": ["a"]}))).await.expect(202);
    let refused = &results["data"][0]["error"]["detail"][0];
    assert_eq!(refused["loc"], json!(["body", "messages", "0", "Tags"]), "{results}");
    // What is the caller's own may be called anything.
    let free = message(json!({"payload": {"anything": {"goes": 1}}, "transformationsParams": {"own": 1}}));
    api.post(&messages, &free).await.expect(202);
    app.settled().await;
}
