//! Calling off what waits.

use serde_json::{Value, json};

use crate::support::receiver::Hook;
use crate::support::{LocalApp, Receiver, Reply, Setup, Tenant, until};

/// A node whose retries wait for an hour, and an endpoint that fails.
async fn waiting() -> (LocalApp, Receiver, Tenant, Hook, String) {
    let app = Setup::default().with("RETRY_SCHEDULE", "1h").start_local().await;
    let receiver = Receiver::start().await;
    let tenant = app.tenant("one").await;
    let hook = receiver.hook_that("/down", |_| Reply::Status(500));
    let endpoint = tenant.endpoint(&hook, json!({})).await;
    (app, receiver, tenant, hook, endpoint)
}

async fn wait_until_waiting(app: &LocalApp, number: i64) {
    until("they wait", || async {
        let waits =
            app.database().count("SELECT count(*) FROM pending WHERE owner IS NULL AND attempts > 0").await;
        (waits == number).then_some(())
    })
    .await;
}

#[tokio::test]
async fn a_message_that_waits_is_called_off_and_ends_as_canceled() {
    let (app, receiver, tenant, hook, endpoint) = waiting().await;
    let other = tenant.endpoint(&receiver.hook_that("/too", |_| Reply::Status(500)), json!({})).await;
    let id = tenant.message("a", json!({})).await;
    wait_until_waiting(&app, 2).await;
    let api = app.environment();
    let one = tenant.path(&format!("/msg/{id}/endpoint/{endpoint}/cancel"));
    assert_eq!(api.post(&one, &json!({})).await.expect(200), json!({"canceled": 1, "underWay": 0}));
    assert_eq!(api.post(&one, &json!({})).await.expect(200), json!({"canceled": 0, "underWay": 0}));
    let stands = |list: &str| {
        let path = tenant.path(list);
        let api = api.clone();
        async move {
            api.all(&path, 10).await.into_iter().map(|one| one["statusText"].clone()).collect::<Vec<Value>>()
        }
    };
    assert_eq!(stands(&format!("/msg/{id}/endpoint")).await, [json!("canceled"), json!("sending")]);
    let all = tenant.path(&format!("/msg/{id}/cancel"));
    assert_eq!(api.post(&all, &json!({})).await.expect(200)["canceled"], 1);
    app.done().await;
    assert!(tenant.dead_letters().await.is_empty());
    // Callers that do not know of canceled ones take them for delivered.
    assert_eq!(stands(&format!("/endpoint/{other}/msg")).await, [json!("success")]);
    assert_eq!(
        stands(&format!("/endpoint/{other}/msg?expanded_statuses=true&status=4")).await,
        [json!("canceled")]
    );
    let stats = api.get(&tenant.path(&format!("/endpoint/{endpoint}/stats"))).await.expect(200);
    assert_eq!((&stats["canceled"], &stats["sending"], &stats["fail"]), (&json!(1), &json!(0), &json!(0)));
    let log = api.get("/audit-log?action=message.cancelled").await.expect(200);
    assert_eq!(log["data"].as_array().unwrap().len(), 2, "{log}");

    receiver.now(&hook, |_| Reply::Status(200));
    api.post(&tenant.path(&format!("/msg/{id}/endpoint/{endpoint}/resend")), &json!({})).await.expect(202);
    app.done().await;
    assert_eq!(receiver.received_at(&hook).len(), 2, "a resend brings it back");
}

#[tokio::test]
async fn what_matches_a_filter_is_counted_first_and_called_off_then() {
    let (mut app, _receiver, tenant, _, endpoint) = waiting().await;
    app.leave_work();
    for (number, event_type) in ["a.paid", "a.lost", "a.paid", "a.paid"].into_iter().enumerate() {
        let tag = if number == 0 { json!(["keep"]) } else { json!(["drop"]) };
        tenant.message_of(json!({"eventType": event_type, "tags": tag, "payload": {}})).await;
    }
    wait_until_waiting(&app, 4).await;
    let own = app.api().claiming(&json!({"sub": tenant.id, "org": "org_test"}));
    let path = tenant.path(&format!("/endpoint/{endpoint}/cancel"));
    let filter = |dry_run: bool| json!({"eventTypes": ["a.paid"], "tag": "drop", "dryRun": dry_run});
    assert_eq!(
        own.post(&path, &filter(true)).await.expect(200),
        json!({"dryRun": true, "count": 2, "isCapped": false})
    );
    let task = own.post(&path, &filter(false)).await.expect(202);
    assert_eq!((&task["kind"], &task["progress"]["total"]), (&json!("endpoint.cancel_waiting"), &json!(2)));
    let ended = until("the task ends", || async {
        let task = own.get(&format!("/background-task/{}", task["id"].as_str().unwrap())).await.expect(200);
        (task["status"] != "running").then_some(task)
    })
    .await;
    assert_eq!((&ended["status"], &ended["progress"]["done"]), (&json!("finished"), &json!(2)), "{ended}");
    assert_eq!(app.database().count("SELECT count(*) FROM delivery WHERE state = 'cancelled'").await, 2);
    assert_eq!(app.database().count("SELECT count(*) FROM pending").await, 2);
    for wrong in [
        json!({"tag": "a b"}),
        json!({"ratePerSecond": 0}),
        json!({"since": "2026-01-02T00:00:00Z", "until": "2026-01-01T00:00:00Z"}),
    ] {
        own.post(&path, &wrong).await.expect_invalid();
    }
    assert_eq!(own.post(&path, &json!({"dryRun": true})).await.expect(200)["count"], 2, "all that is left");
}
