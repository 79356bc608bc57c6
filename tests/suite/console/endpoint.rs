//! An endpoint's screen.

use serde_json::{Value, json};

use super::overview::operator;
use crate::support::{LocalApp, Receiver, Reply, Setup, until};

#[tokio::test]
async fn an_endpoints_screen_tells_what_came_of_it_what_holds_and_why_nothing_goes_out() {
    let mut app = Setup::default().with("RETRY_SCHEDULE", "1h").start_local().await;
    app.leave_work();
    let receiver = Receiver::start().await;
    let tenant = app.tenant("one").await;
    let hook =
        receiver.hook_that("/a", |request| Reply::Status(if request.id.is_empty() { 500 } else { 200 }));
    let endpoint = tenant.endpoint(&hook, json!({"rateLimit": 7, "retrySchedule": [5, 60]})).await;
    for _ in 0..3 {
        tenant.message("a", json!({})).await;
    }
    app.settled().await;
    receiver.now(&hook, |_| Reply::Status(429));
    tenant.message("a", json!({})).await;
    receiver.wait_at(&hook, 4).await;
    let api = app.environment();
    let path = tenant.path(&format!("/endpoint/{endpoint}/overview?range=1h"));
    let shown = until("all four attempts are counted", || async {
        let shown = api.get(&path).await.expect(200);
        let attempts = &shown["attempts"];
        (attempts["status2xx"] == 3 && attempts["status4xx"] == 1).then_some(shown)
    })
    .await;
    assert_eq!(
        (&shown["delivered"], &shown["died"], &shown["appName"]),
        (&json!(3), &json!(0), &json!("one"))
    );
    let accepted: i64 =
        shown["series"]["accepted"].as_array().unwrap().iter().map(|it| it.as_i64().unwrap()).sum();
    assert_eq!((accepted, shown["latency"]["series"].as_array().unwrap().len()), (4, 60));
    assert!(shown["latency"]["receiver"]["p99Ms"].is_number());
    assert_eq!((&shown["heldBecause"], &shown["incident"]), (&Value::Null, &Value::Null));
    assert_eq!(shown["underWay"][0]["kind"], "retry");
    assert_eq!((&shown["underWay"][0]["count"], &shown["underWay"][0]["examples"]), (&json!(1), &json!([])));
    let policies = &shown["policies"];
    assert_eq!(
        (&policies["retrySchedule"], &policies["retryScheduleFrom"]),
        (&json!([5.0, 60.0]), &json!("endpoint"))
    );
    assert_eq!(policies["rateLimit"], json!({"value": 7.0, "from": "endpoint"}));
    assert_eq!(policies["deadlineSeconds"], json!({"value": 10.0, "from": "server"}));
    let secrets = shown["secrets"].as_array().unwrap();
    assert_eq!(
        (secrets.len(), &secrets[0]["kind"], &secrets[0]["expiresAt"]),
        (1, &json!("hmac_sha256"), &Value::Null)
    );
    assert_eq!(secrets[0]["hint"], json!(hook.secret[..10]));

    let pause = format!("/admin/pause{}", tenant.path(&format!("/endpoint/{endpoint}")));
    operator(&app.api()).post(&pause, &json!({})).await.expect(200);
    let paused = api.get(&path).await.expect(200);
    assert_eq!(
        (&paused["heldBecause"]["code"], &paused["heldBecause"]["by"]),
        (&json!("endpoint_paused"), &json!("operator"))
    );
    assert!(paused["heldBecause"]["heldUntil"].is_string());
    assert_eq!(paused["underWay"][0]["kind"], "held_paused");

    let looks = app.api().claiming(&json!({"sub": tenant.id, "org": "org_test", "cap": ["ViewBase"]}));
    let seen = looks.get(&path).await.expect(200);
    assert_eq!((&seen["secrets"], &seen["delivered"]), (&json!([]), &json!(3)));
    let other = app.tenant("other").await;
    other
        .api
        .get(&other.path(&format!("/endpoint/{endpoint}/overview")))
        .await
        .expect_error(404, "not_found");
}

/// They are in the memory of a node, and nothing of them is in the queue.
#[tokio::test]
async fn what_waits_for_its_turn_behind_a_limit_is_counted() {
    let (mut app, receiver) = (LocalApp::start().await, Receiver::start().await);
    app.leave_work();
    let tenant = app.tenant("one").await;
    let hook = receiver.hook("/a");
    let endpoint = tenant.endpoint(&hook, json!({"rateLimit": 1})).await;
    for number in 0..40 {
        tenant.message("a", json!({"number": number})).await;
    }
    let shown =
        app.environment().get(&tenant.path(&format!("/endpoint/{endpoint}/overview"))).await.expect(200);
    let under_way = shown["underWay"].as_array().unwrap();
    let count = under_way.iter().map(|kind| kind["count"].as_i64().unwrap()).sum::<i64>();
    let sent = i64::try_from(receiver.received_at(&hook).len()).unwrap();
    assert!((40 - sent - 2..=40).contains(&count), "{count} with {sent} sent: {under_way:?}");
}
