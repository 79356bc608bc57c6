//! Names that stand in paths.

use http::Method;
use serde_json::{Value, json};

use crate::support::store::store;
use crate::support::{Api, TestApp};

const DOTS: [&str; 3] = [".", "..", "..."];

#[tokio::test]
async fn no_name_is_dots_alone() {
    let app = TestApp::start().await;
    let api = app.environment();
    let tenant = app.tenant("named").await;
    let endpoint = json!({"url": "https://example.com/", "uid": "main", "disabled": true});
    api.post(&tenant.path("/endpoint"), &endpoint).await.expect(201);
    for name in DOTS {
        let places = api.post("/app", &json!({"name": "x", "uid": name})).await.expect_invalid();
        assert!(places.contains_key("body.uid"), "{places:?}");
        let own = tenant.path("");
        api.put(&own, &json!({"name": "x", "uid": name})).await.expect_invalid();
        api.patch(&own, &json!({"uid": name})).await.expect_invalid();
        let with_uid = json!({"url": "https://example.com/", "uid": name});
        api.post(&tenant.path("/endpoint"), &with_uid).await.expect_invalid();
        api.put(&tenant.path("/endpoint/main"), &with_uid).await.expect_invalid();
        api.patch(&tenant.path("/endpoint/main"), &json!({"uid": name})).await.expect_invalid();
        api.post("/operational-webhook/endpoint", &with_uid).await.expect_invalid();
        api.post("/event-type", &json!({"name": name, "description": ""})).await.expect_invalid();
        let spec = json!({"spec": {"webhooks": {name: {"post": {"description": ""}}}}});
        api.post("/event-type/import/openapi", &spec).await.expect_invalid();
        let message = |field: &str| {
            let mut message = json!({"eventType": "a", "payload": {}});
            message[field] = json!(name);
            message
        };
        api.post(&tenant.path("/msg"), &message("eventId")).await.expect_invalid();
        api.post(&tenant.path("/msg"), &message("eventType")).await.expect_invalid();
        let channels = json!({"eventType": "a", "payload": {}, "channels": [name]});
        api.post(&tenant.path("/msg"), &channels).await.expect_invalid();
        let created = json!({"eventType": "a", "payload": {}, "application": {"name": "x", "uid": name}});
        api.post("/app/new/msg", &created).await.expect_invalid();
        let access = json!({"application": {"name": "x", "uid": name}});
        api.post("/auth/app-portal-access/new", &access).await.expect_invalid();
    }
}

/// Sends a path as it stands, which no client library would.
async fn send_as_it_stands(api: &Api, address: &str, method: &str, path: &str) -> u16 {
    use tokio::io::AsyncWriteExt as _;
    let mut connection = tokio::net::TcpStream::connect(address).await.unwrap();
    let head = format!(
        "{method} /api/v1{path} HTTP/1.1\r\nhost: postrider\r\nauthorization: Bearer {}\r\n\
         content-type: application/json\r\ncontent-length: 2\r\n\r\n{{}}",
        api.token()
    );
    connection.write_all(head.as_bytes()).await.unwrap();
    super::raw::status(&super::raw::answer(&mut connection).await.unwrap().0)
}

#[tokio::test]
async fn dots_in_a_path_reach_nothing() {
    let app = TestApp::start().await;
    let api = app.environment();
    let tenant = app.tenant("still there").await;
    for dots in ["..", "%2e%2e", ".%2E", ".", "%2e", "..."] {
        for (method, path) in [
            ("DELETE", format!("/app/{}/endpoint/{dots}", tenant.id)),
            ("DELETE", format!("/app/{dots}")),
            ("PUT", format!("/app/{dots}")),
            ("PUT", format!("/event-type/{dots}")),
            ("GET", format!("/app/{}/msg/{dots}", tenant.id)),
            ("POST", format!("/app/{dots}/dead-letter/discard")),
            ("POST", format!("/app/{}/{dots}/{}/msg", tenant.id, tenant.id)),
        ] {
            let status = send_as_it_stands(&api, &app.address(), method, &path).await;
            assert_eq!(status, 404, "{method} {path}");
        }
    }
    Api::send(api.request(Method::GET, &tenant.path(""))).await.expect(200);
}

