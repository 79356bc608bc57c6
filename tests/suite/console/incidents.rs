//! Incidents: what is wrong, whose fault it is, who knows.

use serde_json::{Value, json};

use super::overview::{operator, overview_that};
use crate::support::{Receiver, Reply, Setup, TestApp};

fn incident<'a>(shown: &'a Value, kind: &str) -> Option<&'a Value> {
    shown["incidents"].as_array().unwrap().iter().find(|incident| incident["kind"] == kind)
}

#[tokio::test]
async fn an_endpoint_that_fails_can_wait_until_deliveries_die_for_it_or_somebody_knows() {
    let mut app = Setup::default().with("RETRY_SCHEDULE", "1h").start_local().await;
    app.leave_work();
    let receiver = Receiver::start().await;
    let tenant = app.tenant("one").await;
    let hook = receiver.hook_that("/down", |_| Reply::Status(500));
    let endpoint = tenant.endpoint(&hook, json!({})).await;
    for _ in 0..2 {
        tenant.message("a", json!({})).await;
    }
    receiver.wait_at(&hook, 2).await;
    let operator = operator(&app.api());
    let shown = overview_that(&operator, "two failures are counted", |it| it["failedAttempts"] == 2).await;
    assert_eq!(shown["incidents"], json!([]), "two failures are no incident");
    tenant.message("a", json!({})).await;
    let shown = overview_that(&operator, "the endpoint fails", |it| {
        incident(it, "endpoint_failing").is_some_and(|it| it["waiting"]["count"] == 3)
    })
    .await;
    let failing = incident(&shown, "endpoint_failing").unwrap().clone();
    assert_eq!((&failing["whose"], &failing["band"]), (&json!("receiver"), &json!("later")));
    assert_eq!((&failing["endpointId"], &failing["url"]), (&json!(endpoint), &json!(hook.url)));
    assert_eq!((&failing["lastStatusCode"], &failing["lastFailure"]), (&json!(500), &json!("status")));
    assert_eq!(failing["lastError"], "answered 500");
    let series: i64 = failing["series"].as_array().unwrap().iter().map(|it| it.as_i64().unwrap()).sum();
    assert_eq!((failing["series"].as_array().unwrap().len(), series), (40, 3));

    // Now deliveries die for it.
    tenant.patch_endpoint(&endpoint, json!({"retrySchedule": []})).await;
    tenant.message("a", json!({})).await;
    let shown = overview_that(&operator, "it needs somebody now", |it| {
        incident(it, "endpoint_failing").is_some_and(|it| it["band"] == "now")
    })
    .await;
    let id = incident(&shown, "endpoint_failing").unwrap()["id"].as_str().unwrap().to_owned();
    assert_eq!(id, failing["id"].as_str().unwrap(), "it is still the same");
    let path = format!("/incident/{id}/acknowledge");
    let known = operator.post(&path, &json!({})).await.expect(200);
    assert_eq!((&known["band"], &known["acknowledgedBy"]), (&json!("later"), &json!("operator")));
    let shown = operator.get("/overview").await.expect(200);
    assert_eq!(incident(&shown, "endpoint_failing").unwrap()["acknowledgedBy"], "operator", "at once");
    let log = operator.get("/audit-log?action=incident.acknowledge").await.expect(200);
    assert_eq!(log["data"][0]["objectId"], json!(id), "{log}");
    let open = operator.delete(&path).await.expect(200);
    assert_eq!((&open["band"], &open["acknowledgedAt"]), (&json!("now"), &Value::Null));

    receiver.now(&hook, |_| Reply::Status(200));
    tenant.message("a", json!({})).await;
    overview_that(&operator, "it has recovered", |it| incident(it, "endpoint_failing").is_none()).await;
    operator.post(&path, &json!({})).await.expect_error(404, "not_found");
    let stranger = app.api().claiming(&json!({"sub": "org_other"}));
    stranger.post(&path, &json!({})).await.expect_error(404, "not_found");
}

