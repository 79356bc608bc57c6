//! Channels get the format that they take, what does not take an alert gets it again, and the API says how each works.

use serde_json::{Value, json};

use crate::support::server::free_address;
use crate::support::{Api, LocalApp, Receiver, Reply, Setup, until};
use crate::telemetry::scrape::Scrape;

use super::NOW;
use super::chat::Chat;
use super::smtp::SmtpServer;

/// A rule sent an alert a moment ago, and its condition is about to be met again.
const ALERTED_A_MOMENT_AGO: &str = "
    UPDATE alert_rule SET suppress_seconds = 3600, alerted_at = now(), is_alerted = false, firing_since = NULL
    WHERE name = 'Dead letters'";

async fn channel(api: &Api, name: &str, kind: &str, target: Option<String>, min_severity: &str) -> String {
    let body = json!({"name": name, "kind": kind, "target": target, "minSeverity": min_severity});
    let created = api.post("/alert-channel", &body).await.expect(201);
    created["id"].as_str().unwrap().to_owned()
}

/// Returns what the API shows of a channel, once that is so.
async fn shown(api: &Api, id: &str, is_so: impl Fn(&Value) -> bool) -> Value {
    until("the API shows how a channel works", || async {
        Some(api.get(&format!("/alert-channel/{id}")).await.expect(200)).filter(&is_so)
    })
    .await
}

