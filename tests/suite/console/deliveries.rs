//! The deliveries of a message, each with why it stands where it does.

use serde_json::{Value, json};

use crate::support::receiver::Hook;
use crate::support::{Api, LocalApp, Receiver, Reply, Setup, Tenant, until};

/// The delivery to an endpoint.
async fn delivery(tenant: &Tenant, message: &str, endpoint: &str) -> Value {
    let all = tenant.api.all(&tenant.path(&format!("/msg/{message}/delivery")), 250).await;
    let found = all.iter().find(|delivery| delivery["endpointId"] == endpoint);
    found.unwrap_or_else(|| panic!("{endpoint} in {all:?}")).clone()
}

/// The delivery, once it is in that state for that reason.
async fn standing(tenant: &Tenant, message: &str, endpoint: &str, code: &str) -> Value {
    until(code, || async {
        let found = delivery(tenant, message, endpoint).await;
        (found["why"]["code"] == code).then_some(found)
    })
    .await
}

fn hook(receiver: &Receiver, path: &str, status: u16) -> Hook {
    receiver.hook_that(path, move |_| Reply::Status(status))
}

#[tokio::test]
async fn every_delivery_says_where_it_stands_and_why() {
    let mut app = Setup::default().with("RETRY_SCHEDULE", "1h,2h").start_local().await;
    app.leave_work();
    let receiver = Receiver::start().await;
    let tenant = app.tenant("one").await;
    let good = tenant.endpoint(&hook(&receiver, "/good", 200), json!({"description": "Good"})).await;
    let failing = tenant.endpoint(&hook(&receiver, "/failing", 503), json!({})).await;
    let dead = tenant.endpoint(&hook(&receiver, "/dead", 500), json!({"retrySchedule": []})).await;
    let gone = tenant.endpoint(&hook(&receiver, "/gone", 410), json!({})).await;
    let busy = receiver.hook_that("/busy", |_| Reply::With(429, "retry-after", "3600".to_owned()));
    let busy = tenant.endpoint(&busy, json!({})).await;
    let disabled = tenant.endpoint(&hook(&receiver, "/disabled", 200), json!({})).await;
    tenant.patch_endpoint(&disabled, json!({"disabled": true})).await;
    let deleted = tenant.endpoint(&hook(&receiver, "/deleted", 200), json!({})).await;
    let message = tenant.message("a", json!({})).await;
    receiver.wait_for(6).await;
    let endpoint = tenant.path(&format!("/endpoint/{deleted}"));
    standing(&tenant, &message, &deleted, "delivered").await;
    tenant.api.delete(&endpoint).await.expect(204);

    let found = standing(&tenant, &message, &good, "delivered").await;
    assert_eq!(
        (&found["state"], &found["attemptsMade"], &found["attemptsPlanned"], &found["lastStatusCode"]),
        (&json!("delivered"), &json!(1), &json!(3), &json!(200))
    );
    assert_eq!((&found["endpointDescription"], &found["why"]["at"]), (&json!("Good"), &found["settledAt"]));
    assert!(found["settledAt"].is_string() && found["lastFailure"].is_null(), "{found}");

    let found = standing(&tenant, &message, &failing, "retry").await;
    assert_eq!(
        (&found["state"], &found["attemptsMade"], &found["lastFailure"]),
        (&json!("waiting"), &json!(1), &json!("status"))
    );
    let next = found["nextAttemptAt"].as_str().unwrap();
    let later: Vec<&str> =
        found["laterAttemptsAt"].as_array().unwrap().iter().map(|at| at.as_str().unwrap()).collect();
    assert!(later.len() == 1 && later[0] > next, "{found}");

    // To be refused as too fast uses nothing of the schedule up: both waits are still to come.
    let found = standing(&tenant, &message, &busy, "retry").await;
    assert_eq!((&found["attemptsMade"], &found["attemptsPlanned"]), (&json!(1), &json!(4)));
    assert_eq!(found["laterAttemptsAt"].as_array().unwrap().len(), 2, "{found}");

    let found = standing(&tenant, &message, &dead, "exhausted").await;
    let letter = tenant.dead_letters().await.into_iter().find(|it| it["endpointId"] == json!(dead)).unwrap();
    assert_eq!((&found["state"], &found["deadLetterId"]), (&json!("dead"), &letter["id"]));
    assert_eq!(found["why"]["at"], letter["diedAt"]);
    let discard = format!("/dead-letter/{}/discard", letter["id"].as_str().unwrap());
    tenant.api.post(&discard, &json!({})).await.expect(200);
    let found = delivery(&tenant, &message, &dead).await;
    assert_eq!((&found["why"]["code"], &found["why"]["by"]), (&json!("discarded"), &json!("org_test")));
    standing(&tenant, &message, &gone, "gone").await;

    let found = delivery(&tenant, &message, &disabled).await;
    assert_eq!((&found["state"], &found["why"]["code"]), (&json!("held"), &json!("disabled_by_request")));
    assert_eq!((&found["why"]["by"], &found["why"]["ahead"]["count"]), (&json!("org_test"), &json!(0)));
    assert!(found["why"]["heldUntil"].is_string() && found["nextAttemptAt"].is_null(), "{found}");
    let found = delivery(&tenant, &message, &deleted).await;
    assert!(found["endpointDeletedAt"].is_string(), "{found}");

    let list = tenant.api.get(&tenant.path(&format!("/msg/{message}/delivery"))).await.expect(200);
    let states: Vec<&str> =
        list["data"].as_array().unwrap().iter().map(|it| it["state"].as_str().unwrap()).collect();
    assert_eq!(states, ["dead", "dead", "held", "waiting", "waiting", "delivered", "delivered"]);
    let own = app.api().claiming(&json!({"sub": tenant.id, "org": "org_test", "cap": ["ViewBase"]}));
    own.get(&tenant.path(&format!("/msg/{message}/delivery"))).await.expect(200);
    let other = app.tenant("other").await;
    tenant.api.get(&other.path(&format!("/msg/{message}/delivery"))).await.expect_error(404, "not_found");
}

