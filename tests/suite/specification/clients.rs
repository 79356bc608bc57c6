//! What the client libraries of the API that we serve expect, and their users with them: names, examples, and quick answers
//! about what is not served.

use reqwest::Method;
use serde_json::{Value, json};

use crate::support::{Api, LocalApp, Receiver};

#[tokio::test]
async fn an_environment_may_have_dashes_and_underscores_in_its_name() {
    let app = LocalApp::start().await;
    for name in ["org_my-env", "org_a_b", "org_demo"] {
        let api = app.api().claiming(&json!({"sub": name}));
        assert_eq!(api.get("/auth/whoami").await.expect(200)["environmentId"], name);
        api.post("/app", &json!({"name": name})).await.expect(201);
        let made = app.operator().post("/admin/environment", &json!({"id": name})).await.expect(200);
        assert_eq!(made["id"], name);
    }
    app.api()
        .claiming(&json!({"sub": "org_a.b"}))
        .get("/app")
        .await
        .expect_error(401, "authentication_failed");
}

#[tokio::test]
async fn an_object_may_be_named_like_an_id_of_another_kind() {
    let (app, receiver) = (LocalApp::start().await, Receiver::start().await);
    let api = app.environment();
    for uid in ["org_2abc", "key_1", "msg_1", "ep_1"] {
        let made = api.post("/app", &json!({"name": "x", "uid": uid})).await.expect(201);
        assert_eq!(api.get(&format!("/app/{uid}")).await.expect(200)["id"], made["id"]);
    }
    let tenant = app.tenant("one").await;
    let endpoint = json!({"url": receiver.hook("/a").url, "uid": "app_1"});
    api.post(&tenant.path("/endpoint"), &endpoint).await.expect(201);
    api.get(&tenant.path("/endpoint/app_1")).await.expect(200);
    let message = json!({"eventType": "a", "eventId": "evt_1-app_1", "payload": {}});
    api.post(&tenant.path("/msg"), &message).await.expect(202);
    api.post("/app", &json!({"name": "x", "uid": "app_1"})).await.expect_invalid();
    api.post(&tenant.path("/endpoint"), &json!({"url": "https://x.example/", "uid": "ep_1"}))
        .await
        .expect_invalid();
    let message = json!({"eventType": "a", "eventId": "msg_1", "payload": {}});
    api.post(&tenant.path("/msg"), &message).await.expect_invalid();
    app.settled().await;
}

#[tokio::test]
async fn a_ping_can_be_sent_without_a_catalogue() {
    let (app, receiver) = (LocalApp::start().await, Receiver::start().await);
    let tenant = app.tenant("one").await;
    let hook = receiver.hook("/a");
    let endpoint = tenant.endpoint(&hook, json!({})).await;
    let path = tenant.path(&format!("/endpoint/{endpoint}/send-example"));
    let sent = app.environment().post(&path, &json!({"eventType": "svix.ping"})).await.expect(202);
    assert_eq!(sent["payload"], json!({"success": true}));
    assert_eq!(receiver.wait_at(&hook, 1).await[0].body, r#"{"success":true}"#);
    // What the catalogue says of it comes first.
    let own = json!({"name": "svix.ping", "description": "", "schemas": {"1": {"examples": [{"mine": 1}]}}});
    app.environment().post("/event-type", &own).await.expect(201);
    let sent = app.environment().post(&path, &json!({"eventType": "svix.ping"})).await.expect(202);
    assert_eq!(sent["payload"], json!({"mine": 1}));
    app.settled().await;
}

#[tokio::test]
async fn a_link_to_the_portal_makes_no_application_under_another_name() {
    let app = LocalApp::start().await;
    let api = app.environment();
    let access = |uid: &str| json!({"application": {"name": "One", "uid": uid}});
    let found = api.post("/auth/app-portal-access/one", &access("two")).await.expect_invalid();
    assert!(found.contains_key("body.application.uid"), "{found:?}");
    api.get("/app/one").await.expect_error(404, "not_found");
    api.post("/auth/app-portal-access/one", &access("one")).await.expect(200);
    api.get("/app/one").await.expect(200);
    // As with messages, also where the application is there.
    api.post("/auth/app-portal-access/one", &access("two")).await.expect_invalid();
}

#[tokio::test]
async fn what_is_not_served_is_answered_so_that_no_library_tries_again() {
    let app = LocalApp::start().await;
    let tenant = app.tenant("one").await;
    let table: toml::Table = include_str!("../../clients/operations.toml").parse().unwrap();
    let specification = app.api().get("/openapi.json").await.expect(200);
    let mut calls = Vec::new();
    collect_calls(&toml::Value::Table(table), &mut calls);
    assert!(calls.len() > 30, "where is the table?");
    for call in calls {
        let (method, path) = call.split_once(' ').unwrap();
        let served = specification["paths"].get(path).is_some();
        let path = path.replace("{app_id}", &tenant.id);
        let path: Vec<&str> =
            path.split('/').map(|part| if part.starts_with('{') { "none" } else { part }).collect();
        let url = format!("http://{}{}", app.address(), path.join("/"));
        let method: Method = method.parse().unwrap();
        let request =
            crate::support::api::client().request(method, url).bearer_auth(app.environment().token());
        let answer = Api::send(request).await;
        // A method may be missing at a path that is there.
        let expected = if served { (405, "method_not_allowed") } else { (404, "not_implemented") };
        answer.expect_error(expected.0, expected.1);
    }
}

/// The calls of the table that are not served.
fn collect_calls(entry: &toml::Value, calls: &mut Vec<String>) {
    let Some(table) = entry.as_table() else { return };
    let served = table.get("served").and_then(toml::Value::as_bool);
    if let (Some(false), Some(call)) = (served, table.get("call").and_then(toml::Value::as_str)) {
        calls.push(call.to_owned());
    }
    table.values().for_each(|inner| collect_calls(inner, calls));
}

#[tokio::test]
async fn an_operator_finds_the_header_that_names_an_environment_described() {
    let app = LocalApp::start().await;
    let specification = app.api().get("/openapi.json").await.expect(200);
    for (path, item) in specification["paths"].as_object().unwrap() {
        for (method, operation) in item.as_object().unwrap() {
            let parameters = operation["parameters"].as_array().cloned().unwrap_or_default();
            let is_there =
                parameters.iter().any(|one| one["name"] == "postrider-environment" && one["in"] == "header");
            assert_eq!(is_there, operation.get("security").is_none(), "{method} {path}");
        }
    }
    // Whoever it is: what can be no environment is refused, and not passed over.
    for api in [app.operator(), app.environment()] {
        for wrong in ["", "0", "org_a b"] {
            let request = api.request(Method::GET, "/app").header("postrider-environment", wrong);
            let refused = Api::send(request).await.expect_invalid();
            assert!(refused.contains_key("header.postrider-environment"), "{refused:?}");
        }
    }
    let within = app.operator().request(Method::GET, "/app").header("postrider-environment", "org_my-env");
    assert_eq!(Api::send(within).await.expect(200)["data"], Value::Array(Vec::new()));
}
