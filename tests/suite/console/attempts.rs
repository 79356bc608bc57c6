//! An attempt in full: what was sent, what came back, and how long each step took.

use serde_json::{Value, json};

use crate::support::receiver::Received;
use crate::support::{LocalApp, Receiver, Reply, Setup, Tenant, until};

fn header<'a>(headers: &'a Value, name: &str) -> &'a Value {
    let found = headers.as_array().unwrap().iter().find(|header| header["name"] == name);
    &found.unwrap_or_else(|| panic!("{name} in {headers}"))["value"]
}

/// The path of the only attempt at an endpoint.
async fn only_attempt(tenant: &Tenant, endpoint: &str) -> String {
    let attempts = tenant.attempts(endpoint).await;
    assert_eq!(attempts.len(), 1, "{attempts:?}");
    let text = |field: &str| attempts[0][field].as_str().unwrap().to_owned();
    tenant.path(&format!("/msg/{}/attempt/{}", text("msgId"), text("id")))
}

#[tokio::test]
async fn an_attempt_tells_the_answers_headers_and_how_long_each_step_took() {
    let (app, receiver) = (LocalApp::start().await, Receiver::start().await);
    let tenant = app.tenant("one").await;
    let hook = receiver.hook_that("/a", |_| Reply::With(200, "x-request-id", "r-17".to_owned()));
    let named = json!({"url": hook.url.replace("127.0.0.1", "localhost")});
    let endpoint = tenant.endpoint(&hook, named).await;
    tenant.message("a", json!({})).await;
    app.settled().await;
    let path = only_attempt(&tenant, &endpoint).await;
    let attempt = tenant.api.get(&path).await.expect(200);
    assert_eq!(header(&attempt["responseHeaders"], "x-request-id"), "r-17");
    let timings = &attempt["timings"];
    for step in ["resolveMs", "connectMs", "firstByteMs"] {
        assert!(timings[step].as_f64().unwrap() >= 0.0, "{step}: {timings}");
    }
    assert_eq!(timings["tlsMs"], Value::Null);

    // Over the connection that is there.
    tenant.message("a", json!({})).await;
    app.settled().await;
    let newest = tenant.attempts(&endpoint).await.remove(0);
    let steps = ["resolveMs", "connectMs", "tlsMs"].map(|step| newest["timings"][step].clone());
    assert_eq!(steps, [Value::Null, Value::Null, Value::Null], "{newest}");
    assert!(newest["timings"]["firstByteMs"].is_number());
    let list = tenant.path(&format!("/attempt/endpoint/{endpoint}?with_content=false"));
    let without = tenant.api.all(&list, 10).await;
    assert!(without.iter().all(|it| it["responseHeaders"].is_null() && it["timings"].is_object()));
}

#[tokio::test]
async fn an_attempt_without_an_answer_has_no_headers() {
    let app = Setup::default().with("RETRY_SCHEDULE", "none").start_local().await;
    let tenant = app.tenant("one").await;
    let body = json!({"url": "http://127.0.0.1:9/"});
    let endpoint = tenant.api.post(&tenant.path("/endpoint"), &body).await.expect(201);
    tenant.message("a", json!({})).await;
    app.settled().await;
    let attempt = tenant.attempts(endpoint["id"].as_str().unwrap()).await.remove(0);
    assert_eq!((&attempt["responseHeaders"], &attempt["timings"]), (&Value::Null, &Value::Null));
}

fn assert_same(shown: &Value, sent: &Received) {
    for (name, value) in &sent.headers {
        let shown = header(&shown["headers"], name.as_str());
        if name == "authorization" {
            assert_eq!(shown, &Value::Null);
        } else {
            assert_eq!(shown, value.to_str().unwrap(), "{name}");
        }
    }
    assert_eq!(shown["headers"].as_array().unwrap().len(), sent.headers.len(), "{shown}");
    assert_eq!(shown["body"].as_str().unwrap().as_bytes(), sent.body);
    assert_eq!(shown["sizeBytes"], sent.body.len());
}

