//! Every kind of condition fires when it is met and recovers when it is not, and what begins again too soon is suppressed.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use crate::support::{Api, LocalApp, Receiver, Reply, Setup, until};

use super::chat::Chat;
use super::{AN_HOUR_LATER, NOW};

/// An endpoint for which something has been due for an hour, as a look at the queue would find it; there are no more looks.
const QUEUED: &str = "
    UPDATE queue_sampling SET next_at = now() + interval '1 hour', round = 0;
    INSERT INTO queue_sample (endpoint_id, application_id, environment_id, round, due, later, oldest_accepted_at, first_due_at)
        VALUES (uuid_at(now()), uuid_at(now()), 'org_test', 0, 1, 0, now(), now() - interval '1 hour') ON CONFLICT DO NOTHING";
const NOT_QUEUED: &str = "DELETE FROM queue_sample";
/// Rules have been as they are for an hour, and an endpoint has been disabled for five minutes.
const MADE_LONG_AGO: &str = "
    UPDATE alert_rule SET watched_since = watched_since - interval '1 hour';
    UPDATE endpoint SET disabled_at = now() - interval '5 minutes' WHERE disabled_at IS NOT NULL;
    DELETE FROM rollup";

async fn rule(api: &Api, name: &str, condition: Value, suppress: u32) -> String {
    let body = json!({
        "name": name, "severity": "warning", "condition": condition, "suppressSeconds": suppress, "recoverSeconds": 60
    });
    api.post("/alert-rule", &body).await.expect(201)["id"].as_str().unwrap().to_owned()
}

/// The rules that the chat has got such an alert of, among those of this test.
fn said(chat: &Chat, state: &str) -> BTreeSet<String> {
    let start = format!("*[{state}] ");
    let texts = chat.texts_at("chat").into_iter();
    texts
        .filter_map(|text| Some(text.strip_prefix(&start)?.split(' ').next()?.to_owned()))
        .filter(|name| name.starts_with("on-"))
        .collect()
}

async fn all_said(app: &LocalApp, chat: &Chat, state: &str, statements: &str) {
    let all = ["on-age", "on-disabled", "on-incident", "on-nothing"].map(str::to_owned).into();
    until(&format!("every condition is {state}"), || async {
        app.database().run(statements).await;
        (said(chat, state) == all).then_some(())
    })
    .await;
}

/// Returns when this is more than nothing.
async fn counted(app: &LocalApp, query: &'static str) {
    until("the message is counted", || async { (app.database().count(query).await > 0).then_some(()) }).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn every_condition_fires_and_recovers_once_and_is_suppressed_when_it_comes_back_soon() {
    let (chat, receiver) = (Chat::start().await, Receiver::start().await);
    let app = Setup::default().start_local().await;
    let api = app.environment();
    let target = format!("{}/chat", chat.url);
    api.post("/alert-channel", &json!({"name": "chat", "kind": "slack", "target": target})).await.expect(201);
    let tenant = app.tenant("Acme").await;
    let gone = receiver.hook_that("/gone", |_| Reply::Status(410));
    let endpoint = tenant.endpoint(&gone, json!({})).await;
    tenant.message("a.b", json!({})).await;
    app.settled().await;
    rule(&api, "on-age", json!({"kind": "queue_age", "minutes": 30}), 0).await;
    rule(&api, "on-disabled", json!({"kind": "endpoint_disabled", "minutes": 60}), 0).await;
    rule(&api, "on-incident", json!({"kind": "incident_open", "minutes": 3}), 0).await;
    let nothing = rule(&api, "on-nothing", json!({"kind": "nothing_accepted", "minutes": 10}), 3_600).await;
    // What is counted in memory of the message is written first.
    counted(&app, "SELECT coalesce(least(sum(accepted), sum(dead)), 0)::bigint FROM rollup").await;
    app.database().run(MADE_LONG_AGO).await;
    all_said(&app, &chat, "WARNING", &format!("{QUEUED}; {NOW}")).await;
    let disabled = chat.texts_at("chat").into_iter().find(|text| text.contains("on-disabled")).unwrap();
    assert!(
        disabled.contains("1 endpoint was disabled") && disabled.contains(&format!("Acme {endpoint}")),
        "{disabled}"
    );

    tenant.patch_endpoint(&endpoint, json!({"disabled": false})).await;
    receiver.now(&gone, |_| Reply::Status(200));
    tenant.message("a.b", json!({})).await;
    app.database().run(NOT_QUEUED).await;
    all_said(&app, &chat, "RECOVERED", &format!("{AN_HOUR_LATER}; {NOW}")).await;

    // The rule that is suppressed for an hour fires again, in silence.
    counted(&app, "SELECT coalesce(least(sum(accepted), sum(delivered)), 0)::bigint FROM rollup").await;
    app.database().run(MADE_LONG_AGO).await;
    until("the rule fires again", || async {
        app.database().run(NOW).await;
        let shown = api.get(&format!("/alert-rule/{nothing}")).await.expect(200);
        (!shown["firingSince"].is_null()).then_some(())
    })
    .await;
    let notices = "SELECT count(*) FROM alert_notice WHERE due_at IS NOT NULL";
    until("nothing is left to send", || async { (app.database().count(notices).await == 0).then_some(()) })
        .await;
    let texts = chat.texts_at("chat");
    let of_rule = |name: &str| texts.iter().filter(|text| text.contains(name)).count();
    let counts = ["on-age", "on-disabled", "on-incident", "on-nothing"].map(of_rule);
    assert_eq!(counts, [2; 4], "one alert and one recovery each: {texts:?}");
    app.settled().await;
}
