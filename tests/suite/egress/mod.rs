//! Where deliveries may not go.
//!
//! What is tried in bulk is tried in a network namespace in which every address is this machine's own: there a request
//! that goes out arrives, so that a socket that saw nothing is the proof that none went out.

#[cfg(target_os = "linux")]
mod addresses;
#[cfg(target_os = "linux")]
mod dns_server;
#[cfg(target_os = "linux")]
mod names;
#[cfg(target_os = "linux")]
mod namespace;
#[cfg(target_os = "linux")]
mod own;
#[cfg(target_os = "linux")]
mod sending;

use serde_json::json;

use crate::support::{Receiver, Setup};

/// Addresses that are not the public internet, in every spelling that a URL allows.
const REFUSED: [&str; 27] = [
    "http://127.0.0.1:PORT/",
    "http://127.1:PORT/",
    "http://2130706433:PORT/",
    "http://0x7f.1:PORT/",
    "http://0x7f000001:PORT/",
    "http://0177.0.0.1:PORT/",
    "http://127.0.0.1.:PORT/",
    "http://0:PORT/",
    "http://0.0.0.0:PORT/",
    "http://127.255.255.254:PORT/",
    "http://[::1]:PORT/",
    "http://[::]:PORT/",
    "http://[::ffff:127.0.0.1]:PORT/",
    "http://[::ffff:7f00:1]:PORT/",
    "http://[::127.0.0.1]:PORT/",
    "http://[64:ff9b::7f00:1]:PORT/",
    "http://[2002:7f00:1::]:PORT/",
    "http://%31%32%37.0.0.1:PORT/",
    "http://１２７.0.0.1:PORT/",
    "http://10.0.0.1/",
    "http://172.16.0.1/",
    "http://192.168.1.1/",
    "http://169.254.169.254/latest/meta-data",
    "http://100.64.0.1/",
    "http://224.0.0.1/",
    "http://[fe80::1]/",
    "http://[fd00::1]/",
];

#[tokio::test]
async fn an_address_within_is_refused_in_every_spelling() {
    let app = Setup::default().without("ALLOW_SUBNETS").start_local().await;
    let receiver = Receiver::start().await;
    let tenant = app.tenant("one").await;
    let hook = receiver.hook("/");
    let port = hook.url.trim_end_matches('/').rsplit(':').next().unwrap().to_owned();
    for url in REFUSED {
        let url = url.replace("PORT", &port);
        let answer = tenant.api.post(&tenant.path("/endpoint"), &json!({"url": url})).await;
        assert_eq!(answer.status, 422, "{url}: {}", answer.text);
        assert!(answer.expect_invalid().contains_key("body.url"), "{url}");
    }
    assert!(receiver.received().is_empty());
}

#[tokio::test]
async fn an_endpoint_from_before_the_rule_is_refused_when_it_is_sent_to() {
    // The server that made it could go there; the one that sends cannot.
    let app = Setup::default().start().await;
    let receiver = Receiver::start().await;
    let tenant = app.tenant("one").await;
    let hook = receiver.hook("/");
    let endpoint = tenant.endpoint(&hook, json!({"retrySchedule": []})).await;
    let strict = app.strict_node().await;
    let mut there = tenant.clone();
    there.api = tenant.api.through(&strict.address());
    there.message("made", json!({})).await;
    app.settled().await;
    assert!(receiver.received().is_empty());
    let attempts = tenant.attempts(&endpoint).await;
    assert_eq!(attempts.len(), 1);
    assert_eq!(attempts[0]["failure"], "egress_refused");
    assert_eq!(attempts[0]["responseStatusCode"], 0);
}

#[tokio::test]
async fn a_name_that_leads_within_is_refused_after_it_is_resolved() {
    let app = Setup::default().without("ALLOW_SUBNETS").with("RETRY_SCHEDULE", "none").start_local().await;
    let receiver = Receiver::start().await;
    let tenant = app.tenant("one").await;
    let hook = receiver.hook("/");
    let url = hook.url.replace("127.0.0.1", "localhost");
    let made = tenant.api.post(&tenant.path("/endpoint"), &json!({"url": url})).await;
    if made.status == 201 {
        tenant.message("made", json!({})).await;
        app.settled().await;
        let attempts = tenant.attempts(made.json()["id"].as_str().unwrap()).await;
        assert_eq!(attempts[0]["failure"], "egress_refused");
    } else {
        assert!(made.expect_invalid().contains_key("body.url"));
    }
    assert!(receiver.received().is_empty());
}
