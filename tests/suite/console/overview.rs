//! The first screen.

use serde_json::{Value, json};

use crate::support::{Api, Receiver, Reply, Setup, until};

/// The overview, once it says what is waited for.
pub async fn overview_that(api: &Api, what: &str, holds: impl Fn(&Value) -> bool) -> Value {
    until(what, || async {
        let shown = api.get("/overview").await.expect(200);
        holds(&shown).then_some(shown)
    })
    .await
}

pub fn operator(api: &Api) -> Api {
    api.claiming(&json!({"sub": "operator", "org": "org_test"}))
}

fn sum(column: &Value) -> i64 {
    column.as_array().unwrap().iter().map(|count| count.as_i64().unwrap_or(0)).sum()
}

fn kind<'a>(shown: &'a Value, name: &str) -> Option<&'a Value> {
    shown["underWay"].as_array().unwrap().iter().find(|kind| kind["kind"] == name)
}

#[tokio::test]
async fn the_overview_tells_what_came_of_everything_and_what_is_under_way() {
    let mut app = Setup::default().with("RETRY_SCHEDULE", "1h").start_local().await;
    app.leave_work();
    let receiver = Receiver::start().await;
    let (one, two) = (app.tenant("one").await, app.tenant("two").await);
    one.endpoint(&receiver.hook("/well"), json!({})).await;
    let retried = one.endpoint(&receiver.hook_that("/down", |_| Reply::Status(503)), json!({})).await;
    let lost = json!({"retrySchedule": []});
    let dying = two.endpoint(&receiver.hook_that("/dying", |_| Reply::Status(404)), lost).await;
    let held = two.endpoint(&receiver.hook("/held"), json!({"disabled": true})).await;
    for tenant in [&one, &one, &one, &two, &two] {
        tenant.message("invoice.paid", json!({})).await;
    }
    let operator = operator(&app.api());
    let shown = overview_that(&operator, "everything is counted", |shown| {
        ["retry", "held_disabled", "dead"].iter().all(|name| kind(shown, name).is_some())
            && shown["attempts"] == 8
            && kind(shown, "retry").unwrap()["count"] == 3
            && kind(shown, "held_disabled").unwrap()["count"] == 2
    })
    .await;
    let counts = ["accepted", "delivered", "attempts", "failedAttempts", "failedLastHour", "died"];
    assert_eq!(counts.map(|name| shown[name].as_i64().unwrap()), [5, 3, 8, 5, 5, 2], "{shown}");
    for (things, count) in [("applications", 2), ("endpoints", 4), ("eventTypes", 0)] {
        assert_eq!(shown[things], json!({"count": count, "isCapped": false}), "{things}");
    }
    assert_eq!((&shown["range"], &shown["pausedAt"]), (&json!("24h"), &Value::Null));
    assert!(shown["lastDeliveredAt"].is_string());

    let series = &shown["series"];
    let columns = ["accepted", "delivered", "failed", "noResponse", "dead"];
    assert_eq!(columns.map(|name| sum(&series[name])), [5, 3, 5, 0, 2]);
    assert_eq!(series["bucketSeconds"], 1_800);
    for column in ["accepted", "delivered", "failed", "noResponse", "dead", "waiting", "held", "deadOpen"] {
        assert_eq!(series[column].as_array().unwrap().len(), 48, "{column}");
    }
    for kind in ["endToEnd", "receiver", "own"] {
        let [p50, p95, p99] =
            ["p50Ms", "p95Ms", "p99Ms"].map(|name| shown["latency"][kind][name].as_f64().unwrap());
        assert!(p50 <= p95 && p95 <= p99, "{kind}: {p50} {p95} {p99}");
    }
    assert_eq!(shown["latency"]["series"].as_array().unwrap().len(), 48);

    let retry = kind(&shown, "retry").unwrap();
    assert_eq!((&retry["endpoints"], &retry["isCapped"]), (&json!(1), &json!(false)));
    assert_eq!(retry["examples"][0]["endpointId"], json!(retried));
    assert!(retry["nextAt"].as_str() > retry["oldestAt"].as_str(), "{retry}");
    let held_kind = kind(&shown, "held_disabled").unwrap();
    assert_eq!((&held_kind["examples"][0]["endpointId"], &held_kind["nextAt"]), (&json!(held), &Value::Null));
    let dead = kind(&shown, "dead").unwrap();
    assert_eq!((&dead["count"], &dead["examples"][0]["endpointId"]), (&json!(2), &json!(dying)));

    let worst = shown["worstEndpoints"].as_array().unwrap();
    assert_eq!(worst.len(), 2, "those that never failed are left out: {worst:?}");
    assert!(
        worst.iter().all(|it| it["failedShare"] == 1.0 && it["failedShares"].as_array().unwrap().len() == 48)
    );
    let nodes = shown["nodes"].as_array().unwrap();
    assert_eq!((nodes.len(), &nodes[0]["state"]), (1, &json!("running")));
    assert_eq!(nodes[0]["roles"], json!(["api", "dispatcher", "maintenance"]));

    let environment = app.environment();
    let own = environment.get("/overview?range=1h").await.expect(200);
    assert_eq!((&own["nodes"], &own["range"], &own["accepted"]), (&Value::Null, &json!("1h"), &json!(5)));
    assert_eq!(
        sum(&own["series"]["waiting"]).max(3),
        sum(&own["series"]["waiting"]),
        "sampled by the minute"
    );
    let other = app.api().claiming(&json!({"sub": "org_other"})).get("/overview").await.expect(200);
    assert_eq!((&other["accepted"], &other["underWay"]), (&json!(0), &json!([])));
    assert_eq!(other["latency"]["receiver"]["p95Ms"], Value::Null);
    environment.get("/overview?range=2h").await.expect_invalid();
    operator
        .claiming(&json!({"sub": "operator"}))
        .get("/overview")
        .await
        .expect_error(400, "environment_required");
    let tenant = app.api().claiming(&json!({"sub": one.id, "org": "org_test"}));
    tenant.get("/overview").await.expect_error(403, "forbidden");
}

/// Overviews are shared for two seconds, but not with whoever changed what they show.
#[tokio::test]
async fn a_pause_shows_at_once() {
    let app = Setup::default().start_local().await;
    let (operator, environment) = (app.api().claiming(&json!({"sub": "operator"})), app.environment());
    for (path, is_paused) in [("/admin/pause", true), ("/admin/resume", false), ("/admin/pause", true)] {
        environment.get("/overview").await.expect(200);
        operator.post(path, &json!({})).await.expect(200);
        let shown = environment.get("/overview").await.expect(200);
        assert_eq!(shown["pausedAt"].is_null(), !is_paused, "{path}");
    }
}

#[tokio::test]
async fn what_was_counted_survives_a_stop_and_is_counted_once() {
    let mut app = Setup::default().start().await;
    let receiver = Receiver::start().await;
    let tenant = app.tenant("one").await;
    tenant.endpoint(&receiver.hook("/well"), json!({})).await;
    for _ in 0..4 {
        tenant.message("a", json!({})).await;
    }
    app.settled().await;
    app.node_mut().terminate().await;
    app.node_mut().restart().await;
    tenant.message("a", json!({})).await;
    app.settled().await;
    let api = app.environment();
    let shown = overview_that(&api, "all five are counted", |shown| shown["delivered"] == 5).await;
    assert_eq!((&shown["accepted"], &shown["attempts"]), (&json!(5), &json!(5)));
    assert_eq!(shown["incidents"], json!([]), "a node that left by itself is none");
}
