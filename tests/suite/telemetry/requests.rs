//! Every request has an id, in its answer, in the body of an error and in the log.

use serde_json::{Value, json};

use crate::support::{Api, LocalApp, Setup, until};

#[tokio::test]
async fn a_callers_request_id_is_answered_and_stands_in_an_errors_body() {
    let app = LocalApp::start().await;
    let api = app.environment();
    let ask = async |path: &str, id: &str| {
        Api::send(api.request(reqwest::Method::GET, path).header("x-request-id", id)).await
    };
    let found = ask("/app", "caller-17:a").await;
    found.expect(200);
    assert_eq!(found.headers["x-request-id"], "caller-17:a");
    let missing = ask("/app/app_of_nobody", "caller-18").await;
    assert_eq!(missing.headers["x-request-id"], "caller-18");
    assert_eq!(missing.expect_error(404, "not_found")["requestId"], "caller-18");
    let invalid = Api::send(
        api.request(reqwest::Method::POST, "/app")
            .header("x-request-id", "caller-19")
            .json(&json!({"name": 1})),
    )
    .await;
    assert_eq!(invalid.expect(422)["requestId"], "caller-19");
    let without_credential = Api::send(Api::at(&address(&app)).request(reqwest::Method::GET, "/app")).await;
    let body = without_credential.expect_error(401, "authentication_failed");
    assert_eq!(body["requestId"], without_credential.headers["x-request-id"].to_str().unwrap());
}

#[tokio::test]
async fn what_a_log_could_not_have_as_it_is_gets_an_id_of_ours() {
    let app = LocalApp::start().await;
    let api = app.environment();
    for id in ["a b", "\"quoted\"", &"x".repeat(129)] {
        let answer = Api::send(api.request(reqwest::Method::GET, "/app").header("x-request-id", id)).await;
        let named = answer.headers["x-request-id"].to_str().unwrap();
        assert!(named.starts_with("req_"), "{id}: {named}");
    }
    // Pages and what is not there have one as well.
    for path in ["/nothing/here", "/docs"] {
        let url = format!("http://{}{path}", address(&app));
        let answer = Api::send(crate::support::api::client().get(url)).await;
        assert!(answer.headers.contains_key("x-request-id"), "{path}");
    }
}

#[tokio::test]
async fn the_access_log_has_a_line_of_stable_fields_for_each_request() {
    let quiet = Setup::default().with("LOG_FORMAT", "json").start().await;
    let loud = Setup::default().with("LOG_FORMAT", "json").with("ACCESS_LOG", "true").start().await;
    for app in [&quiet, &loud] {
        let request = app.environment().request(reqwest::Method::GET, "/app/nothing?secret=hidden");
        Api::send(request.header("x-request-id", "seen-1")).await.expect(422);
    }
    let line = until("the line is there", || async { access_line(&loud.log(), "seen-1") }).await;
    assert_eq!(line["message"], "answered");
    assert_eq!(line["target"], "postrider::access");
    assert_eq!((&line["method"], &line["path"]), (&json!("GET"), &json!("/api/v1/app/nothing")));
    assert_eq!(line["status"], 422);
    assert!(
        line["duration_ms"].is_u64() && line["timestamp"].is_string() && line["level"] == "INFO",
        "{line}"
    );
    assert!(!loud.log().contains("hidden"), "a query is logged");
    assert_eq!(access_line(&quiet.log(), "seen-1"), None);
}

fn access_line(log: &str, id: &str) -> Option<Value> {
    let mut lines = log.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
    lines.find(|line| line["target"] == "postrider::access" && line["request_id"] == id)
}

fn address(app: &LocalApp) -> String {
    app.address()
}
