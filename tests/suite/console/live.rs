//! What happens now, as those see it who watch.

use serde_json::{Value, json};

use super::watcher::Watcher;
use crate::support::{Api, LocalApp, Receiver, Reply, Setup, TestApp, until};

#[tokio::test]
async fn each_sees_what_it_watches() {
    let (app, receiver) = (LocalApp::start().await, Receiver::start().await);
    let (one, other) = (app.tenant("one").await, app.tenant("other").await);
    let endpoint = one.endpoint(&receiver.hook("/one"), json!({})).await;
    let beside = one.endpoint(&receiver.hook("/beside"), json!({})).await;
    let own = app.api().claiming(&json!({"sub": one.id, "org": "org_test"}));
    let mut all = Watcher::begin(&app.environment(), "/live?topics=message").await;
    let mut tenants = Watcher::begin(&own, &one.path("/live?topics=message,attempt")).await;
    let path = format!("/live?topics=attempt&app_id={}&endpoint_id={endpoint}", one.id);
    let mut endpoints = Watcher::begin(&app.environment(), &path).await;
    let not_theirs = other.message("b.c", json!({})).await;
    let body =
        json!({"eventType": "a.b", "eventId": "event_7", "channels": ["c"], "tags": ["t"], "payload": {}});
    let theirs = one.message_of(body).await;

    let mut seen = [all.next_of("message").await, all.next_of("message").await];
    seen.sort_by_key(|message| message["id"] != not_theirs.as_str());
    assert_eq!((&seen[0]["id"], &seen[0]["appName"]), (&json!(not_theirs), &json!("other")));
    let message = &seen[1];
    assert_eq!((&message["id"], &message["appName"]), (&json!(theirs), &json!("one")));
    assert_eq!((&message["eventType"], &message["eventId"]), (&json!("a.b"), &json!("event_7")));
    assert_eq!((&message["channels"], &message["tags"]), (&json!(["c"]), &json!(["t"])));
    assert_eq!((&message["sizeBytes"], &message["deliveries"]["inFlight"]), (&json!(2), &json!(2)));

    let (name, message) = tenants.next().await.unwrap();
    assert_eq!((name.as_str(), &message["id"]), ("message", &json!(theirs)), "nothing of another tenant's");
    let mut to: Vec<Value> = Vec::new();
    for _ in 0..2 {
        let attempt = tenants.next_of("attempt").await;
        assert_eq!((&attempt["msgId"], &attempt["state"]), (&json!(theirs), &json!("delivered")));
        to.push(attempt["endpointId"].clone());
    }
    assert!(to.contains(&json!(endpoint)) && to.contains(&json!(beside)));
    let attempt = endpoints.next_of("attempt").await;
    assert_eq!((&attempt["endpointId"], &attempt["statusCode"]), (&json!(endpoint), &json!(200)));
    assert_eq!((&attempt["number"], &attempt["delivered"]), (&json!(1), &json!(true)));
}

#[tokio::test]
async fn failures_are_told_with_what_follows() {
    let app = Setup::default().with("RETRY_SCHEDULE", "50ms").start_local().await;
    let receiver = Receiver::start().await;
    let tenant = app.tenant("one").await;
    tenant.endpoint(&receiver.hook_that("/one", |_| Reply::Status(500)), json!({})).await;
    let mut watcher = Watcher::begin(&tenant.api, &tenant.path("/live?topics=attempt")).await;
    tenant.message("a.b", json!({})).await;
    for (number, state) in [(1, "waiting"), (2, "dead")] {
        let attempt = watcher.next_of("attempt").await;
        assert_eq!((&attempt["number"], &attempt["state"]), (&json!(number), &json!(state)));
        assert_eq!((&attempt["delivered"], &attempt["failure"]), (&json!(false), &json!("status")));
    }
}

