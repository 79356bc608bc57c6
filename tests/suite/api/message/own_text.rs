//! Messages whose payload is any text, and headers for one message.

use serde_json::{Value, json};

use crate::support::{LocalApp, Receiver, Reply, Setup};

fn raw(text: &str, headers: &Value) -> Value {
    json!({"eventType": "a", "payload": {}, "transformationsParams": {"rawPayload": text, "headers": headers}})
}

#[tokio::test]
async fn any_text_is_delivered_as_given_with_its_content_type() {
    let (app, receiver) = (LocalApp::start().await, Receiver::start().await);
    let tenant = app.tenant("one").await;
    let hook = receiver.hook("/a");
    tenant.endpoint(&hook, json!({"headers": {"x-from": "the endpoint", "x-own": "kept"}})).await;
    let xml = "<invoice>\r\n\t<amount>7 €</amount>\0</invoice>";
    for (text, content_type) in
        [(xml, "application/xml"), ("[1, 2]", "application/json"), ("{\"a\": 1}", "text/plain")]
    {
        let headers = json!({"Content-Type": content_type, "x-from": "the message"});
        let sent = app.environment().post(&tenant.path("/msg"), &raw(text, &headers)).await.expect(202);
        let id = sent["id"].as_str().unwrap();
        let came = receiver.wait_until("the text", |all| all.iter().any(|one| one.id == id)).await;
        let came = came.into_iter().find(|one| one.id == id).unwrap();
        let header = |name: &str| came.headers[name].to_str().unwrap().to_owned();
        assert_eq!((&came.body[..], header("content-type").as_str()), (text.as_bytes(), content_type));
        assert_eq!((header("x-from").as_str(), header("x-own").as_str()), ("the message", "kept"));
        let shown = app.environment().get(&tenant.path(&format!("/msg/{id}"))).await.expect(200);
        match text.starts_with('{') {
            true => assert_eq!((&shown["payload"], &shown["rawPayload"]), (&json!({"a": 1}), &Value::Null)),
            false => assert_eq!((&shown["payload"], &shown["rawPayload"]), (&json!({}), &json!(text))),
        }
    }
    app.settled().await;
}

#[tokio::test]
async fn headers_of_a_message_go_with_every_attempt_and_replay_of_it_alone() {
    let app = Setup::default().with("RETRY_SCHEDULE", "20ms").start_local().await;
    let receiver = Receiver::start().await;
    let tenant = app.tenant("one").await;
    let hook = receiver.hook_that("/a", |_| Reply::Status(500));
    tenant.endpoint(&hook, json!({})).await;
    let with =
        json!({"eventType": "a", "payload": {}, "transformationsParams": {"headers": {"X-Trace": "7"}}});
    let id = tenant.message_of(with).await;
    let plain = tenant.message("a", json!({})).await;
    app.settled().await;
    let letters = tenant.dead_letters().await;
    let letter = letters.iter().find(|letter| letter["msgId"] == id.as_str()).unwrap();
    let path = tenant.path(&format!("/dead-letter/{}/replay", letter["id"].as_str().unwrap()));
    receiver.now(&hook, |_| Reply::Status(200));
    app.environment().post(&path, &json!({})).await.expect(202);
    app.settled().await;
    let came = receiver.received_at(&hook);
    let traced = |id: &str| -> Vec<bool> {
        let of_it = came.iter().filter(|one| one.id == id);
        of_it.map(|one| one.headers.contains_key("x-trace")).collect()
    };
    assert_eq!(traced(&id), [true, true, true]);
    assert_eq!(traced(&plain), [false, false]);
}

#[tokio::test]
async fn what_is_ours_cannot_be_set_for_a_message_either() {
    let app = LocalApp::start().await;
    let tenant = app.tenant("one").await;
    for (params, place) in [
        (json!({"headers": {"webhook-id": "x"}}), "headers"),
        (json!({"headers": {"host": "elsewhere"}}), "headers"),
        (json!({"headers": {"x-a": "ü"}}), "headers"),
        (json!({"headers": {"x-a": "a".repeat(5_000)}}), "headers"),
        (json!({"rawPayload": ""}), "rawPayload"),
        (json!({"rawPayload": {"a": 1}}), "rawPayload"),
    ] {
        let body = json!({"eventType": "a", "payload": {}, "transformationsParams": params});
        let found = tenant.api.post(&tenant.path("/msg"), &body).await.expect_invalid();
        assert!(found.contains_key(&format!("body.transformationsParams.{place}")), "{params}: {found:?}");
    }
}
