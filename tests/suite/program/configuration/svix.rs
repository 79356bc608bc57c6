//! What Svix has is taken over. The source is this server, which has the operations of the client libraries; and one that
//! answers as Svix does where that differs.

use std::collections::HashMap;
use std::process::Output;
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::extract::{Request, State};
use axum::response::{IntoResponse, Response};
use http::StatusCode;
use serde_json::{Value, json};

use super::{Shell, WHSEC, furnish};
use crate::program::shell::{complaint, run, stdout};

const AT: &str = "2026-01-01T00:00:00Z";

impl Shell {
    fn take_over(&self, from: &str, token: &str, more: &[&str]) -> Output {
        let api = self.api("org_mine");
        let arguments = [&["import", "svix", "--url", from][..], more].concat();
        let url = self.url();
        let variables = [
            ("POSTRIDER_URL", url.as_str()),
            ("POSTRIDER_TOKEN", api.token()),
            ("POSTRIDER_SVIX_TOKEN", token),
        ];
        run(&arguments, &variables)
    }
}

#[tokio::test]
async fn what_has_the_same_operations_is_taken_over_with_its_secrets_and_once() {
    let shell = Shell::start().await;
    let source = shell.api("org_test");
    furnish(&source).await;
    let (url, token) = (shell.url(), source.token().to_owned());
    let take_over = |more: &[&str]| shell.take_over(&url, &token, more);

    let refused = complaint(&take_over(&["--dry-run"]));
    assert!(refused.contains("endpoint acme/main is new, and its URL has a mask"), "{refused}");
    // A password in a URL is not told by anybody's API.
    source
        .patch("/app/acme/endpoint/main", &json!({"url": "https://hooks.example.com/in"}))
        .await
        .expect(200);

    let shown = stdout(&take_over(&["--dry-run"]));
    assert!(shown.contains("dry run: 8 to create") && shown.contains("+ endpoint acme/main"), "{shown}");
    assert!(shown.contains("endpoint acme/ed: its private key is not told"), "{shown}");
    assert!(shown.contains("does not have the value of its header Authorization"), "{shown}");
    let mine = shell.api("org_mine");
    assert_eq!(mine.get("/app").await.expect(200)["data"], json!([]));

    let said = stdout(&take_over(&[]));
    assert!(said.ends_with("8 created, 0 changed, 0 removed\n"), "{said}");
    assert_eq!(mine.get("/app/acme/endpoint/main/secret").await.expect(200)["key"], WHSEC);
    let main = mine.get("/app/acme/endpoint/main").await.expect(200);
    assert_eq!((&main["filterTypes"], &main["channels"]), (&json!(["invoice.paid"]), &json!(["eu"])));
    let headers = mine.get("/app/acme/endpoint/main/headers").await.expect(200);
    assert_eq!(headers["headers"], json!({"X-Tenant": "acme"}));

    // What has no `uid` is known again, whatever becomes of it there.
    let off =
        source.all("/app/acme/endpoint", 10).await.into_iter().find(|one| one["uid"].is_null()).unwrap();
    let id = off["id"].as_str().unwrap();
    let moved = json!({"url": "https://hooks.example.com/moved"});
    source.patch(&format!("/app/acme/endpoint/{id}"), &moved).await.expect(200);
    let said = stdout(&take_over(&[]));
    assert!(said.contains("https://hooks.example.com/off\" → \"https://hooks.example.com/moved"), "{said}");
    assert!(said.ends_with("0 created, 1 changed, 0 removed\n"), "{said}");
    assert!(stdout(&take_over(&[])).ends_with("nothing to do\n"));
    assert_eq!(mine.all("/app/acme/endpoint", 10).await.len(), 3);
}

/// Answers as Svix does: pages of one, a limit of requests, and what is not there is not there.
struct Recorded {
    answers: HashMap<&'static str, Value>,
    /// Paths that have asked to wait once.
    waited: Mutex<Vec<String>>,
}