#[tokio::test]
async fn every_node_tells_of_every_node() {
    let app = TestApp::start().await;
    let other = app.another_node("other").await;
    let tenant = app.tenant("one").await;
    let there = tenant.api.through(&other.address());
    for path in ["/live?topics=message".to_owned(), tenant.path("/live?topics=message")] {
        let mut watcher = Watcher::begin(&there, &path).await;
        let message = tenant.message("a.b", json!({})).await;
        assert_eq!(watcher.next_of("message").await["id"], message.as_str(), "{path}");
    }
}

#[tokio::test]
async fn much_is_told_in_part_and_counted_whole() {
    let app = LocalApp::start().await;
    let tenant = app.tenant("one").await;
    let mut watcher = Watcher::begin(&tenant.api, &tenant.path("/live?topics=message")).await;
    let messages: Vec<Value> = (0..500).map(|n| json!({"eventType": "a.b", "payload": {"n": n}})).collect();
    tenant.api.post(&tenant.path("/msg/batch"), &json!({"messages": messages})).await.expect(202);
    let (mut told, mut shown, mut of) = (0, 0, 0);
    while of < 500 {
        let (name, data) = watcher.next().await.unwrap();
        match name.as_str() {
            "message" => told += 1,
            "sampled" => {
                assert!(data["shown"].as_u64().unwrap() <= 20, "{data}");
                shown += data["shown"].as_u64().unwrap();
                of += data["of"].as_u64().unwrap();
            }
            other => panic!("{other} {data}"),
        }
    }
    assert_eq!((of, told), (500, shown));
    assert!(shown < 100, "{shown}");
    // Once it is whole again, that is said.
    let last = tenant.message("a.b", json!({})).await;
    loop {
        let (name, data) = watcher.next().await.unwrap();
        if name == "sampled" && data["shown"] == data["of"] {
            break;
        }
        assert!(name == "sampled" || data["id"] == last.as_str(), "{name} {data}");
    }
}

#[tokio::test]
async fn counters_come_again_and_again_for_longer_than_an_answer_may_take() {
    let app = Setup::default().with("ANSWER_TIMEOUT", "1s").start_local().await;
    let receiver = Receiver::start().await;
    let tenant = app.tenant("one").await;
    tenant.endpoint(&receiver.hook("/one"), json!({})).await;
    let mut of_environment = Watcher::begin(&app.environment(), "/live?topics=counters").await;
    let mut of_tenant = Watcher::begin(&tenant.api, &tenant.path("/live?topics=counters")).await;
    tenant.message("a.b", json!({})).await;
    for watcher in [&mut of_environment, &mut of_tenant] {
        let (mut accepted, mut delivered) = (false, false);
        while !(accepted && delivered) {
            let counters = watcher.next_of("counters").await;
            accepted |= counters["acceptedPerSecond"].as_f64().unwrap() > 0.0;
            delivered |= counters["deliveredPerSecond"].as_f64().unwrap() > 0.0;
            assert_eq!(counters["failedPerSecond"], 0.0);
            assert!(counters["due"].is_i64(), "{counters}");
        }
    }
    let later = of_environment.next_of("counters").await;
    assert!(later["inFlight"].is_i64(), "{later}");
    assert_eq!(
        of_tenant.next_of("counters").await["inFlight"],
        Value::Null,
        "it is not known of one application"
    );
}

#[tokio::test]
async fn a_stream_ends_with_its_credential() {
    let app = LocalApp::start().await;
    let (tenant, environment) = (app.tenant("one").await, app.environment());
    let made = environment.post("/api-key", &json!({"name": "short"})).await.expect(201);
    let by_key = app.api().with_token(made["key"].as_str().unwrap());
    let access = format!("/auth/app-portal-access/{}", tenant.id);
    let link = environment.post(&access, &json!({})).await.expect(200);
    let by_link = app.api().with_token(link["token"].as_str().unwrap());
    let mut watchers = [
        Watcher::begin(&by_key, "/live?topics=message").await,
        Watcher::begin(&by_link, &tenant.path("/live?topics=message")).await,
    ];
    environment.delete(&format!("/api-key/{}", made["id"].as_str().unwrap())).await.expect(204);
    by_link.post("/auth/logout", &json!({})).await.expect(204);
    for watcher in &mut watchers {
        let (name, bye) = watcher.next().await.unwrap();
        assert_eq!((name.as_str(), &bye["reason"]), ("bye", &json!("signed_out")));
        assert_eq!(watcher.next().await, None);
    }
}

