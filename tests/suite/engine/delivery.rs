//! What happens to a message on its way.

use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::json;

use crate::support::clock::{time_passes, wait_after};
use crate::support::{Receiver, Reply, Setup, TestApp, until};

#[tokio::test]
async fn a_message_is_delivered_signed_and_recorded() {
    let (app, receiver) = (TestApp::start().await, Receiver::start().await);
    let tenant = app.tenant("one").await;
    let hook = receiver.hook("/hook");
    let endpoint = tenant.endpoint(&hook, json!({"headers": {"x-from": "the suite"}})).await;
    let id = tenant.message("invoice.paid", json!({"amount": 7})).await;

    let requests = receiver.wait_at(&hook, 1).await;
    assert_eq!(requests[0].id, id);
    assert_eq!(requests[0].body, r#"{"amount":7}"#);
    let header = |name: &str| requests[0].headers.get(name).unwrap().to_str().unwrap();
    assert_eq!(header("content-type"), "application/json");
    assert_eq!(header("x-from"), "the suite");
    assert!(header("user-agent").starts_with(concat!("Postrider/", env!("CARGO_PKG_VERSION"))));
    assert!(header("webhook-timestamp").parse::<i64>().is_ok());

    app.settled().await;
    let attempts = tenant.attempts(&endpoint).await;
    assert_eq!(attempts.len(), 1, "{attempts:?}");
    assert_eq!(attempts[0]["msgId"], id.as_str());
    assert_eq!(attempts[0]["endpointId"], endpoint.as_str());
    assert_eq!(attempts[0]["responseStatusCode"], 200);
    assert_eq!(attempts[0]["response"], "answered 200");
    assert_eq!(attempts[0]["status"], 0);
    assert_eq!(receiver.received().len(), 1);
}

#[tokio::test]
async fn a_message_goes_to_the_endpoints_that_want_it() {
    let (app, receiver) = (TestApp::start().await, Receiver::start().await);
    let (tenant, other) = (app.tenant("one").await, app.tenant("other").await);
    let all = receiver.hook("/all");
    let paid = receiver.hook("/paid");
    let red = receiver.hook("/red");
    let both = receiver.hook("/paid-and-red");
    let foreign = receiver.hook("/of-the-other-tenant");
    tenant.endpoint(&all, json!({"filterTypes": [], "channels": []})).await;
    tenant.endpoint(&paid, json!({"filterTypes": ["invoice.paid"]})).await;
    tenant.endpoint(&red, json!({"channels": ["red", "pink"]})).await;
    tenant.endpoint(&both, json!({"filterTypes": ["invoice.paid"], "channels": ["red"]})).await;
    other.endpoint(&foreign, json!({})).await;

    let mut ids = Vec::new();
    for (kind, channels) in [
        ("invoice.paid", json!(["red"])),
        ("invoice.paid", json!(["blue"])),
        ("invoice.lost", json!(["pink", "blue"])),
        ("invoice.paid", json!(null)),
        ("invoice.paid.twice", json!(null)),
    ] {
        let mut body = json!({"eventType": kind, "payload": {}});
        if !channels.is_null() {
            body["channels"] = channels;
        }
        ids.push(tenant.message_of(body).await);
    }
    app.settled().await;
    let got = |hook| {
        let mut got: Vec<usize> = receiver
            .received_at(hook)
            .iter()
            .map(|request| ids.iter().position(|id| *id == request.id).unwrap())
            .collect();
        got.sort_unstable();
        got
    };
    assert_eq!(got(&all), [0, 1, 2, 3, 4]);
    assert_eq!(got(&paid), [0, 1, 3]);
    assert_eq!(got(&red), [0, 2]);
    assert_eq!(got(&both), [0]);
    assert!(receiver.received_at(&foreign).is_empty());
}

#[tokio::test]
async fn an_endpoint_that_was_made_before_the_post_gets_it() {
    let (app, receiver) = (TestApp::start().await, Receiver::start().await);
    let tenant = app.tenant("one").await;
    // The fan-out's snapshot of the tenant is made by the first message, and is stale at each of the next.
    for number in 0..8 {
        let hook = receiver.hook(&format!("/{number}"));
        tenant.endpoint(&hook, json!({})).await;
        tenant.message("made", json!({"number": number})).await;
    }
    app.settled().await;
    for number in 0..8 {
        let last = receiver.received().iter().filter(|one| one.path == format!("/{number}")).count();
        assert_eq!(last, 8 - number, "endpoint {number}");
    }
}

#[tokio::test]
async fn rotated_keys_sign_along() {
    let (app, receiver) = (TestApp::start().await, Receiver::start().await);
    let tenant = app.tenant("one").await;
    let hook = receiver.hook("/hook");
    let endpoint = tenant.endpoint(&hook, json!({})).await;
    let secret_path = tenant.path(&format!("/endpoint/{endpoint}/secret"));
    let rotate = format!("{secret_path}/rotate");
    let second = tenant.api.post(&rotate, &json!({})).await.expect(200)["key"].as_str().unwrap().to_owned();
    let third = format!("whsec_{}", STANDARD.encode([9; 24]));
    tenant.api.post(&rotate, &json!({"key": third})).await.expect(200);
    assert_eq!(tenant.api.get(&secret_path).await.expect(200)["key"], third.as_str());

    receiver.must_verify_with(&hook, &[&hook.secret, &second, &third]);
    tenant.message("made", json!({})).await;
    let requests = receiver.wait_at(&hook, 1).await;
    let signatures = requests[0].headers["webhook-signature"].to_str().unwrap();
    assert_eq!(signatures.split(' ').count(), 3, "{signatures}");
    app.settled().await;
}

#[tokio::test]
async fn an_ed25519_secret_signs_for_its_public_key() {
    let (app, receiver) = (TestApp::start().await, Receiver::start().await);
    let tenant = app.tenant("one").await;
    let mut hook = receiver.hook("/hook");
    // The pair that the Standard Webhooks libraries test with.
    hook.secret =
        "whsk_6Xb/dCcHpPea21PS1N9VY/NZW723CEc77N4rJCubMbfVKIDij2HKpMKkioLlX0dRqSKJp4AJ6p9lMicMFs6Kvg=="
            .into();
    receiver.must_verify_with(&hook, &["whpk_1SiA4o9hyqTCpIqC5V9HUakiiaeACeqfZTInDBbOir4="]);
    tenant.endpoint(&hook, json!({})).await;
    tenant.message("made", json!({"a": 1})).await;
    let requests = receiver.wait_at(&hook, 1).await;
    assert!(requests[0].headers["webhook-signature"].to_str().unwrap().starts_with("v1a,"));
    app.settled().await;
}

#[tokio::test]
async fn a_failing_endpoint_is_tried_again_with_the_same_id_and_a_new_timestamp() {
    let app = Setup::default().with("RETRY_SCHEDULE", "2s,100ms").start().await;
    let receiver = Receiver::start().await;
    let tenant = app.tenant("one").await;
    let hook = receiver.hook_that("/hook", |request| Reply::Status([500, 503, 200][request.nth - 1]));
    let endpoint = tenant.endpoint(&hook, json!({})).await;
    let id = tenant.message("made", json!({})).await;
    let requests = receiver.wait_at(&hook, 3).await;
    app.settled().await;
    assert!(requests.iter().all(|request| request.id == id));
    assert_ne!(requests[0].headers["webhook-timestamp"], requests[1].headers["webhook-timestamp"]);
    let attempts = tenant.attempts(&endpoint).await;
    let statuses: Vec<_> = attempts.iter().map(|attempt| attempt["responseStatusCode"].clone()).collect();
    assert_eq!(statuses, [200, 503, 500]);
    assert!(tenant.dead_letters().await.is_empty());
}

#[tokio::test]
async fn a_disabled_endpoint_holds_and_enabling_releases() {
    let (app, receiver) = (TestApp::start().await, Receiver::start().await);
    let tenant = app.tenant("one").await;
    let (held, open) = (receiver.hook("/held"), receiver.hook("/open"));
    let endpoint = tenant.endpoint(&held, json!({"disabled": true})).await;
    tenant.endpoint(&open, json!({})).await;
    for number in 0..20 {
        tenant.message("made", json!({"number": number})).await;
    }
    app.settled().await;
    assert_eq!(receiver.received_at(&open).len(), 20);
    assert!(receiver.received_at(&held).is_empty());
    assert_eq!(app.database().count("SELECT count(*) FROM delivery WHERE state = 3").await, 20);

    tenant.patch_endpoint(&endpoint, json!({"disabled": false})).await;
    receiver.wait_at(&held, 20).await;
    app.done().await;
    assert_eq!(receiver.received_at(&held).len(), 20);
}

#[tokio::test]
async fn disabling_stops_the_retries_too() {
    let app = Setup::default().with("RETRY_SCHEDULE", "1h").start().await;
    let receiver = Receiver::start().await;
    let tenant = app.tenant("one").await;
    let hook = receiver.hook_that("/hook", |request| Reply::Status(if request.nth == 1 { 500 } else { 200 }));
    let endpoint = tenant.endpoint(&hook, json!({"filterTypes": ["made"]})).await;
    tenant.message("made", json!({})).await;
    wait_after(app.database(), 1).await;
    tenant.patch_endpoint(&endpoint, json!({"disabled": true})).await;
    time_passes(app.database(), Duration::from_secs(7200)).await;

    // What is due must not go. A delivery to another endpoint that comes after shows that the claimer went by.
    let open = receiver.hook_that("/open", |request| Reply::Status(if request.nth == 1 { 500 } else { 200 }));
    tenant.endpoint(&open, json!({"filterTypes": ["other"]})).await;
    tenant.message("other", json!({})).await;
    until("the other one waits", || async {
        let waits = "SELECT count(*) FROM pending p JOIN delivery d USING (message_id, endpoint_id) \
                     WHERE d.state = 2 AND p.due_at > now() AND p.attempts = 1";
        (app.database().count(waits).await == 1).then_some(())
    })
    .await;
    time_passes(app.database(), Duration::from_secs(7200)).await;
    receiver.wait_at(&open, 2).await;
    assert_eq!(receiver.received_at(&hook).len(), 1);

    tenant.patch_endpoint(&endpoint, json!({"disabled": false})).await;
    receiver.wait_at(&hook, 2).await;
    app.done().await;
}

#[tokio::test]
async fn gone_disables_the_endpoint_and_buries_the_delivery() {
    let (mut app, receiver) = (TestApp::start().await, Receiver::start().await);
    let tenant = app.tenant("one").await;
    let hook = receiver.hook_that("/hook", |_| Reply::Status(410));
    let endpoint = tenant.endpoint(&hook, json!({})).await;
    let id = tenant.message("made", json!({})).await;
    app.settled().await;
    let endpoint_now = tenant.get_endpoint(&endpoint).await;
    assert_eq!(endpoint_now["disabled"], true);
    assert_eq!(receiver.received().len(), 1);
    let dead = tenant.dead_letters().await;
    assert_eq!(dead.len(), 1);
    assert_eq!(dead[0]["reason"], "gone");
    assert_eq!(dead[0]["msgId"].as_str().or(dead[0]["messageId"].as_str()), Some(id.as_str()), "{dead:?}");

    // What comes after is held, not dropped.
    tenant.message("made", json!({})).await;
    until("the next is held", || async {
        let held = app.database().count("SELECT count(*) FROM delivery WHERE state = 3").await;
        (held == 1).then_some(())
    })
    .await;
    assert_eq!(receiver.received().len(), 1);
    app.leave_work();
}

#[tokio::test]
async fn retry_after_is_honoured_when_it_is_longer() {
    let app = Setup::default().with("RETRY_SCHEDULE", "60s,60s").start().await;
    let receiver = Receiver::start().await;
    let tenant = app.tenant("one").await;
    let hook = receiver.hook_that("/hook", |request| match request.nth {
        1 => Reply::With(429, "retry-after", "3600".to_owned()),
        2 => Reply::With(503, "retry-after", "1".to_owned()),
        _ => Reply::Status(204),
    });
    tenant.endpoint(&hook, json!({})).await;
    tenant.message("made", json!({})).await;

    let wait = wait_after(app.database(), 1).await;
    assert!(wait.since_attempt >= 3600.0 && wait.from_now <= 3600.0 * 1.1, "{wait:?}");
    time_passes(app.database(), Duration::from_secs(3961)).await;
    let wait = wait_after(app.database(), 2).await;
    assert!(wait.since_attempt >= 54.0, "{wait:?}");
    time_passes(app.database(), Duration::from_secs(4000)).await;
    receiver.wait_at(&hook, 3).await;
    app.settled().await;
}

#[tokio::test]
async fn a_redirect_is_a_failure_and_is_not_followed() {
    let app = Setup::default().with("RETRY_SCHEDULE", "50ms").start().await;
    let receiver = Receiver::start().await;
    let tenant = app.tenant("one").await;
    let elsewhere = receiver.hook("/elsewhere");
    let url = elsewhere.url.clone();
    let hook = receiver.hook_that("/hook", move |_| Reply::With(307, "location", url.clone()));
    let endpoint = tenant.endpoint(&hook, json!({})).await;
    tenant.message("made", json!({})).await;
    app.settled().await;
    assert!(receiver.received_at(&elsewhere).is_empty());
    let attempts = tenant.attempts(&endpoint).await;
    assert_eq!(attempts.len(), 2);
    assert!(attempts.iter().all(|attempt| attempt["responseStatusCode"] == 307), "{attempts:?}");
    assert_eq!(tenant.dead_letters().await.len(), 1);
}

#[tokio::test]
async fn an_endpoint_that_never_answers_times_out_and_delays_nobody() {
    let app = Setup::default().with("RETRY_SCHEDULE", "none").with("REQUEST_TIMEOUT", "2s").start().await;
    let receiver = Receiver::start().await;
    let (hanging, well) = (app.tenant("hanging").await, app.tenant("well").await);
    let silent = receiver.hook_that("/silent", |_| Reply::Hang);
    let dripping = receiver.hook_that("/dripping", |_| Reply::Drip);
    let good = receiver.hook("/good");
    let silent_endpoint = hanging.endpoint(&silent, json!({})).await;
    hanging.endpoint(&dripping, json!({})).await;
    well.endpoint(&good, json!({})).await;
    for _ in 0..24 {
        hanging.message("made", json!({})).await;
    }
    // While the others hang, the good one gets everything: it has all its messages before one of theirs ended.
    receiver.wait_at(&silent, 1).await;
    for _ in 0..40 {
        well.message("made", json!({})).await;
    }
    receiver.wait_at(&good, 40).await;
    let waiting = app.database().count("SELECT count(*) FROM delivery WHERE state IN (1, 2)").await;
    assert!(waiting > 0, "the hanging ones were still hanging");
    app.settled().await;
    let attempts = hanging.attempts(&silent_endpoint).await;
    assert_eq!(attempts.len(), 24);
    assert!(attempts.iter().all(|attempt| attempt["status"] == 2), "{:?}", attempts[0]);
    assert_eq!(hanging.dead_letters().await.len(), 48);
    assert!(well.dead_letters().await.is_empty());
}

#[tokio::test]
async fn an_endless_answer_is_bounded() {
    let app = Setup::default().with("RETRY_SCHEDULE", "none").with("REQUEST_TIMEOUT", "5s").start().await;
    let receiver = Receiver::start().await;
    let tenant = app.tenant("one").await;
    let hook = receiver.hook_that("/hook", |_| Reply::Flood);
    let endpoint = tenant.endpoint(&hook, json!({})).await;
    tenant.message("made", json!({})).await;
    app.settled().await;
    let attempts = tenant.attempts(&endpoint).await;
    assert_eq!(attempts.len(), 1);
    let kept = attempts[0]["response"].as_str().unwrap().len();
    assert!(kept <= 16 * 1024, "{kept}");
}

#[tokio::test]
async fn a_connection_that_breaks_is_tried_again() {
    let (app, receiver) = (TestApp::start().await, Receiver::start().await);
    let tenant = app.tenant("one").await;
    let hook = receiver.hook_that("/hook", |request| match request.nth {
        1 => Reply::Break,
        _ => Reply::Status(200),
    });
    let endpoint = tenant.endpoint(&hook, json!({})).await;
    tenant.message("made", json!({})).await;
    receiver.wait_at(&hook, 2).await;
    app.settled().await;
    assert_eq!(tenant.attempts(&endpoint).await.len(), 2);
}

#[tokio::test]
async fn an_endpoints_own_schedule_rules_its_retries() {
    let app = Setup::default().with("RETRY_SCHEDULE", "1h").start().await;
    let receiver = Receiver::start().await;
    let tenant = app.tenant("one").await;
    let hook = receiver.hook_that("/hook", |_| Reply::Status(500));
    let endpoint = tenant.endpoint(&hook, json!({"retrySchedule": [0.05, 0.05]})).await;
    let never = receiver.hook_that("/never-again", |_| Reply::Status(500));
    let once = tenant.endpoint(&never, json!({"retrySchedule": []})).await;
    tenant.message("made", json!({})).await;
    app.settled().await;
    assert_eq!(tenant.attempts(&endpoint).await.len(), 3);
    assert_eq!(tenant.attempts(&once).await.len(), 1);
    assert_eq!(tenant.dead_letters().await.len(), 2);
}
