//! Operational webhooks: an environment is told what becomes of its tenants' endpoints, signed, once, and never in a
//! storm; a crash loses nothing of it.

use std::collections::{BTreeMap, BTreeSet};

use postrider::maintenance::{self, MaintenanceOptions, Round};
use serde_json::{Value, json};

use crate::support::receiver::Hook;
use crate::support::store::store as store_of;
use crate::support::{Api, Receiver, Reply, Setup, Tenant, until};

const ENDPOINTS: &str = "/operational-webhook/endpoint";

fn setup() -> Setup {
    Setup::default().with("OPERATIONAL_WINDOW", "1s").with("RETRY_SCHEDULE", "20ms,20ms,20ms,20ms,20ms")
}

/// Registers an operational endpoint. Returns its id.
async fn listen(api: &Api, hook: &Hook, settings: Value) -> String {
    let mut body = json!({"url": hook.url, "secret": hook.secret});
    body.as_object_mut().unwrap().extend(settings.as_object().unwrap().clone());
    let made = api.post(ENDPOINTS, &body).await.expect(201);
    made["id"].as_str().unwrap().to_owned()
}

/// What came, each message once, in the order of arrival: the suite's receiver has verified every signature.
fn told(receiver: &Receiver, hook: &Hook) -> Vec<Value> {
    let mut seen = BTreeSet::new();
    let all = receiver.received_at(hook).into_iter();
    all.filter(|request| request.answered == Some(200) && seen.insert(request.id.clone()))
        .map(|request| serde_json::from_slice(&request.body).unwrap())
        .collect()
}

/// Returns when those of this type, and about this endpoint, stand for so many.
async fn told_of(receiver: &Receiver, hook: &Hook, kind: &str, endpoint: &str, number: u64) -> Vec<Value> {
    until(&format!("{kind} for {number}"), || async {
        let about: Vec<Value> = told(receiver, hook)
            .into_iter()
            .filter(|body| body["type"] == kind && body["data"]["endpointId"] == endpoint)
            .collect();
        let sum: u64 = about.iter().map(|body| body["data"]["count"].as_u64().unwrap_or(1)).sum();
        assert!(sum <= number, "{kind}: {sum} of {number} were told");
        (sum == number).then_some(about)
    })
    .await
}

#[tokio::test]
async fn each_change_of_an_endpoint_is_told() {
    let (app, receiver) = (setup().start_local().await, Receiver::start().await);
    let api = app.environment();
    let ops = receiver.hook("/ops");
    listen(&api, &ops, json!({})).await;
    let made = api.post("/app", &json!({"name": "One", "uid": "one"})).await.expect(201);
    let tenant = Tenant { api: api.clone(), id: made["id"].as_str().unwrap().to_owned() };
    let gone = receiver.hook_that("/gone", |_| Reply::Status(410));
    let endpoint = tenant.endpoint(&gone, json!({"uid": "first"})).await;
    let created = told_of(&receiver, &ops, "endpoint.created", &endpoint, 1).await;
    let data = json!({"appId": tenant.id, "appUid": "one", "endpointId": endpoint, "endpointUid": "first"});
    assert_eq!(created[0]["data"], data);
    assert!(created[0]["timestamp"].is_string(), "{}", created[0]);

    tenant.patch_endpoint(&endpoint, json!({"description": "changed"})).await;
    let headers = tenant.path(&format!("/endpoint/{endpoint}/headers"));
    api.put(&headers, &json!({"headers": {"x-a": "b"}})).await.expect(204);
    told_of(&receiver, &ops, "endpoint.updated", &endpoint, 2).await;
    tenant.message("made", json!({})).await;
    let disabled = told_of(&receiver, &ops, "endpoint.disabled", &endpoint, 1).await;
    assert_eq!(disabled[0]["data"]["reason"], "gone");
    told_of(&receiver, &ops, "dead_letter.created", &endpoint, 1).await;
    api.delete(&tenant.path("/endpoint/first")).await.expect(204);
    let deleted = told_of(&receiver, &ops, "endpoint.deleted", &endpoint, 1).await;
    assert_eq!(deleted[0]["data"]["endpointUid"], "first");

    let second = tenant.endpoint(&receiver.hook("/second"), json!({"disabled": true})).await;
    tenant.patch_endpoint(&second, json!({"disabled": false})).await;
    tenant.patch_endpoint(&second, json!({"disabled": true})).await;
    let disabled = told_of(&receiver, &ops, "endpoint.disabled", &second, 1).await;
    assert_eq!(disabled[0]["data"]["reason"], "request");
    api.delete(&tenant.path("")).await.expect(204);
    told_of(&receiver, &ops, "endpoint.deleted", &second, 1).await;
    app.settled().await;
    assert_eq!(app.database().count("SELECT count(*) FROM operational_notice").await, 0);
}

