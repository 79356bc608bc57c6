//! A new main secret, while nodes run and deliveries flow: nothing is lost, nothing is unsigned, and at the end nothing is
//! left under the secret before.

use std::collections::{BTreeMap, HashSet};
use std::process::{Output, Stdio};

use postrider::domain::main_secret::KeyId;
use serde_json::json;

use crate::support::posting::{deliveries, post_all};
use crate::support::server::command;
use crate::support::{Database, Node, Receiver, Served, Tenant, TestApp, until};

const OLD: &str = "the suite's own secret that seals";
const NEW: &str = "the secret that comes after it";

/// The command with the new secret and the one before, on the database of these variables.
fn reseal(variables: &BTreeMap<String, String>, arguments: &[&str]) -> std::process::Command {
    let mut command = command();
    command.arg("reseal").args(arguments).current_dir("/tmp");
    command.envs(variables.iter().filter(|(name, _)| *name != "POSTRIDER_LISTEN"));
    command.env("POSTRIDER_MAIN_SECRET", NEW).env("POSTRIDER_MAIN_SECRET_PREVIOUS", OLD);
    command
}

async fn output(mut command: std::process::Command) -> Output {
    tokio::task::spawn_blocking(move || command.output().unwrap()).await.unwrap()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// How many values are sealed with this secret.
async fn sealed_with(database: &Database, secret: &str) -> i64 {
    sqlx::query_scalar(
        "SELECT count(*) FROM (
            SELECT sealed FROM endpoint_secret UNION ALL SELECT headers_sealed FROM endpoint
            UNION ALL SELECT url_credentials_sealed FROM endpoint UNION ALL SELECT body FROM idempotency_key
         ) AS all_of_them (sealed) WHERE substring(sealed FOR 8) = $1",
    )
    .bind(&KeyId::of(secret.as_bytes()).bytes()[..])
    .fetch_one(&database.pool)
    .await
    .unwrap()
}

async fn all_sealed(database: &Database) -> i64 {
    let all = "SELECT count(*) FROM (
            SELECT sealed FROM endpoint_secret UNION ALL SELECT headers_sealed FROM endpoint
            UNION ALL SELECT url_credentials_sealed FROM endpoint UNION ALL SELECT body FROM idempotency_key
         ) AS all_of_them (sealed) WHERE sealed IS NOT NULL";
    database.count(all).await
}

/// Endpoints that get nothing, of which each has a secret and headers.
async fn silent_endpoints(tenant: &Tenant, numbers: std::ops::Range<u32>) {
    for number in numbers {
        let body = json!({"url": "https://user:pass@silent.example/", "uid": format!("silent-{number}"),
            "filterTypes": ["never"], "headers": {"x-number": number.to_string()}});
        let key = format!("silent-{number}");
        tenant.api.post_once(&tenant.path("/endpoint"), &key, &body).await.expect(201);
    }
}

