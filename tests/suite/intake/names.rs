//! Names that stand in paths.

use http::Method;
use serde_json::json;

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