#[tokio::test]
async fn failing_exhausted_and_recovered_deliveries_are_told_with_their_last_attempt() {
    let (app, receiver) = (setup().start_local().await, Receiver::start().await);
    let tenant = app.tenant("one").await;
    let ops = receiver.hook("/ops");
    listen(&tenant.api, &ops, json!({})).await;
    let (never, late) = (
        receiver.hook_that("/never", |_| Reply::Status(500)),
        receiver.hook_that("/late", |request| Reply::Status(if request.nth < 5 { 503 } else { 200 })),
    );
    let (never_id, late_id) =
        (tenant.endpoint(&never, json!({})).await, tenant.endpoint(&late, json!({})).await);
    let body = json!({"eventType": "made", "eventId": "order-7", "payload": {}});
    let id = tenant.message_of(body).await;

    for (endpoint, kind, status) in [
        (&never_id, "message.attempt.failing", 500),
        (&never_id, "message.attempt.exhausted", 500),
        (&late_id, "message.attempt.failing", 503),
        (&late_id, "message.attempt.recovered", 200),
    ] {
        let about = told_of(&receiver, &ops, kind, endpoint, 1).await;
        let data = &about[0]["data"];
        assert_eq!((&data["appId"], &data["count"]), (&json!(tenant.id), &json!(1)));
        assert_eq!((&data["msgId"], &data["msgEventId"]), (&json!(id), &json!("order-7")));
        assert_eq!(data["msgIds"], json!([id]));
        assert_eq!(data["lastAttempt"]["responseStatusCode"], status, "{data}");
        let attempts = tenant.attempts(endpoint).await;
        let named = attempts.iter().position(|attempt| attempt["id"] == data["lastAttempt"]["id"]);
        let from_the_end = if kind == "message.attempt.failing" { attempts.len() - 4 } else { 0 };
        assert_eq!(named, Some(from_the_end), "{kind}");
    }
    let letters = tenant.dead_letters().await;
    let about = told_of(&receiver, &ops, "dead_letter.created", &never_id, 1).await;
    assert_eq!(about[0]["data"]["deadLetterIds"], json!([letters[0]["id"]]));
    app.settled().await;
    let types: BTreeMap<String, usize> =
        told(&receiver, &ops).into_iter().fold(BTreeMap::new(), |mut all, body| {
            *all.entry(body["type"].as_str().unwrap().to_owned()).or_default() += 1;
            all
        });
    assert_eq!(types.get("message.attempt.recovered"), Some(&1), "{types:?}");
    assert_eq!(types.get("message.attempt.exhausted"), Some(&1), "{types:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_thousand_dead_letters_are_told_in_a_few_webhooks_in_spite_of_kills() {
    let mut app = setup().with("RETRY_SCHEDULE", "20ms").with("LOG", "warn").start().await;
    let mut other = app.another_node("other").await;
    let receiver = Receiver::start().await;
    let tenant = app.tenant("one").await;
    let ops = receiver.hook("/ops");
    listen(&tenant.api, &ops, json!({"filterTypes": ["dead_letter.created"]})).await;
    let failing = receiver.hook_that("/failing", |_| Reply::Status(500));
    let endpoint = tenant.endpoint(&failing, json!({})).await;
    let mut posts = tokio::task::JoinSet::new();
    for worker in 0..20 {
        let tenant = tenant.clone();
        posts.spawn(async move {
            for number in 0..50 {
                // Once, whichever answers were lost.
                let body =
                    json!({"eventType": "made", "eventId": format!("{worker}-{number}"), "payload": {}});
                until("it is accepted", || async {
                    let post = tenant.api.request(reqwest::Method::POST, &tenant.path("/msg")).json(&body);
                    let answer = Api::try_send(post).await.ok()?;
                    [202, 409].contains(&answer.status).then_some(())
                })
                .await;
            }
        });
    }
    for share in [300, 900, 1_500] {
        receiver
            .wait_until("a share", |all| all.iter().filter(|one| one.path == failing.path).count() >= share)
            .await;
        app.node_mut().kill9();
        app.node_mut().restart().await;
    }
    posts.join_all().await;
    until("a first webhook", || async { (!told(&receiver, &ops).is_empty()).then_some(()) }).await;
    other.kill9();
    let about = told_of(&receiver, &ops, "dead_letter.created", &endpoint, 1_000).await;
    assert_eq!(app.database().count("SELECT count(*) FROM dead_letter").await, 1_000);
    assert!(about.len() <= 60, "{} webhooks for a thousand dead letters", about.len());
    for body in &about {
        let named = body["data"]["deadLetterIds"].as_array().unwrap().len() as u64;
        assert_eq!(named, body["data"]["count"].as_u64().unwrap().min(100), "{body}");
    }
    // None comes after: they have all been told.
    until("no notice is left", || async {
        (app.database().count("SELECT count(*) FROM operational_notice").await == 0).then_some(())
    })
    .await;
    app.settled().await;
    told_of(&receiver, &ops, "dead_letter.created", &endpoint, 1_000).await;
    assert_eq!(told(&receiver, &ops).len(), about.len());
    let filtered = told(&receiver, &ops).iter().all(|body| body["type"] == "dead_letter.created");
    assert!(filtered, "fan-out by event type is that of any endpoint");
}

/// A crash between posting a notice and forgetting it leaves the notice behind.
#[tokio::test]
async fn a_notice_that_is_posted_again_is_not_a_second_message() {
    let (app, receiver) = (setup().start_local().await, Receiver::start().await);
    let tenant = app.tenant("one").await;
    let ops = receiver.hook("/ops");
    listen(&tenant.api, &ops, json!({})).await;
    let endpoint = tenant.endpoint(&receiver.hook("/hook"), json!({})).await;
    told_of(&receiver, &ops, "endpoint.created", &endpoint, 1).await;
    let count = "SELECT count(*) FROM operational_notice";
    until("it is forgotten", || async { (app.database().count(count).await == 0).then_some(()) }).await;
    let again = sqlx::query(
        "INSERT INTO operational_notice (id, environment_id, application_id, endpoint_id, kind, sealed)
         SELECT replace(m.event_id, 'notice-', '')::uuid, a.environment_id, a.id, e.id, m.event_type, true
         FROM message m, application a JOIN endpoint e ON e.application_id = a.id
         WHERE m.event_type = 'endpoint.created' AND a.purpose IS NULL",
    )
    .execute(&app.database().pool)
    .await
    .unwrap();
    assert_eq!(again.rows_affected(), 1);
    until("it is forgotten again", || async { (app.database().count(count).await == 0).then_some(()) }).await;
    tenant.patch_endpoint(&endpoint, json!({"description": "x"})).await;
    told_of(&receiver, &ops, "endpoint.updated", &endpoint, 1).await;
    app.done().await;
    assert_eq!(told(&receiver, &ops).len(), 2);
    assert_eq!(app.database().count("SELECT count(*) FROM message").await, 2);
}

#[tokio::test]
async fn what_is_buried_is_told_as_well() {
    let (app, receiver) = (setup().start_local().await, Receiver::start().await);
    let tenant = app.tenant("one").await;
    let ops = receiver.hook("/ops");
    listen(&tenant.api, &ops, json!({"filterTypes": ["dead_letter.created"]})).await;
    let endpoint = tenant.endpoint(&receiver.hook("/hook"), json!({"disabled": true})).await;
    for number in 0..120 {
        tenant.message("made", json!({"number": number})).await;
    }
    tenant.api.delete(&tenant.path(&format!("/endpoint/{endpoint}"))).await.expect(204);
    let day = std::time::Duration::from_secs(86_400);
    let options = MaintenanceOptions {
        retention: 10 * day,
        hold_limit: 30 * day,
        audit_retention: 400 * day,
        dead_letter_retention: 90 * day,
        open_dead_letter_retention: Some(400 * day),
        task_retention: 30 * day,
        disable_after: None,
    };
    let store = store_of(app.database()).await;
    until("its turn has come", || async {
        maintenance::run(&store.upkeep, options, Round::Minutely).await.unwrap().then_some(())
    })
    .await;
    let about = told_of(&receiver, &ops, "dead_letter.created", &endpoint, 120).await;
    assert_eq!(about.len(), 1, "all of them died in one window");
    assert_eq!(about[0]["data"]["deadLetterIds"].as_array().unwrap().len(), 100);
    app.done().await;
}

#[tokio::test]
async fn what_becomes_of_operational_webhooks_is_not_told_and_they_are_hidden() {
    let (app, receiver) = (setup().start_local().await, Receiver::start().await);
    let tenant = app.tenant("one").await;
    let api = &tenant.api;
    let (deaf, ops) = (receiver.hook_that("/deaf", |_| Reply::Status(500)), receiver.hook("/ops"));
    let deaf_id = listen(api, &deaf, json!({"uid": "deaf"})).await;
    let endpoint = tenant.endpoint(&receiver.hook("/hook"), json!({})).await;
    // It died of its attempts, as any message does, and can be replayed like any.
    let letter = until("a dead letter", || async {
        api.all("/dead-letter", 100).await.into_iter().find(|letter| letter["endpointId"] == deaf_id)
    })
    .await;
    assert_eq!((&letter["eventType"], &letter["reason"]), (&json!("endpoint.created"), &json!("exhausted")));
    let hidden = letter["appId"].as_str().unwrap();
    app.settled().await;
    assert_eq!(app.database().count("SELECT count(*) FROM operational_notice").await, 0, "no loop");
    assert_eq!(app.database().count("SELECT count(*) FROM message").await, 1);

    api.put(&format!("{ENDPOINTS}/deaf"), &json!({"url": ops.url, "filterTypes": ["endpoint.created"]}))
        .await
        .expect(200);
    receiver.now(&ops, |_| Reply::Status(200));
    let key = api.get(&format!("{ENDPOINTS}/deaf/secret")).await.expect(200)["key"].clone();
    receiver.must_verify_with(&ops, &[key.as_str().unwrap()]);
    let id = letter["id"].as_str().unwrap();
    api.post(&format!("/dead-letter/{id}/replay"), &json!({})).await.expect(202);
    told_of(&receiver, &ops, "endpoint.created", &endpoint, 1).await;

    let listed = api.all("/app", 100).await;
    assert!(listed.iter().all(|one| one["id"] != hidden), "{listed:?}");
    let own = app.api().claiming(&json!({"sub": hidden, "org": "org_test"}));
    for caller in [api, &own] {
        caller.get(&format!("/app/{hidden}")).await.expect_error(404, "not_found");
        caller.get(&format!("/app/{hidden}/endpoint")).await.expect_error(404, "not_found");
        caller.get(&format!("/app/{hidden}/msg")).await.expect_error(404, "not_found");
    }
    let message = json!({"eventType": "endpoint.created", "payload": {}});
    api.post(&format!("/app/{hidden}/msg"), &message).await.expect_error(404, "not_found");
    api.delete(&format!("/app/{hidden}")).await.expect_error(404, "not_found");
    let tenants = app.api().claiming(&json!({"sub": tenant.id, "org": "org_test"}));
    tenants.get(ENDPOINTS).await.expect_error(403, "forbidden");
    tenants.post(ENDPOINTS, &json!({"url": ops.url})).await.expect_error(403, "forbidden");
    let foreign = app.api().claiming(&json!({"sub": "org_other"}));
    foreign.get(&format!("{ENDPOINTS}/{deaf_id}")).await.expect_error(404, "not_found");
    assert_eq!(foreign.get(ENDPOINTS).await.expect(200)["data"], json!([]));
    app.done().await;
}

#[tokio::test]
async fn operational_endpoints_are_kept_like_any_and_nothing_is_noted_without_one() {
    let (app, receiver) = (setup().start_local().await, Receiver::start().await);
    let tenant = app.tenant("one").await;
    let api = &tenant.api;
    let failing = receiver.hook_that("/failing", |_| Reply::Status(410));
    assert_eq!(api.get(ENDPOINTS).await.expect(200)["data"], json!([]));
    api.get(&format!("{ENDPOINTS}/none")).await.expect_error(404, "not_found");
    let body = json!({"url": "https://example.com/ops", "uid": "ops", "filterTypes": ["endpoint.disabled"],
        "throttleRate": 5, "metadata": {"a": "b"}, "headers": {"x-a": "b", "authorization": "hush"}});
    let made = api.post(ENDPOINTS, &body).await.expect(201);
    assert_eq!((&made["uid"], &made["throttleRate"]), (&json!("ops"), &json!(5)));
    assert_eq!(api.get(&format!("{ENDPOINTS}/ops")).await.expect(200), made);
    assert_eq!(api.get(ENDPOINTS).await.expect(200)["data"], json!([made]));
    let headers = api.get(&format!("{ENDPOINTS}/ops/headers")).await.expect(200);
    assert_eq!(headers, json!({"headers": {"x-a": "b"}, "sensitive": ["authorization"]}));
    api.put(&format!("{ENDPOINTS}/ops/headers"), &json!({"headers": {}})).await.expect(204);
    let before = api.get(&format!("{ENDPOINTS}/ops/secret")).await.expect(200);
    let after = api.post(&format!("{ENDPOINTS}/ops/secret/rotate"), &json!({})).await.expect(200);
    assert_ne!(before, after);
    assert_eq!(api.get(&format!("{ENDPOINTS}/ops/secret")).await.expect(200), after);
    let changed = json!({"url": "https://example.com/other", "disabled": true});
    let put = api.put(&format!("{ENDPOINTS}/ops"), &changed).await.expect(200);
    assert_eq!((&put["id"], &put["disabled"], &put["url"]), (&made["id"], &json!(true), &changed["url"]));
    api.post(ENDPOINTS, &json!({"url": "ftp://example.com"})).await.expect(422);
    api.delete(&format!("{ENDPOINTS}/ops")).await.expect(204);
    api.get(&format!("{ENDPOINTS}/ops")).await.expect_error(404, "not_found");

    let listeners = "SELECT count(*) FROM environment WHERE operational_application_id IS NOT NULL";
    assert_eq!(app.database().count(listeners).await, 0);
    tenant.endpoint(&failing, json!({})).await;
    tenant.message("made", json!({})).await;
    app.done().await;
    assert_eq!(tenant.dead_letters().await.len(), 1);
    assert_eq!(app.database().count("SELECT count(*) FROM operational_notice").await, 0);
    assert_eq!(app.database().count("SELECT count(*) FROM message").await, 1);
}
