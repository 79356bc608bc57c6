//! Deliveries as callers see them: what an endpoint got, and who got a message.

use serde_json::{Value, json};

use crate::support::{LocalApp, Receiver, Reply, Setup, until};

fn ids(list: &[Value]) -> Vec<&str> {
    list.iter().map(|one| one["id"].as_str().unwrap()).collect()
}

/// Two endpoints, of which one fails, and messages of two types to both.
#[tokio::test]
async fn an_endpoint_lists_each_message_once_with_where_it_stands() {
    let app = Setup::default().with("RETRY_SCHEDULE", "20ms").start_local().await;
    let receiver = Receiver::start().await;
    let tenant = app.tenant("one").await;
    let endpoint = tenant.endpoint(&receiver.hook_that("/down", |_| Reply::Status(503)), json!({})).await;
    let well = tenant.endpoint(&receiver.hook("/well"), json!({"filterTypes": ["a.paid"]})).await;
    let first = tenant
        .message_of(json!({"eventType": "a.paid", "eventId": "first", "channels": ["eu"], "tags": ["x"],
            "payload": {"n": 1}}))
        .await;
    let second = tenant.message("a.lost", json!({"n": 2})).await;
    app.settled().await;

    let list = |endpoint: &str, query: &str| tenant.path(&format!("/endpoint/{endpoint}/msg{query}"));
    let all = app.environment().all(&list(&endpoint, ""), 1).await;
    assert_eq!(ids(&all), [second.as_str(), first.as_str()]);
    assert_eq!(all[1]["payload"], json!({"n": 1}));
    assert_eq!(
        (&all[1]["eventId"], &all[1]["status"], &all[1]["statusText"]),
        (&json!("first"), &json!(2), &json!("fail"))
    );
    assert_eq!(all[1]["nextAttempt"], Value::Null);
    let delivered = app.environment().all(&list(&well, "?with_content=false"), 10).await;
    assert_eq!(ids(&delivered), [first.as_str()]);
    assert_eq!((&delivered[0]["status"], &delivered[0]["payload"]), (&json!(0), &json!({})));

    for (query, found) in [
        ("?status=2", 2),
        ("?status=0", 0),
        ("?event_types=a.paid,b.never", 1),
        ("?event_types[]=a.paid&event_types[]=a.lost", 2),
        ("?channel=eu", 1),
        ("?channel=us", 0),
        ("?tag=x&expanded_statuses=true", 1),
        ("?before=2000-01-01T00:00:00Z", 0),
        ("?after=2000-01-01T00:00:00Z", 2),
    ] {
        assert_eq!(app.environment().all(&list(&endpoint, query), 10).await.len(), found, "{query}");
    }
    app.environment().get(&list(&endpoint, "?status=7")).await.expect_invalid();
    app.environment().get(&list("ep_00000000000000000000000000", "")).await.expect_error(404, "not_found");
}

#[tokio::test]
async fn a_message_lists_its_endpoints_with_where_each_stands() {
    let (mut app, receiver) = (LocalApp::start().await, Receiver::start().await);
    app.leave_work();
    let tenant = app.tenant("one").await;
    let well = tenant.endpoint(&receiver.hook("/well"), json!({"uid": "well"})).await;
    let held = tenant.endpoint(&receiver.hook("/held"), json!({"disabled": true})).await;
    let deleted = tenant.endpoint(&receiver.hook("/gone"), json!({})).await;
    tenant.message_of(json!({"eventType": "a", "eventId": "mine", "payload": {}})).await;
    app.settled().await;
    app.environment().delete(&tenant.path(&format!("/endpoint/{deleted}"))).await.expect(204);

    let list = app.environment().all(&tenant.path("/msg/mine/endpoint"), 1).await;
    assert_eq!(
        ids(&list),
        [well.as_str(), held.as_str(), deleted.as_str()],
        "oldest first, deleted ones among them"
    );
    assert_eq!((&list[0]["status"], &list[0]["uid"]), (&json!(0), &json!("well")));
    assert!(list[0]["createdAt"].is_string() && list[0]["version"] == 1, "{list:?}");
    assert_eq!((&list[0]["held"], &list[0]["deletedAt"]), (&Value::Null, &Value::Null));
    assert_eq!((&list[1]["status"], &list[1]["statusText"]), (&json!(1), &json!("pending")));
    assert_eq!(
        (&list[1]["held"]["reason"], &list[1]["nextAttempt"]),
        (&json!("endpoint_disabled"), &Value::Null)
    );
    assert!(list[1]["held"]["since"].is_string() && list[2]["deletedAt"].is_string(), "{list:?}");
    app.environment().get(&tenant.path("/msg/other/endpoint")).await.expect_error(404, "not_found");
}