#[tokio::test]
async fn a_request_is_shown_as_it_was_sent_until_something_of_it_changes() {
    let (app, receiver) = (LocalApp::start().await, Receiver::start().await);
    let tenant = app.tenant("one").await;
    let hook = receiver.hook("/a");
    let own = json!({"headers": {"authorization": "Bearer hidden", "x-tenant": "initech"}});
    let endpoint = tenant.endpoint(&hook, own).await;
    assert_eq!(tenant.raw(r#"{"b": 1e400,"a":"\u00fc"}"#).await.status, 202);
    app.settled().await;
    let sent = receiver.received_at(&hook).remove(0);
    let path = only_attempt(&tenant, &endpoint).await;
    let request = format!("{path}/request");
    let shown = tenant.api.get(&request).await.expect(200);
    assert_same(&shown, &sent);
    assert_eq!((&shown["method"], &shown["url"]), (&json!("POST"), &json!(hook.url)));
    assert_eq!(shown["isExact"], true);
    assert!(!shown.to_string().contains("hidden"));

    let token = |capabilities: Value| {
        app.api().claiming(&json!({"sub": tenant.id, "org": "org_test", "cap": capabilities}))
    };
    let looks = token(json!(["ViewBase"])).get(&request).await.expect(200);
    assert_eq!(header(&looks["headers"], "x-tenant"), &Value::Null, "its value may be a secret");
    let other = app.tenant("other").await;
    let elsewhere = request.replace(&tenant.id, &other.id);
    tenant.api.get(&elsewhere).await.expect_error(404, "not_found");

    let headers = tenant.path(&format!("/endpoint/{endpoint}/headers"));
    tenant.api.put(&headers, &json!({"headers": {"x-tenant": "other"}})).await.expect(204);
    let shown = tenant.api.get(&request).await.expect(200);
    assert_eq!((&shown["isExact"], header(&shown["headers"], "x-tenant")), (&json!(false), &json!("other")));
    let signature = sent.headers["webhook-signature"].to_str().unwrap();
    assert_eq!(header(&shown["headers"], "webhook-signature"), signature);
    // The secret that signed it is gone.
    let rotate = tenant.path(&format!("/endpoint/{endpoint}/secret/rotate"));
    tenant.api.post(&rotate, &json!({"gracePeriodSeconds": 0})).await.expect(200);
    let shown = tenant.api.get(&request).await.expect(200);
    assert_eq!(header(&shown["headers"], "webhook-signature"), &Value::Null);

    let message = path.split("/attempt/").next().unwrap();
    tenant.api.delete(&format!("{message}/content")).await.expect(204);
    let gone = until("the content is gone", || async {
        let shown = tenant.api.get(&request).await.expect(200);
        shown["body"].is_null().then_some(shown)
    })
    .await;
    assert_eq!((&gone["sizeBytes"], &gone["isExact"]), (&Value::Null, &json!(false)));
}

#[tokio::test]
async fn a_request_is_not_exact_when_somebody_above_its_endpoint_changed_what_is_sent() {
    let (app, receiver) = (LocalApp::start().await, Receiver::start().await);
    let tenant = app.tenant("one").await;
    let (follows, decides) = (receiver.hook("/follows"), receiver.hook("/decides"));
    let endpoints = [
        tenant.endpoint(&follows, json!({})).await,
        tenant.endpoint(&decides, json!({"svixHeaders": true})).await,
    ];
    tenant.message("a", json!({})).await;
    app.settled().await;
    let requests = [only_attempt(&tenant, &endpoints[0]).await, only_attempt(&tenant, &endpoints[1]).await]
        .map(|attempt| format!("{attempt}/request"));
    let shown = async |nth: usize| {
        let shown = tenant.api.get(&requests[nth]).await.expect(200);
        let has_svix = shown["headers"].as_array().unwrap().iter().any(|it| it["name"] == "svix-id");
        (shown["isExact"] == true, has_svix)
    };
    assert_eq!((shown(0).await, shown(1).await), ((true, false), (true, true)));
    assert_same(&tenant.api.get(&requests[1]).await.expect(200), &receiver.received_at(&decides)[0]);
    tenant.api.patch("/environment/policy", &json!({"svixHeaders": true})).await.expect(200);
    assert_eq!((shown(0).await, shown(1).await), ((false, true), (true, true)), "the environment's");
    tenant.api.patch(&tenant.path(""), &json!({"svixHeaders": false})).await.expect(200);
    assert_eq!((shown(0).await, shown(1).await), ((false, false), (true, true)), "the application's");
}