async fn restarted_with(node: &mut Node, main: &str, previous: &str) {
    node.set("MAIN_SECRET", main);
    node.set("MAIN_SECRET_PREVIOUS", previous);
    assert!(node.terminate().await.success());
    node.restart().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn everything_moves_under_a_new_main_secret_while_nodes_run() {
    let (mut app, receiver) = (TestApp::start().await, Receiver::start().await);
    let mut other = app.another_node("other").await;
    let tenant = app.tenant("one").await;
    let mut there = tenant.clone();
    there.api = tenant.api.through(&other.address());
    let hook = receiver.hook("/hook");
    let endpoint = tenant.endpoint(&hook, json!({"headers": {"x-own": "kept"}})).await;
    silent_endpoints(&tenant, 0..20).await;
    let first = all_sealed(app.database()).await;
    assert_eq!(sealed_with(app.database(), OLD).await, first, "what is sealed has the id of its key");

    let here = tokio::spawn(post_all(tenant.clone(), 0..1_500));
    let over_there = tokio::spawn(post_all(there.clone(), 1_500..3_000));
    // One node after the other gets both secrets. Until all have them, everything is sealed with the old one.
    restarted_with(&mut other, NEW, OLD).await;
    silent_endpoints(&there, 20..25).await;
    let before_all = output(reseal(other.variables(), &[])).await;
    assert!(!before_all.status.success());
    restarted_with(app.node_mut(), NEW, OLD).await;
    silent_endpoints(&tenant, 25..30).await;
    assert_eq!(sealed_with(app.database(), NEW).await, 0);

    let moving = tokio::spawn(output(reseal(other.variables(), &["--batch", "3", "--pause-ms", "10"])));
    // New ones meanwhile, at both nodes, and a secret that is changed.
    silent_endpoints(&tenant, 30..40).await;
    silent_endpoints(&there, 40..50).await;
    let rotated = tenant.path("/endpoint/silent-3/secret/rotate");
    tenant.api.post(&rotated, &json!({})).await.expect(200);
    let moved = moving.await.unwrap();
    let said = text(&moved.stdout) + &text(&moved.stderr);
    assert!(moved.status.success(), "{said}");
    assert!(said.contains("everything is sealed with the key") && said.contains("rows looked at"), "{said}");
    assert_eq!(sealed_with(app.database(), OLD).await, 0, "nothing is left");
    assert_eq!(sealed_with(app.database(), NEW).await, all_sealed(app.database()).await);

    // The one before is left out, on one node after the other.
    restarted_with(&mut other, NEW, "").await;
    restarted_with(app.node_mut(), NEW, "").await;
    let accepted: HashSet<String> =
        here.await.unwrap().into_iter().chain(over_there.await.unwrap()).collect();
    app.settled().await;
    // The receiver has verified each signature with the endpoint's secret.
    let arrived = deliveries(&receiver);
    assert_eq!(arrived.keys().cloned().collect::<HashSet<_>>(), accepted);
    assert!(receiver.received_at(&hook).iter().all(|request| request.headers["x-own"] == "kept"));
    for api in [&tenant.api, &there.api] {
        let secret = api.get(&tenant.path(&format!("/endpoint/{endpoint}/secret"))).await.expect(200);
        assert_eq!(secret["key"], hook.secret.as_str());
        let headers = api.get(&tenant.path("/endpoint/silent-7/headers")).await.expect(200);
        assert!(
            headers["headers"].get("x-number").is_some() || headers["sensitive"][0] == "x-number",
            "{headers}"
        );
    }
    let again = json!({"url": "https://user:pass@silent.example/", "uid": "silent-5",
        "filterTypes": ["never"], "headers": {"x-number": "5"}});
    tenant.api.post_once(&tenant.path("/endpoint"), "silent-5", &again).await.expect(201);
    assert!(other.terminate().await.success());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_new_main_secret_waits_until_every_node_has_it() {
    let app = TestApp::start().await;
    silent_endpoints(&app.tenant("one").await, 0..2).await;
    let refused = output(reseal(app.variables(), &[])).await;
    let said = text(&refused.stderr);
    assert!(!refused.status.success());
    let address = app.address();
    let (_, port) = address.rsplit_once(':').unwrap();
    assert!(said.contains("do not have the new main secret") && said.contains(port), "{said}");
    assert_eq!(sealed_with(app.database(), NEW).await, 0);
    silent_endpoints(&app.tenant("two").await, 0..1).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reseal_that_was_killed_is_gone_on_with() {
    let mut app = TestApp::start().await;
    let tenant = app.tenant("one").await;
    silent_endpoints(&tenant, 0..15).await;
    let secret = tenant.path("/endpoint/silent-0/secret");
    let before = tenant.api.get(&secret).await.expect(200);
    assert!(app.node_mut().terminate().await.success());

    let mut slow = reseal(app.variables(), &["--batch", "1", "--pause-ms", "60000"]);
    let mut slow = slow.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    until("something was moved", || async { (sealed_with(app.database(), NEW).await > 0).then_some(()) })
        .await;
    slow.kill().unwrap();
    slow.wait().unwrap();
    let left = sealed_with(app.database(), OLD).await;
    assert!(left > 0);

    // Neither secret alone is enough now.
    for (main, what) in [(NEW, "has not ended"), (OLD, "key id")] {
        let mut alone = command();
        alone.args(["migrate"]).envs(app.variables()).env("POSTRIDER_MAIN_SECRET", main).current_dir("/tmp");
        let refused = output(alone).await;
        let said = text(&refused.stderr);
        assert!(!refused.status.success() && said.contains(what), "{said}");
    }
    let gone_on = output(reseal(app.variables(), &[])).await;
    let said = text(&gone_on.stdout);
    assert!(gone_on.status.success(), "{}", text(&gone_on.stderr));
    assert!(said.contains(&format!("{left} values were moved")), "only what was left: {said}");
    assert_eq!(sealed_with(app.database(), OLD).await, 0);
    let nothing = output(reseal(app.variables(), &[])).await;
    assert!(text(&nothing.stderr).contains("nothing to move"), "{}", text(&nothing.stderr));

    app.node_mut().set("MAIN_SECRET", NEW);
    app.node_mut().restart().await;
    assert_eq!(tenant.api.get(&secret).await.expect(200), before);
}