/// Some clients take the dots off its end, and ask for something else then.
#[tokio::test]
async fn no_new_name_ends_with_a_dot() {
    let app = TestApp::start().await;
    let api = app.environment();
    let tenant = app.tenant("named").await;
    let endpoint = json!({"url": "https://example.com/", "uid": "a.", "disabled": true});
    let message = json!({"eventType": "a", "payload": {}, "eventId": "a."});
    let document = json!({"spec": {"webhooks": {"a.": {"post": {"description": ""}}}}});
    for (path, body) in [
        ("/app".to_owned(), json!({"name": "x", "uid": "a."})),
        (tenant.path("/endpoint"), endpoint.clone()),
        ("/operational-webhook/endpoint".to_owned(), endpoint.clone()),
        (tenant.path("/msg"), message),
        ("/event-type".to_owned(), json!({"name": "a.", "description": ""})),
        ("/event-type/import/openapi".to_owned(), document),
    ] {
        let places = api.post(&path, &body).await.expect_invalid();
        assert!(places.values().any(|said| said == "must not end with a dot"), "{path}: {places:?}");
    }
    for path in ["/app/a.".to_owned(), tenant.path("/endpoint/a."), "/event-type/a.".to_owned()] {
        let body = json!({"name": "x", "url": "https://example.com/", "description": ""});
        let known: Vec<&str> = match &*path {
            "/app/a." => vec!["name"],
            "/event-type/a." => vec!["description"],
            _ => vec!["url", "description"],
        };
        let body: serde_json::Map<String, Value> =
            known.into_iter().map(|name| (name.to_owned(), body[name].clone())).collect();
        api.put(&path, &Value::Object(body)).await.expect_invalid();
    }
    // What messages are called by is no name in a path.
    api.post(&tenant.path("/msg"), &json!({"eventType": "a.", "payload": {}})).await.expect(202);
}

#[tokio::test]
async fn names_from_before_that_end_with_a_dot_are_found() {
    let app = TestApp::start().await;
    let tenant = app.tenant("older").await;
    let endpoint = json!({"url": "https://example.com/", "uid": "main", "disabled": true});
    tenant.api.post(&tenant.path("/endpoint"), &endpoint).await.expect(201);
    sqlx::query("UPDATE endpoint SET uid = 'a.'").execute(&app.database().pool).await.unwrap();
    let found = store(app.database()).await.configuration.unreachable_names(10).await.unwrap();
    let found: Vec<_> = found.iter().map(|found| (&*found.kind, &*found.name)).collect();
    assert_eq!(found, [("endpoint", "a.")]);
}

/// Whatever stands in a path, the answer is one of ours.
#[tokio::test]
async fn a_path_that_is_no_text_is_answered_in_json() {
    let app = TestApp::start().await;
    let operator = app.api().claiming(&json!({"sub": "operator", "org": "org_test"}));
    let specification = operator.get("/openapi.json").await.expect(200);
    let mut paths: Vec<&str> = specification["paths"].as_object().unwrap().keys().map(|it| &**it).collect();
    paths.push("/api/v1/portal/logo/{name}");
    for path in paths.iter().filter(|path| path.contains('{')) {
        for method in [Method::GET, Method::POST, Method::DELETE] {
            let parts = path.strip_prefix("/api/v1").unwrap().split('/');
            let bad: Vec<&str> = parts.map(|part| if part.starts_with('{') { "%ff" } else { part }).collect();
            let answer = Api::send(operator.request(method.clone(), &bad.join("/"))).await;
            let said = serde_json::from_str::<Value>(&answer.text);
            assert!(said.is_ok_and(|said| said["code"].is_string()), "{method} {path}: {}", answer.text);
        }
    }
}
