//! Browsers: pages on listed origins may call the API, and no others. Spoken by hand, as a browser speaks.

use serde_json::json;

use crate::support::api::mint;
use crate::support::{LocalApp, Setup};

/// What a browser would be told: the status and the headers that begin with `access-control-`.
async fn browser(app: &LocalApp, request: &str) -> (u16, std::collections::BTreeMap<String, String>) {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    let mut connection = tokio::net::TcpStream::connect(app.address()).await.unwrap();
    connection.write_all(request.replace('\n', "\r\n").as_bytes()).await.unwrap();
    let mut answer = String::new();
    connection.read_to_string(&mut answer).await.unwrap();
    let head = answer.split("\r\n\r\n").next().unwrap();
    let status = head.split(' ').nth(1).unwrap().parse().unwrap();
    let headers = head.lines().skip(1).filter_map(|line| line.split_once(": "));
    let of_cors = headers.filter(|(name, _)| name.to_lowercase().starts_with("access-control-"));
    (status, of_cors.map(|(name, value)| (name.to_lowercase(), value.to_owned())).collect())
}

fn preflight(path: &str, origin: &str, method: &str) -> String {
    format!(
        "OPTIONS {path} HTTP/1.1\nHost: x\nOrigin: {origin}\nAccess-Control-Request-Method: {method}\n\
         Access-Control-Request-Headers: authorization,content-type,idempotency-key\nConnection: close\n\n"
    )
}

fn real(path: &str, origin: &str, token: &str) -> String {
    format!(
        "GET {path} HTTP/1.1\nHost: x\nOrigin: {origin}\nAuthorization: Bearer {token}\nConnection: close\n\n"
    )
}

const ALLOW_ORIGIN: &str = "access-control-allow-origin";

#[tokio::test]
async fn browsers_may_call_from_the_listed_origins_alone() {
    let listed = ["https://portal.example.com", "http://localhost:3000"];
    let app = Setup::default().with("CORS_ORIGINS", &listed.join(",")).start_local().await;
    let tenant = app.tenant("one").await;
    let path = format!("/api/v1{}", tenant.path("/endpoint"));
    let token = mint(&json!({"sub": tenant.id, "org": "org_test"}));
    for origin in listed {
        for method in ["GET", "POST", "PUT", "PATCH", "DELETE"] {
            let (status, told) = browser(&app, &preflight(&path, origin, method)).await;
            assert_eq!((status, told[ALLOW_ORIGIN].as_str()), (200, origin));
            assert!(told["access-control-allow-methods"].split(',').any(|it| it == method), "{told:?}");
            let allowed = &told["access-control-allow-headers"];
            assert!(allowed.contains("authorization") && allowed.contains("idempotency-key"), "{told:?}");
            assert!(!told.contains_key("access-control-allow-credentials"), "tokens, never cookies");
        }
        let (status, told) = browser(&app, &real(&path, origin, &token)).await;
        assert_eq!((status, told[ALLOW_ORIGIN].as_str()), (200, origin));
        let (status, told) = browser(&app, &real(&path, origin, "garbage")).await;
        assert_eq!(
            (status, told[ALLOW_ORIGIN].as_str()),
            (401, origin),
            "a page can read why it was refused"
        );
    }
    for origin in [
        "https://evil.example",
        "https://portal.example.com.evil.example",
        "https://sub.portal.example.com",
        "http://portal.example.com",
        "https://portal.example.com:8443",
        "null",
    ] {
        for request in [preflight(&path, origin, "POST"), real(&path, origin, &token)] {
            let (_, told) = browser(&app, &request).await;
            assert!(!told.contains_key(ALLOW_ORIGIN), "{origin}: {told:?}");
        }
    }
}

#[tokio::test]
async fn without_a_list_no_browser_may_call() {
    let app = LocalApp::start().await;
    let tenant = app.tenant("one").await;
    let path = format!("/api/v1{}", tenant.path("/endpoint"));
    let token = mint(&json!({"sub": tenant.id, "org": "org_test"}));
    for request in [preflight(&path, "https://a.example", "GET"), real(&path, "https://a.example", &token)] {
        let (_, told) = browser(&app, &request).await;
        assert!(!told.contains_key(ALLOW_ORIGIN), "{told:?}");
    }
}