#[tokio::test]
async fn a_disabled_endpoint_and_a_pause_of_everything_are_told_with_whose_fault_they_are() {
    let mut app = Setup::default().start_local().await;
    app.leave_work();
    let receiver = Receiver::start().await;
    let tenant = app.tenant("one").await;
    let gone = receiver.hook_that("/gone", |_| Reply::Status(410));
    let endpoint = tenant.endpoint(&gone, json!({})).await;
    tenant.message("a", json!({})).await;
    app.settled().await;
    tenant.message("a", json!({})).await;
    let operator = operator(&app.api());
    let shown = overview_that(&operator, "it is disabled and holds one", |it| {
        incident(it, "endpoint_disabled").is_some_and(|it| it["held"]["count"] == 1)
    })
    .await;
    let disabled = incident(&shown, "endpoint_disabled").unwrap();
    assert_eq!((&disabled["disabledReason"], &disabled["endpointId"]), (&json!("gone"), &json!(endpoint)));
    assert_eq!((&disabled["whose"], &disabled["lastStatusCode"]), (&json!("receiver"), &json!(410)));
    assert_eq!((&disabled["band"], &disabled["diedLastHour"]), (&json!("now"), &json!(1)), "one died for it");
    assert!(disabled["heldUntil"].as_str() > disabled["since"].as_str());
    let series = disabled["series"].as_array().unwrap();
    assert_eq!((series.len(), &series[0]), (40, &Value::Null), "nobody looked before there was a node");

    operator.post("/admin/pause", &json!({})).await;
    let shown = overview_that(&operator, "the pause is told", |it| it["pausedAt"].is_string()).await;
    let paused = incident(&shown, "dispatching_paused").unwrap();
    assert_eq!((&paused["whose"], &paused["band"]), (&json!("ours"), &json!("now")));
    assert_eq!(shown["pausedBy"], "operator");
    assert_eq!(shown["incidents"][0]["band"], "now");
    let own =
        overview_that(&app.environment(), "it is told to the environment", |it| it["pausedAt"].is_string())
            .await;
    assert!(incident(&own, "dispatching_paused").is_some());
}

#[tokio::test]
async fn what_is_due_and_does_not_go_out_is_our_fault_and_a_backlog_that_is_sent_is_none() {
    // Nobody dispatches.
    let mut app = Setup::default().with("ROLES", "api").start_local().await;
    app.leave_work();
    let receiver = Receiver::start().await;
    let tenant = app.tenant("one").await;
    let endpoint = tenant.endpoint(&receiver.hook("/well"), json!({})).await;
    tenant.message("a", json!({})).await;
    let operator = operator(&app.api());
    let shown = overview_that(&operator, "it is due", |it| it["underWay"][0]["kind"] == "due").await;
    assert_eq!(shown["incidents"], json!([]), "for less than a minute");
    let later = "UPDATE pending SET due_at = due_at - interval '2 minutes'";
    sqlx::raw_sql(later).execute(&app.database().pool).await.unwrap();
    let shown = overview_that(&operator, "it is overdue", |it| incident(it, "overdue").is_some()).await;
    let overdue = incident(&shown, "overdue").unwrap();
    assert_eq!((&overdue["whose"], &overdue["band"]), (&json!("ours"), &json!("now")));
    assert_eq!((&overdue["endpointId"], &overdue["waiting"]["count"]), (&json!(endpoint), &json!(1)));
    let own = app.environment().get("/overview").await.expect(200);
    assert_eq!(incident(&own, "overdue").unwrap()["endpointId"], Value::Null, "ours alone to look into");

    let sent = "UPDATE rollup r SET status_2xx = 1 FROM endpoint e WHERE r.scope = e.id AND r.step = 60";
    sqlx::raw_sql(sent).execute(&app.database().pool).await.unwrap();
    overview_that(&operator, "something goes out", |it| incident(it, "overdue").is_none()).await;
}

#[tokio::test]
async fn a_node_that_was_killed_is_an_incident_until_it_comes_back() {
    let app = TestApp::start().await;
    let mut other = app.another_node("other").await;
    let operator = operator(&app.api());
    let running =
        |it: &Value| it["nodes"].as_array().unwrap().iter().filter(|it| it["state"] == "running").count();
    overview_that(&operator, "both nodes run", |it| running(it) == 2).await;
    other.kill9();
    let shown = overview_that(&operator, "it is taken over", |it| {
        incident(it, "node_stopped").is_some_and(|it| it["takenOverBy"].is_string())
    })
    .await;
    let stopped = incident(&shown, "node_stopped").unwrap();
    assert_eq!(
        (&stopped["nodeName"], &stopped["whose"], &stopped["band"]),
        (&json!("other"), &json!("ours"), &json!("now"))
    );
    let listed = shown["nodes"].as_array().unwrap().iter().find(|node| node["name"] == "other").unwrap();
    assert_eq!((&listed["state"], &listed["inFlight"]), (&json!("stopped"), &Value::Null));
    let own =
        overview_that(&app.environment(), "the environment hears of it", |it| !it["incidents"][0].is_null())
            .await;
    assert_eq!(
        (&own["incidents"][0]["kind"], &own["incidents"][0]["nodeName"]),
        (&json!("node_stopped"), &Value::Null)
    );
    other.restart().await;
    overview_that(&operator, "it is back", |it| incident(it, "node_stopped").is_none() && running(it) == 2)
        .await;
}