impl Recorded {
    fn new() -> Self {
        let app = json!({"id": "app_2abc", "uid": null, "name": "Taken over", "rateLimit": null, "throttleRate": 20,
            "metadata": {"plan": "gold"}, "createdAt": AT, "updatedAt": AT});
        let second = json!({"id": "app_2def", "uid": "second", "name": "Second", "metadata": {}, "createdAt": AT, "updatedAt": AT});
        let endpoint = json!({"id": "ep_2abc", "uid": null, "url": "https://hooks.example.com/svix", "version": 1,
            "description": "", "filterTypes": ["invoice.paid"], "channels": ["eu"], "disabled": false, "metadata": {},
            "throttleRate": 3, "createdAt": AT, "updatedAt": AT});
        let event_types = json!([
            {"name": "invoice.paid", "description": "Paid", "archived": false, "deprecated": false, "schemas": null,
             "featureFlag": "beta", "featureFlags": ["beta"], "groupName": null, "createdAt": AT, "updatedAt": AT},
            {"name": "invoice.void", "description": "Void", "archived": true, "deprecated": true,
             "schemas": {"1": {"type": "object"}}, "createdAt": AT, "updatedAt": AT}
        ]);
        let answers = [
            ("/api/v1/event-type", event_types),
            ("/api/v1/app", json!([app, second])),
            ("/api/v1/app/app_2abc/endpoint", json!([endpoint])),
            ("/api/v1/app/app_2def/endpoint", json!([])),
            ("/api/v1/app/app_2abc/endpoint/ep_2abc/secret", json!({"key": WHSEC})),
            (
                "/api/v1/app/app_2abc/endpoint/ep_2abc/headers",
                json!({"headers": {"X-A": "b"}, "sensitive": ["X-Token"]}),
            ),
            ("/api/v1/app/app_2abc/endpoint/ep_2abc/transformation", json!({"enabled": true, "code": "…"})),
        ];
        Self { answers: answers.into(), waited: Mutex::default() }
    }

    fn answer(&self, request: &Request) -> Response {
        let path = request.uri().path();
        let mut waited = self.waited.lock().unwrap();
        if !waited.iter().any(|one| one == path) {
            waited.push(path.to_owned());
            let refused = json!({"code": "rate_limited", "detail": "Too many"}).to_string();
            return (StatusCode::TOO_MANY_REQUESTS, [("retry-after", "0")], refused).into_response();
        }
        let Some(answer) = self.answers.get(path) else {
            let gone = json!({"code": "not_found", "detail": "Entity not found"}).to_string();
            return (StatusCode::NOT_FOUND, gone).into_response();
        };
        let Some(items) = answer.as_array() else { return answer.to_string().into_response() };
        let query = request.uri().query().unwrap_or_default();
        let asked = url::form_urlencoded::parse(query.as_bytes()).find(|(name, _)| name == "iterator");
        let place: usize = asked.map_or(0, |(_, text)| text.parse().unwrap());
        let page: Vec<&Value> = items.iter().skip(place).take(1).collect();
        let done = place + 1 >= items.len();
        json!({"data": page, "iterator": (place + 1).to_string(), "prevIterator": null, "done": done})
            .to_string()
            .into_response()
    }
}

async fn answer(State(recorded): State<Arc<Recorded>>, request: Request) -> Response {
    recorded.answer(&request)
}

#[tokio::test(flavor = "multi_thread")]
async fn answers_as_svix_gives_them_are_understood() {
    let shell = Shell::start().await;
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let router = Router::new().fallback(answer).with_state(Arc::new(Recorded::new()));
    tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });

    let said = stdout(&shell.take_over(&url, "testsk_x.eu", &[]));
    assert!(said.contains("5 created, 0 changed, 0 removed"), "{said}");
    assert!(said.contains("it has a transformation, which is not carried over"), "{said}");
    assert!(said.contains("operational webhooks are left out"), "{said}");
    let mine = shell.api("org_mine");
    let apps = mine.all("/app", 10).await;
    assert_eq!(apps.len(), 2);
    let taken = apps.iter().find(|app| app["name"] == "Taken over").unwrap();
    assert_eq!((&taken["rateLimit"], &taken["throttleRate"]), (&json!(20), &json!(20)));
    assert_eq!(taken["metadata"], json!({"plan": "gold", "svixId": "app_2abc"}));
    let path = format!("/app/{}/endpoint", taken["id"].as_str().unwrap());
    let endpoint = mine.all(&path, 10).await.remove(0);
    for (field, value) in [
        ("url", json!("https://hooks.example.com/svix")),
        ("filterTypes", json!(["invoice.paid"])),
        ("channels", json!(["eu"])),
        ("throttleRate", json!(3)),
        ("metadata", json!({"svixId": "ep_2abc"})),
    ] {
        assert_eq!(endpoint[field], value, "{field}");
    }
    let void = mine.get("/event-type/invoice.void").await.expect(200);
    assert_eq!((&void["archived"], &void["deprecated"]), (&json!(true), &json!(true)));
    assert!(stdout(&shell.take_over(&url, "testsk_x.eu", &[])).ends_with("nothing to do\n"));
}