#[tokio::test]
async fn what_waits_for_its_retry_says_when() {
    let mut app = Setup::default().with("RETRY_SCHEDULE", "1h").start_local().await;
    app.leave_work();
    let receiver = Receiver::start().await;
    let tenant = app.tenant("one").await;
    let endpoint = tenant.endpoint(&receiver.hook_that("/down", |_| Reply::Status(500)), json!({})).await;
    tenant.message("a", json!({})).await;
    let waiting = until("it waits", || async {
        let list =
            app.environment().all(&tenant.path(&format!("/endpoint/{endpoint}/msg?status=3")), 10).await;
        list.into_iter().next().filter(|one| one["nextAttempt"].is_string())
    })
    .await;
    assert_eq!(waiting["statusText"], "sending");
    assert!(waiting["nextAttempt"].as_str() > waiting["timestamp"].as_str(), "{waiting}");
    let untried = tenant.path(&format!("/endpoint/{endpoint}/msg?status=1"));
    assert!(app.environment().all(&untried, 10).await.is_empty(), "it was tried");
    let stats = app.environment().get(&tenant.path(&format!("/endpoint/{endpoint}/stats"))).await.expect(200);
    assert_eq!((&stats["pending"], &stats["sending"]), (&json!(0), &json!(1)));
}

#[tokio::test]
async fn what_is_held_says_since_when_and_for_what() {
    let mut app = LocalApp::start().await;
    app.leave_work();
    let receiver = Receiver::start().await;
    let tenant = app.tenant("one").await;
    let endpoint = tenant.endpoint(&receiver.hook("/a"), json!({})).await;
    let operator = app.api().claiming(&json!({"sub": "operator", "org": "org_test"}));
    let (app_path, of_endpoint) =
        (format!("/app/{}", tenant.id), format!("/app/{}/endpoint/{endpoint}", tenant.id));
    let list = tenant.path(&format!("/endpoint/{endpoint}/msg"));
    let shown = async || app.environment().get(&list).await.expect(200)["data"][0].clone();
    operator.post(&format!("/admin/pause{app_path}"), &json!({})).await.expect(200);
    tenant.message("a", json!({})).await;
    let held = shown().await;
    assert_eq!(
        (&held["status"], &held["held"]["reason"]),
        (&json!(1), &json!("application_paused")),
        "{held}"
    );
    assert!(held["held"]["since"].as_str() <= held["timestamp"].as_str(), "{held}");
    operator.post(&format!("/admin/pause{of_endpoint}"), &json!({})).await.expect(200);
    assert_eq!(shown().await["held"]["reason"], "endpoint_paused", "the nearest reason");
    tenant.patch_endpoint(&endpoint, json!({"disabled": true})).await;
    assert_eq!(shown().await["held"]["reason"], "endpoint_disabled");
    tenant.patch_endpoint(&endpoint, json!({"disabled": false})).await;
    operator.post(&format!("/admin/resume{of_endpoint}"), &json!({})).await.expect(200);
    operator.post(&format!("/admin/resume{app_path}"), &json!({})).await.expect(200);
    app.done().await;
    let arrived = shown().await;
    assert_eq!((&arrived["status"], &arrived["held"]), (&json!(0), &Value::Null));
}
