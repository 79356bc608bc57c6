//! Statistics: they count what became of deliveries, whose they were, and when.

use serde_json::{Value, json};

use crate::support::{Api, Receiver, Reply, Setup, until};

async fn ended(api: &Api, task: &Value) -> Value {
    let path = format!("/background-task/{}", task["id"].as_str().unwrap());
    until("the background task ends", || async {
        let task = api.get(&path).await.expect(200);
        (task["status"] != "running").then_some(task)
    })
    .await
}

#[tokio::test]
async fn deliveries_are_counted_by_outcome_for_endpoint_tenant_and_environment() {
    let mut app = Setup::default().with("RETRY_SCHEDULE", "20ms").start_local().await;
    app.leave_work();
    let receiver = Receiver::start().await;
    let (one, two) = (app.tenant("one").await, app.tenant("two").await);
    let well = one.endpoint(&receiver.hook("/well"), json!({})).await;
    let down = one.endpoint(&receiver.hook_that("/down", |_| Reply::Status(503)), json!({})).await;
    two.endpoint(&receiver.hook("/two"), json!({})).await;
    let held = two.endpoint(&receiver.hook("/held"), json!({"disabled": true})).await;
    for tenant in [&one, &one, &two] {
        tenant.message("a", json!({})).await;
    }
    app.settled().await;
    let api = app.environment();
    let get = |path: String| {
        let api = api.clone();
        async move { api.get(&path).await.expect(200) }
    };

    let stats = get(one.path(&format!("/endpoint/{down}/stats"))).await;
    assert_eq!(stats, json!({"success": 0, "pending": 0, "sending": 0, "fail": 2, "canceled": 0}));
    let stats = get(two.path(&format!("/endpoint/{held}/stats"))).await;
    assert_eq!(stats, json!({"success": 0, "pending": 1, "sending": 0, "fail": 0, "canceled": 0}));
    let stats = get(two.path(&format!("/endpoint/{held}/stats?until=2020-01-01T00:00:00Z"))).await;
    assert_eq!(stats["pending"], 0);
    let attempts = get(one.path(&format!("/endpoint/{down}/attempt-stats"))).await;
    assert_eq!(attempts, json!({"success": 0, "fail": 4, "canceled": 0}));
    let before = get(one.path(&format!("/endpoint/{down}/attempt-stats?until=2020-01-01T00:00:00Z"))).await;
    assert_eq!(before["fail"], 0);

    for (path, delivered, dead, failed) in [
        (one.path(&format!("/endpoint/{well}/stats/deliveries")), 2, 0, 0),
        (one.path(&format!("/endpoint/{down}/stats/deliveries?bucket=day")), 0, 2, 4),
        (one.path("/stats/deliveries"), 2, 2, 4),
        (two.path("/stats/deliveries?bucket=day"), 1, 0, 0),
        ("/stats/deliveries".to_owned(), 3, 2, 4),
        ("/stats/deliveries?since=2026-01-01T00:00:00Z&until=2026-01-03T12:00:00Z".to_owned(), 0, 0, 0),
    ] {
        let series = get(path.clone()).await;
        let total = &series["total"];
        assert_eq!((&total["delivered"], &total["dead"]), (&json!(delivered), &json!(dead)), "{path}");
        assert_eq!(total["attempts"]["status5xx"], failed, "{path}");
        let buckets = series["data"].as_array().unwrap();
        let sum: i64 = buckets.iter().map(|bucket| bucket["delivered"].as_i64().unwrap()).sum();
        assert_eq!(sum, delivered, "{path}");
        assert!(buckets.is_sorted_by_key(|bucket| bucket["at"].as_str()));
        let number = if path.contains("2026-01-03") {
            60
        } else if path.contains("day") {
            31
        } else {
            25
        };
        assert!((number - 1..=number).contains(&buckets.len()), "{path}: {}", buckets.len());
    }
    api.get("/stats/deliveries?since=2001-01-01T00:00:00Z").await.expect_invalid();
    api.get("/stats/deliveries?bucket=week").await.expect_invalid();
    let own = app.api().claiming(&json!({"sub": one.id, "org": "org_test"}));
    own.get("/stats/deliveries").await.expect_error(403, "forbidden");
    own.get(&two.path("/stats/deliveries")).await.expect_error(404, "not_found");
}

#[tokio::test]
async fn usage_counts_messages_and_deliveries_of_a_time() {
    let app = Setup::default().start_local().await;
    let receiver = Receiver::start().await;
    let (one, idle) = (app.tenant("one").await, app.tenant("idle").await);
    let gone = app.tenant("gone").await;
    one.endpoint(&receiver.hook("/a"), json!({"filterTypes": ["b", "a"]})).await;
    one.endpoint(&receiver.hook("/b"), json!({"filterTypes": ["a"]})).await;
    idle.endpoint(&receiver.hook("/all"), json!({})).await;
    for event_type in ["a", "a", "b", "c"] {
        one.message(event_type, json!({})).await;
    }
    gone.message("a", json!({})).await;
    app.settled().await;
    let api = app.environment();
    api.delete(&gone.path("")).await.expect(204);

    let span = json!({"since": "2020-01-01T00:00:00Z", "until": "2100-01-01T00:00:00Z"});
    let task = api.post("/stats/usage/app", &span).await.expect(202);
    assert_eq!((&task["task"], &task["unresolvedAppIds"]), (&json!("application.stats"), &json!([])));
    let task = ended(&api, &task).await;
    let counted = |id: &str, messages: i64, destinations: i64| json!({"appId": id, "appUid": null, "messages": messages, "messageDestinations": destinations});
    let expected = json!([counted(&one.id, 4, 5), counted(&idle.id, 0, 0), counted(&gone.id, 1, 0)]);
    assert_eq!((&task["status"], &task["data"]["appStats"]), (&json!("finished"), &expected));

    let mut named = span.clone();
    named["appIds"] = json!([one.id, "nobody"]);
    let task = api.post("/stats/usage/app", &named).await.expect(202);
    assert_eq!(task["unresolvedAppIds"], json!(["nobody"]));
    let task = ended(&api, &task).await;
    assert_eq!(task["data"]["appStats"], json!([counted(&one.id, 4, 5)]));
    named["appIds"] = json!(["nobody"]);
    api.post("/stats/usage/app", &named).await.expect_invalid();
    let backwards = json!({"since": span["until"], "until": span["since"]});
    api.post("/stats/usage/app", &backwards).await.expect_invalid();

    let task = api.put("/stats/usage/event-types", &json!({})).await.expect(202);
    let task = ended(&api, &task).await;
    let asked = |id: &str, names: &[&str], all: bool| json!({"appId": id, "explicitlySubscribedEventTypes": names, "hasCatchAllEndpoint": all});
    let expected = json!([asked(&one.id, &["a", "b"], false), asked(&idle.id, &[], true)]);
    assert_eq!((&task["task"], &task["data"]["event_types"]), (&json!("event-type.aggregate"), &expected));
}
