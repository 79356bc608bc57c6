//! Open dead letters in groups, and what is told before many of them are replayed.

use serde_json::{Value, json};

use crate::support::{Receiver, Reply, Setup};

#[tokio::test]
async fn dead_letters_are_counted_by_endpoint_and_reason_and_a_dry_run_tells_where_they_would_go() {
    let app = Setup::default().with("RETRY_SCHEDULE", "none").start_local().await;
    let receiver = Receiver::start().await;
    let (one, two) = (app.tenant("one").await, app.tenant("two").await);
    let down =
        one.endpoint(&receiver.hook_that("/down", |_| Reply::Status(503)), json!({"rateLimit": 50})).await;
    let deleted = one
        .endpoint(&receiver.hook_that("/later", |_| Reply::Status(500)), json!({"filterTypes": ["b"]}))
        .await;
    let gone = two.endpoint(&receiver.hook_that("/gone", |_| Reply::Status(410)), json!({})).await;
    for (tenant, event_type) in [(&one, "a"), (&one, "a"), (&one, "b"), (&two, "a")] {
        tenant.message(event_type, json!({})).await;
    }
    app.settled().await;
    let api = app.environment();
    let shown = api.get("/dead-letter/group").await.expect(200);
    assert_eq!(shown["open"], json!({"count": 5, "isCapped": false}));
    assert_eq!((&shown["openSinceYesterday"]["count"], &shown["endpoints"]), (&json!(5), &json!(3)));
    let groups = shown["data"].as_array().unwrap();
    let seen: Vec<(&str, &str, i64)> = groups
        .iter()
        .map(|it| {
            (
                it["endpointId"].as_str().unwrap(),
                it["reason"].as_str().unwrap(),
                it["count"].as_i64().unwrap(),
            )
        })
        .collect();
    assert_eq!(seen[0], (down.as_str(), "exhausted", 3), "the largest first");
    assert!(seen.contains(&(deleted.as_str(), "exhausted", 1)) && seen.contains(&(gone.as_str(), "gone", 1)));
    assert_eq!((&groups[0]["lastStatusCode"], &groups[0]["lastFailure"]), (&json!(503), &json!("status")));
    assert_eq!((&groups[0]["appName"], &groups[0]["runningTaskId"]), (&json!("one"), &Value::Null));
    assert!(groups[0]["oldestAt"].as_str() <= groups[0]["newestAt"].as_str());

    let count = |path: &str| {
        let (api, path) = (api.clone(), path.to_owned());
        async move {
            let shown = api.get(&path).await.expect(200);
            (shown["open"]["count"].as_i64().unwrap(), shown["data"].as_array().unwrap().len())
        }
    };
    assert_eq!(count("/dead-letter/group?reason=gone").await, (1, 1));
    assert_eq!(count(&format!("/dead-letter/group?app_id={}", one.id)).await, (4, 2));
    assert_eq!(count("/dead-letter/group?event_type=b").await, (2, 2));
    assert_eq!(count("/dead-letter/group?status_code=503&until=2020-01-01T00:00:00Z").await, (0, 0));
    api.get("/dead-letter/group?reason=bored").await.expect_invalid();

    api.delete(&one.path(&format!("/endpoint/{deleted}"))).await.expect(204);
    let dry = api.post("/dead-letter/replay", &json!({"dryRun": true, "appId": one.id})).await.expect(200);
    assert_eq!((&dry["count"], &dry["isCapped"]), (&json!(3), &json!(false)));
    assert_eq!(dry["skipped"], json!([{"reason": "endpoint_deleted", "count": 1}]));
    assert_eq!(dry["eventTypes"], json!([{"name": "a", "count": 2}, {"name": "b", "count": 1}]));
    let target = &dry["endpoints"][0];
    assert_eq!(
        (&target["endpointId"], &target["count"], &target["rateLimit"]),
        (&json!(down), &json!(3), &json!(50))
    );
    let shown = api.get("/dead-letter/group").await.expect(200);
    let group =
        shown["data"].as_array().unwrap().iter().find(|it| it["endpointId"] == json!(deleted)).unwrap();
    assert!(group["endpointDeletedAt"].is_string());
    let discard = api.post("/dead-letter/discard", &json!({"dryRun": true})).await.expect(200);
    assert_eq!(
        (&discard["count"], &discard["skipped"]),
        (&json!(5), &json!([])),
        "nothing is left out of a discard"
    );

    let own = app.api().claiming(&json!({"sub": two.id, "org": "org_test"}));
    own.get("/dead-letter/group").await.expect_error(403, "forbidden");
    let mine = own.post(&two.path("/dead-letter/replay"), &json!({"dryRun": true})).await.expect(200);
    assert_eq!((&mine["count"], &mine["endpoints"][0]["condition"]), (&json!(1), &json!("disabled")));
}
