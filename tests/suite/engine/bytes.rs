//! The bytes that are posted are the bytes that are delivered, or the post is refused.

use serde_json::json;

use crate::support::{LocalApp, Receiver, Setup, Tenant};

/// What a JSON library that parses and writes again would change.
fn odd_payloads() -> Vec<(&'static str, String)> {
    let nested = |depth: usize| format!("{{\"a\":{}{}}}", "[".repeat(depth - 1), "]".repeat(depth - 1));
    let large = format!("{{\"text\":\"{}\"}}", "péage ".repeat(900 * 1024 / 7));
    vec![
        ("no fields", "{}".to_owned()),
        ("keys in odd order", r#"{"z":1,"a":2,"m":{"z":1,"a":2}}"#.to_owned()),
        ("repeated keys", r#"{"a":1,"a":2,"b":{"c":1,"c":1}}"#.to_owned()),
        ("a number beyond every float", r#"{"n":1e400,"m":-1E+400,"k":1e-400}"#.to_owned()),
        ("a 40-digit integer", r#"{"n":1234567890123456789012345678901234567890}"#.to_owned()),
        ("many decimals", r#"{"n":0.10000000000000000000000000000000000001,"m":1.0,"k":-0}"#.to_owned()),
        ("an escaped NUL", r#"{"s":"before\u0000after"}"#.to_owned()),
        ("lone surrogates", r#"{"s":"\ud800","t":"\uDFFF\ud83d"}"#.to_owned()),
        ("escapes that need not be", r#"{"\u0061":"\/\u00e9\b\f"}"#.to_owned()),
        ("odd spacing", "{ \"a\"\t:\r\n [ 1 ,2\n] , \"b\":{ } \r\n}".to_owned()),
        ("text of all sorts", "{\"s\":\"žluťoučký 😀 \u{2028} \u{feff} \u{7f}\"}".to_owned()),
        ("900 KiB", large),
        ("nested 256 deep", nested(256)),
    ]
}

async fn with_endpoint() -> (LocalApp, Receiver, Tenant) {
    let (app, receiver) = (LocalApp::start().await, Receiver::start().await);
    let tenant = app.tenant("one").await;
    tenant.endpoint(&receiver.hook("/hook"), json!({})).await;
    (app, receiver, tenant)
}

#[tokio::test]
async fn the_payloads_bytes_arrive_unchanged() {
    let (app, receiver, tenant) = with_endpoint().await;
    for (number, (what, payload)) in odd_payloads().into_iter().enumerate() {
        let answer = tenant.raw(&payload).await;
        assert_eq!(answer.status, 202, "{what}: {}", answer.text);
        let arrived = receiver.wait_for(number + 1).await.pop().unwrap();
        assert!(
            arrived.body == payload.as_bytes(),
            "{what}: {:?}",
            &arrived.body[..arrived.body.len().min(200)]
        );
    }
    app.settled().await;
}

#[tokio::test]
async fn the_bytes_survive_a_retry_a_restart_and_a_replay() {
    let mut app = Setup::default().with("RETRY_SCHEDULE", "50ms").start().await;
    let receiver = Receiver::start().await;
    let tenant = app.tenant("one").await;
    let hook = receiver.hook_that("/hook", |_| crate::support::Reply::Status(500));
    tenant.endpoint(&hook, json!({})).await;
    let (_, payload) = odd_payloads().swap_remove(1);
    tenant.raw(&payload).await.expect(202);
    app.settled().await;
    app.node_mut().kill9();
    app.node_mut().restart().await;
    receiver.now(&hook, |_| crate::support::Reply::Status(200));
    let dead = tenant.dead_letters().await;
    let replay = tenant.path(&format!("/dead-letter/{}/replay", dead[0]["id"].as_str().unwrap()));
    tenant.api.post(&replay, &json!({})).await.expect(202);
    let arrived = receiver.wait_for(3).await;
    assert!(arrived.iter().all(|request| request.body == payload.as_bytes()));
    assert!(arrived.iter().all(|request| request.id == arrived[0].id));
    app.settled().await;
}

#[tokio::test]
async fn the_payload_comes_back_from_the_api_as_it_was_posted() {
    let (app, _receiver, tenant) = with_endpoint().await;
    for (what, payload) in odd_payloads() {
        let posted = tenant.raw(&payload).await;
        assert_eq!(posted.status, 202, "{what}");
        let id = id_in(&posted.text);
        let got = tenant.api.get(&tenant.path(&format!("/msg/{id}"))).await;
        assert_eq!(got.status, 200, "{what}: {}", got.text);
        assert!(got.text.contains(&format!("\"payload\":{payload}")), "{what}");
    }
    app.settled().await;
}

/// The answer repeats payloads that this JSON library cannot hold, so it is not parsed.
fn id_in(answer: &str) -> String {
    let from = answer.find("\"msg_").unwrap() + 1;
    answer[from..].split('"').next().unwrap().to_owned()
}

#[tokio::test]
async fn what_is_not_a_message_is_refused() {
    let app = LocalApp::start().await;
    let tenant = app.tenant("one").await;
    let path = tenant.path("/msg");
    for body in [
        "",
        "{",
        "nonsense",
        "{\"eventType\":\"a\",\"payload\":{}} x",
        "{\"eventType\":\"a\",\"payload\":{,}}",
    ] {
        tenant.api.post_bytes(&path, body.to_owned()).await.expect_invalid();
    }
    // Bytes that are not UTF-8, and a control character, in a string.
    tenant
        .api
        .post_bytes(&path, b"{\"eventType\":\"a\",\"payload\":{\"s\":\"\xff\"}}".to_vec())
        .await
        .expect_invalid();
    tenant
        .api
        .post_bytes(&path, b"{\"eventType\":\"a\",\"payload\":{\"s\":\"\n\"}}".to_vec())
        .await
        .expect_invalid();
    for payload in ["[]", "\"text\"", "1", "null", "true"] {
        let found = tenant.raw(payload).await.expect_invalid();
        assert!(found.contains_key("body.payload"), "{payload}: {found:?}");
    }
    let deep = format!("{{\"a\":{}{}}}", "[".repeat(256), "]".repeat(256));
    assert!(tenant.raw(&deep).await.expect_invalid().contains_key("body.payload"));
    let deeper = format!("{{\"a\":{}{}}}", "[".repeat(100_000), "]".repeat(100_000));
    tenant.raw(&deeper).await.expect_invalid();
    tenant.api.post(&path, &json!({"payload": {}})).await.expect_invalid();
    tenant.api.post(&path, &json!({"eventType": "a b", "payload": {}})).await.expect_invalid();
    tenant.api.post(&path, &json!({"eventType": "a"})).await.expect_invalid();
    assert_eq!(app.database().count("SELECT count(*) FROM message").await, 0);
}

#[tokio::test]
async fn what_is_too_large_or_for_nobody_is_refused() {
    let app = LocalApp::start().await;
    let tenant = app.tenant("one").await;
    let large = format!("{{\"text\":\"{}\"}}", "x".repeat(1024 * 1024));
    tenant.raw(&large).await.expect_error(413, "payload_too_large");
    let message = json!({"eventType": "a", "payload": {}});
    tenant.api.post("/app/nobody/msg", &message).await.expect_error(404, "not_found");
    let gone = format!("/app/{}/msg", postrider::domain::id::ApplicationId::generate());
    tenant.api.post(&gone, &message).await.expect_error(404, "not_found");
    let request = tenant.api.request(reqwest::Method::POST, &tenant.path("/msg"));
    let request = request.header("content-type", "text/plain").body(message.to_string());
    crate::support::Api::send(request).await.expect_error(415, "unsupported_media_type");
}