#[tokio::test(flavor = "multi_thread")]
async fn every_channel_gets_an_alert_in_its_format_and_again_if_it_did_not_take_it() {
    let (chat, receiver) = (Chat::start().await, Receiver::start().await);
    let metrics = free_address().to_string();
    let app = Setup::default().with("METRICS_LISTEN", &metrics).start_local().await;
    let api = app.environment();
    let at = |place: &str| Some(format!("{}/{place}", chat.url));
    channel(&api, "slack", "slack", at("slack"), "critical").await;
    channel(&api, "teams", "teams", at("teams"), "info").await;
    let flaky = channel(&api, "flaky", "slack", at("flaky"), "critical").await;
    channel(&api, "own", "operational", None, "critical").await;
    let mail = channel(&api, "mail", "email", Some("one@example.com".to_owned()), "critical").await;
    let own = receiver.hook("/operational");
    let hook = json!({"url": own.url, "secret": own.secret, "filterTypes": ["alert.fired"]});
    api.post("/operational-webhook/endpoint", &hook).await.expect(201);
    let tenant = app.tenant("one").await;
    let failing = receiver.hook_that("/failing", |_| Reply::Status(500));
    tenant.endpoint(&failing, json!({"retrySchedule": []})).await;
    for number in 0..20 {
        tenant.message("a.b", json!({"number": number})).await;
    }
    let failed = |shown: &Value| !shown["lastFailedAt"].is_null();
    app.database().run(NOW).await;
    let broken = shown(&api, &flaky, failed).await;
    assert_eq!(broken["lastError"], "status 500", "{broken}");
    assert_eq!(broken["lastProblem"], json!({"code": "status", "statusCode": 500, "detail": ""}));
    let unset = shown(&api, &mail, failed).await;
    assert!(unset["lastError"].as_str().unwrap().contains("smtp_url"), "{unset}");
    assert_eq!(unset["lastProblem"]["code"], "no_mail_server");
    assert!(app.log().contains("an alert could not be sent"));

    until("all channels have what they take", || async {
        app.database().run(NOW).await;
        let counts = ["slack", "flaky", "teams"].map(|place| chat.at(place).len());
        (counts == [1, 2, 2]).then_some(())
    })
    .await;
    let slack = chat.texts_at("slack").remove(0);
    assert!(slack.starts_with("*[CRITICAL] Dead letters (org_test)*\n"), "{slack}");
    assert!(slack.contains("dead letter") && slack.ends_with("within 5 minutes."), "{slack}");
    // The rule on the failure share is a warning, which the others do not take.
    let cards = chat.at("teams");
    let headlines: Vec<&Value> =
        cards.iter().map(|card| &card["attachments"][0]["content"]["body"][0]["text"]).collect();
    assert!(headlines.contains(&&json!("[WARNING] Many attempts fail (org_test)")), "{headlines:?}");
    let works = shown(&api, &flaky, |shown| !shown["lastSentAt"].is_null()).await;
    assert!(works["lastError"].is_null() && works["lastProblem"].is_null(), "{works}");
    assert!(!works["lastFailedAt"].is_null(), "{works}");
    // The receiver has verified the signature.
    let request = receiver.wait_at(&own, 1).await.remove(0);
    let body: Value = serde_json::from_slice(&request.body).unwrap();
    assert_eq!((&body["type"], &body["data"]["rule"]), (&json!("alert.fired"), &json!("Dead letters")));
    assert_eq!(body["data"]["severity"], "critical");
    app.settled().await;

    let scrape = Scrape::of(&metrics).await;
    let notices = scrape.by("postrider_alert_notices_total", &["channel", "result"]);
    let counted = |channel: &str, result: &str| notices.get(&vec![channel.to_owned(), result.to_owned()]);
    assert_eq!((counted("slack", "sent"), counted("slack", "failed")), (Some(&2), Some(&1)), "{notices:?}");
    assert_eq!(
        (counted("teams", "sent"), counted("operational", "sent")),
        (Some(&2), Some(&1)),
        "{notices:?}"
    );
    assert!(counted("email", "failed").is_some() && counted("email", "sent").is_none(), "{notices:?}");
    let firing = scrape.by("postrider_alert_rules_firing", &["severity"]);
    assert_eq!(firing, [(vec!["critical".to_owned()], 1), (vec!["warning".to_owned()], 1)].into());
    assert_eq!(scrape.sum("postrider_alerts_suppressed_total", &[]), 0.0);
    app.database().run(ALERTED_A_MOMENT_AGO).await;
    until("an alert is held back", || async {
        app.database().run(NOW).await;
        let held_back = Scrape::of(&metrics).await.sum("postrider_alerts_suppressed_total", &[]);
        (held_back == 1.0).then_some(())
    })
    .await;
    assert_eq!(chat.at("slack").len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn e_mail_is_encrypted_for_a_server_that_the_operators_file_vouches_for_and_for_no_other() {
    let fixture = |name: &str| format!("{}/tests/fixtures/tls/{name}", env!("CARGO_MANIFEST_DIR"));
    let servers = [SmtpServer::start_encrypted().await, SmtpServer::start_with_start_tls().await];
    for (smtp, authority, is_trusted) in [
        (&servers[0], "self_signed_authority.pem", false),
        (&servers[0], "database_authority.pem", true),
        // Its certificate is in the file itself.
        (&servers[1], "self_signed_authority.pem", true),
    ] {
        let setup = Setup::default().with("SMTP_URL", &smtp.url).with("SMTP_FROM", "alerts@example.com");
        let app = setup.with("TLS_CA_FILE", &fixture(authority)).start_local().await;
        let id =
            channel(&app.environment(), "mail", "email", Some("one@example.com".to_owned()), "info").await;
        app.environment().post(&format!("/alert-channel/{id}/test"), &json!({})).await.expect(202);
        let was_tried = |shown: &Value| !shown["lastSentAt"].is_null() || !shown["lastError"].is_null();
        let tried = shown(&app.environment(), &id, was_tried).await;
        assert_eq!(tried["lastSentAt"].is_string(), is_trusted, "{tried}");
        let why = "cannot be encrypted: the certificate is not from an authority that is trusted here";
        assert!(is_trusted || tried["lastError"].as_str().unwrap().contains(why), "{tried}");
        assert!(is_trusted || tried["lastProblem"]["code"] == "mail_not_taken", "{tried}");
    }
    for smtp in servers {
        let subjects: Vec<String> = smtp.mails().iter().map(|mail| mail.header("Subject")).collect();
        assert_eq!(subjects, ["[TEST] mail (org_test)"]);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_channel_is_tried_out_changed_and_keeps_its_target() {
    let chat = Chat::start().await;
    let app = Setup::default().start_local().await;
    let api = app.environment();
    let id = channel(&api, "chat", "slack", Some(format!("{}/one", chat.url)), "info").await;
    let path = format!("/alert-channel/{id}");
    let renamed = json!({"name": "renamed", "kind": "slack", "minSeverity": "warning"});
    let changed = api.put(&path, &renamed).await.expect(200);
    assert_eq!((&changed["name"], &changed["minSeverity"]), (&json!("renamed"), &json!("warning")));
    api.post(&format!("{path}/test"), &json!({})).await.expect(202);
    shown(&api, &id, |shown| !shown["lastSentAt"].is_null()).await;
    assert!(chat.texts_at("one")[0].starts_with("*[TEST] renamed"), "{:?}", chat.texts_at("one"));
    // Another kind takes a target of its own.
    let other = api.put(&path, &json!({"name": "x", "kind": "email"})).await.expect_invalid();
    assert!(other.contains_key("body.target"), "{other:?}");
    let moved = json!({"name": "moved", "kind": "slack", "target": format!("{}/two", chat.url)});
    api.put(&path, &moved).await.expect(200);
    api.post(&format!("{path}/test"), &json!({})).await.expect(202);
    until("the new target has it", || async { (chat.at("two").len() == 1).then_some(()) }).await;
    assert_eq!(chat.at("one").len(), 1);
}

#[tokio::test]
async fn a_chat_within_the_network_is_refused_by_the_egress_policy() {
    let app = Setup::default().without("ALLOW_SUBNETS").start_local().await;
    let inside = json!({"name": "inside", "kind": "slack", "target": "http://169.254.169.254/latest"});
    let wrong = app.environment().post("/alert-channel", &inside).await.expect_invalid();
    assert!(wrong.contains_key("body.target"), "{wrong:?}");
}

#[tokio::test]
async fn a_target_is_checked_sealed_and_never_shown() {
    let app = LocalApp::start().await;
    let api = app.environment();
    let target = "https://hooks.example.com/services/T0/B0/verysecret";
    let body = json!({"name": "chat", "kind": "slack", "target": target});
    let created = api.post("/alert-channel", &body).await.expect(201);
    let listed = api.get("/alert-channel").await;
    assert_eq!(listed.expect(200)["data"][0]["id"], created["id"]);
    assert!(!listed.text.contains("verysecret") && !created.to_string().contains("verysecret"));
    let readable = "SELECT count(*) FROM alert_channel WHERE position('verysecret'::bytea IN target) > 0";
    assert_eq!(app.database().count(readable).await, 0);
    for wrong in [
        json!({"name": "chat", "kind": "slack", "target": "not a url"}),
        json!({"name": "chat", "kind": "teams"}),
        json!({"name": "mail", "kind": "email", "target": "nobody"}),
        json!({"name": "own", "kind": "operational", "target": target}),
    ] {
        let found = api.post("/alert-channel", &wrong).await.expect_invalid();
        assert!(found.contains_key("body.target"), "{wrong}: {found:?}");
    }
    api.delete(&format!("/alert-channel/{}", created["id"].as_str().unwrap())).await.expect(204);
    let audit = api.get("/audit-log?limit=20").await.expect(200);
    let actions: Vec<&str> =
        audit["data"].as_array().unwrap().iter().map(|entry| entry["action"].as_str().unwrap()).collect();
    assert!(actions.contains(&"alert_channel.created") && actions.contains(&"alert_channel.deleted"));
    for _ in 0..20 {
        api.post("/alert-channel", &body).await.expect(201);
    }
    api.post("/alert-channel", &body).await.expect_error(409, "too_many_alert_channels");
}