#[tokio::test]
async fn a_stream_does_not_keep_a_node_from_stopping() {
    let mut app = TestApp::start().await;
    let mut watcher = Watcher::begin(&app.environment(), "/live?topics=message").await;
    assert!(app.node_mut().terminate().await.success());
    let (name, bye) = watcher.next().await.unwrap();
    assert_eq!((name.as_str(), &bye["reason"]), ("bye", &json!("shutting_down")));
    assert_eq!(watcher.next().await, None);
}

#[tokio::test]
async fn a_credential_has_so_many_streams_and_no_more() {
    let app = LocalApp::start().await;
    let api = app.environment();
    let mut watchers = Vec::new();
    for _ in 0..20 {
        watchers.push(Watcher::begin(&api, "/live?topics=message").await);
    }
    let refused = api.get("/live?topics=message").await;
    refused.expect_error(429, "too_many_requests");
    assert!(refused.headers.contains_key("retry-after"));
    Watcher::begin(&app.api().claiming(&json!({"sub": "org_other"})), "/live?topics=message").await;
    watchers.pop();
    until("there is room again", || async {
        (api.get("/live?topics=message").await.status == 200).then_some(())
    })
    .await;
}

/// A tenant has as many links as it asks for.
#[tokio::test]
async fn a_tenant_has_so_many_streams_by_all_of_its_links_together() {
    let app = LocalApp::start().await;
    let (tenant, other) = (app.tenant("one").await, app.tenant("other").await);
    let link = |of: &str, nth: usize| {
        app.api().claiming(&json!({"sub": of, "org": "org_test", "jti": format!("link {nth}")}))
    };
    let mut watchers = Vec::new();
    for nth in 0..40 {
        watchers.push(Watcher::begin(&link(&tenant.id, nth % 3), &tenant.path("/live?topics=message")).await);
    }
    let refused = link(&tenant.id, 4).get(&tenant.path("/live?topics=message")).await;
    refused.expect_error(429, "too_many_requests");
    Watcher::begin(&link(&other.id, 4), &other.path("/live?topics=message")).await;
    Watcher::begin(&app.environment(), "/live?topics=message").await;
}

#[tokio::test]
async fn what_cannot_be_watched_is_refused() {
    let app = LocalApp::start().await;
    let (one, other) = (app.tenant("one").await, app.tenant("other").await);
    let api = app.environment();
    let refused = async |api: &Api, path: &str| api.get(path).await;
    for path in ["/live?topics=", "/live?topics=messages", "/live?topics=message,,attempt"] {
        assert!(refused(&api, path).await.expect_invalid().contains_key("query.topics"), "{path}");
    }
    refused(&api, "/live").await.expect_invalid();
    let alone = refused(&api, "/live?topics=message&endpoint_id=x").await;
    assert!(alone.expect_invalid().contains_key("query.endpoint_id"));
    for path in [
        "/live?topics=message&app_id=nobody".to_owned(),
        one.path("/live?topics=message&endpoint_id=nobody"),
        "/app/nobody/live?topics=message".to_owned(),
    ] {
        refused(&api, &path).await.expect_error(404, "not_found");
    }
    let own = app.api().claiming(&json!({"sub": one.id, "org": "org_test"}));
    refused(&own, "/live?topics=message").await.expect_error(403, "forbidden");
    refused(&own, &other.path("/live?topics=message")).await.expect_error(404, "not_found");
    refused(&app.operator(), "/live?topics=message").await.expect_error(400, "environment_required");
}