async fn pause(api: &Api, path: &str) {
    api.post(&format!("/admin/pause{path}"), &json!({})).await.expect(200);
}

#[tokio::test]
async fn what_is_paused_is_held_by_whoever_paused_it_and_waits_behind_others() {
    let mut app = LocalApp::start().await;
    app.leave_work();
    let receiver = Receiver::start().await;
    let operator = app.operator();
    let asked = json!({"name": "ops", "role": "operator"});
    let key = operator.post("/admin/api-key", &asked).await.expect(201);
    let ops = app.api().with_token(key["key"].as_str().unwrap());
    let tenant = app.tenant("one").await;
    let endpoint = tenant.endpoint(&receiver.hook("/a"), json!({})).await;
    let path = tenant.path(&format!("/endpoint/{endpoint}"));
    pause(&tenant.api, &path).await;
    let mut messages = Vec::new();
    for _ in 0..4 {
        messages.push(tenant.message("a", json!({})).await);
    }
    let last = &messages[3];
    let found = standing(&tenant, last, &endpoint, "endpoint_paused").await;
    assert_eq!(
        (&found["state"], &found["why"]["by"], &found["why"]["ahead"]),
        (&json!("held"), &json!("org_test"), &json!({"count": 3, "isCapped": false}))
    );
    assert!(found["why"]["heldUntil"].is_string());
    tenant.api.post(&format!("/admin/resume{path}"), &json!({})).await.expect(200);
    app.settled().await;

    Api::send(ops.request(reqwest::Method::POST, "/admin/pause").json(&json!({}))).await.expect(200);
    let message = tenant.message("a", json!({})).await;
    let found = standing(&tenant, &message, &endpoint, "all_paused").await;
    assert_eq!((&found["why"]["by"], &found["why"]["heldUntil"]), (&json!("ops"), &Value::Null));
}

/// More than are counted, so that the number says so.
#[tokio::test]
async fn a_queue_is_counted_up_to_a_thousand() {
    let mut app = LocalApp::start().await;
    app.leave_work();
    let receiver = Receiver::start().await;
    let tenant = app.tenant("one").await;
    let endpoint = tenant.endpoint(&receiver.hook("/a"), json!({})).await;
    pause(&tenant.api, &tenant.path(&format!("/endpoint/{endpoint}"))).await;
    let message = tenant.message("a", json!({})).await;
    standing(&tenant, &message, &endpoint, "endpoint_paused").await;
    let crowd = "INSERT INTO pending (message_id, endpoint_id, application_id, due_at, attempts)
         SELECT gen_random_uuid(), p.endpoint_id, p.application_id, p.due_at - interval '1 hour', 0
         FROM pending p, generate_series(1, 1200)";
    sqlx::query(crowd).execute(&app.database().pool).await.unwrap();
    let found = delivery(&tenant, &message, &endpoint).await;
    assert_eq!(found["why"]["ahead"], json!({"count": 1_000, "isCapped": true}));
}

#[tokio::test]
async fn what_waits_for_a_rate_limit_says_so() {
    let mut app = LocalApp::start().await;
    app.leave_work();
    let receiver = Receiver::start().await;
    let tenant = app.tenant("one").await;
    let endpoint = tenant.endpoint(&receiver.hook("/a"), json!({"rateLimit": 1})).await;
    let mut last = String::new();
    for _ in 0..30 {
        last = tenant.message("a", json!({})).await;
    }
    let found = delivery(&tenant, &last, &endpoint).await;
    assert_eq!(found["why"]["code"], "rate_limited", "{found}");
    assert!(found["why"]["ahead"]["count"].as_i64().unwrap() > 0, "{found}");
}
