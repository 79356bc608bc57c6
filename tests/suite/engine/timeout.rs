//! An endpoint's own timeout: it ends an attempt earlier or later than the server would.

use serde_json::{Value, json};

use crate::support::{Receiver, Reply, Setup, TestApp, until};

const ONCE: [u32; 0] = [];

#[tokio::test]
async fn an_endpoint_may_have_less_time_than_the_server_allows() {
    let app = Setup::default().with("REQUEST_TIMEOUT", "30s").start().await;
    let (tenant, receiver) = (app.tenant("one").await, Receiver::start().await);
    let hook = receiver.hook_that("/slow", |_| Reply::Hang);
    let endpoint = tenant.endpoint(&hook, json!({"timeout": 1, "retrySchedule": ONCE})).await;
    assert_eq!(tenant.get_endpoint(&endpoint).await["timeout"], 1);
    tenant.message("slow", json!({})).await;
    app.settled().await;
    let attempt = tenant.attempts(&endpoint).await.remove(0);
    assert_eq!((&attempt["failure"], &attempt["responseStatusCode"]), (&json!("timeout"), &json!(0)));
    let duration = attempt["responseDurationMs"].as_u64().unwrap();
    assert!(duration < 30_000, "the server's deadline was not waited for: {duration} ms");
}

#[tokio::test]
async fn an_endpoint_may_have_more_time_than_the_server_allows() {
    let mut app = Setup::default().with("REQUEST_TIMEOUT", "50ms").start().await;
    app.leave_work();
    let (tenant, receiver) = (app.tenant("one").await, Receiver::start().await);
    let patient = receiver.hook_that("/patient", |_| Reply::Hang);
    let patient = tenant.endpoint(&patient, json!({"timeout": 30, "retrySchedule": ONCE})).await;
    let usual = receiver.hook_that("/usual", |_| Reply::Hang);
    let usual = tenant.endpoint(&usual, json!({"retrySchedule": ONCE})).await;
    tenant.message("slow", json!({})).await;
    let ended = until("the attempt without a timeout of its own has ended", || async {
        tenant.attempts(&usual).await.pop()
    })
    .await;
    assert_eq!(ended["failure"], "timeout");
    assert_eq!(tenant.attempts(&patient).await, Vec::<Value>::new(), "the other is still under way");
}

#[tokio::test]
async fn a_timeout_is_set_changed_taken_back_and_bounded() {
    let app = TestApp::start().await;
    let tenant = app.tenant("one").await;
    let body = |timeout: Value| json!({"url": "https://example.com/", "disabled": true, "timeout": timeout});
    let path = tenant.path("/endpoint");
    for wrong in [json!(0), json!(31), json!(1.5), json!("5")] {
        let places = tenant.api.post(&path, &body(wrong.clone())).await.expect_invalid();
        assert!(places.contains_key("body.timeout"), "{wrong}: {places:?}");
    }
    let made = tenant.api.post(&path, &body(json!(30))).await.expect(201);
    let one = tenant.path(&format!("/endpoint/{}", made["id"].as_str().unwrap()));
    assert_eq!(tenant.api.patch(&one, &json!({"timeout": 5})).await.expect(200)["timeout"], 5);
    assert_eq!(tenant.api.patch(&one, &json!({"timeout": null})).await.expect(200)["timeout"], Value::Null);
    let log = tenant.api.get("/audit-log?action=endpoint.updated").await.expect(200);
    assert_eq!(log["data"][0]["details"]["fields"], json!(["timeout"]));
}
