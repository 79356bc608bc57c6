//! Many messages at once: one commit, and each its own result.

use serde_json::{Value, json};

use crate::support::{LocalApp, Receiver, Setup};

fn message(number: usize) -> Value {
    json!({"eventType": "invoice.paid", "eventId": format!("event-{number}"), "payload": {"number": number}})
}

fn statuses(answer: &Value) -> Vec<u64> {
    answer["data"].as_array().unwrap().iter().map(|result| result["status"].as_u64().unwrap()).collect()
}

#[tokio::test]
async fn a_thousand_messages_are_stored_in_one_commit_and_delivered_once_each() {
    let (app, receiver) = (LocalApp::start().await, Receiver::start().await);
    let tenant = app.tenant("one").await;
    let hook = receiver.hook("/hook");
    tenant.endpoint(&hook, json!({})).await;
    let messages: Vec<Value> = (0..1000).map(message).collect();

    let answer =
        tenant.api.post(&tenant.path("/msg/batch"), &json!({"messages": messages})).await.expect(202);
    let results = answer["data"].as_array().unwrap();
    assert_eq!(results.len(), 1000);
    for (number, result) in results.iter().enumerate() {
        assert_eq!(result["status"], 202);
        assert_eq!(result["message"]["eventId"], format!("event-{number}"), "in their order");
        assert_eq!(result["message"]["payload"], json!({}));
        assert_eq!(result["error"], Value::Null);
    }
    assert_eq!(app.database().count("SELECT count(DISTINCT xmin::text) FROM message").await, 1, "one commit");

    let requests = receiver.wait_at(&hook, 1000).await;
    let mut delivered: Vec<&str> = requests.iter().map(|request| request.id.as_str()).collect();
    let mut posted: Vec<&str> =
        results.iter().map(|result| result["message"]["id"].as_str().unwrap()).collect();
    delivered.sort_unstable();
    posted.sort_unstable();
    assert_eq!(delivered, posted);
    app.settled().await;
}

#[tokio::test]
async fn a_message_that_is_refused_keeps_none_of_the_others_back() {
    let (app, receiver) = (LocalApp::start().await, Receiver::start().await);
    let tenant = app.tenant("one").await;
    let hook = receiver.hook("/hook");
    tenant.endpoint(&hook, json!({})).await;
    tenant.message_of(message(1)).await;
    let body = json!({"messages": [
        message(1),
        message(2),
        {"eventType": "not a name", "payload": {}},
        message(2),
        {"eventType": "invoice.paid", "payload": []},
        "not an object",
        message(3),
        {"eventType": "invoice.paid", "payload": {}, "application": {"name": "x"}},
    ]});

    let answer = tenant.api.post(&tenant.path("/msg/batch?with_content=true"), &body).await.expect(202);
    assert_eq!(statuses(&answer), [409, 202, 422, 409, 422, 422, 202, 422]);
    assert_eq!(answer["data"][0]["error"]["code"], "event_id_taken");
    assert_eq!(answer["data"][1]["message"]["payload"], json!({"number": 2}));
    let loc = |place: usize| &answer["data"][place]["error"]["detail"][0]["loc"];
    assert_eq!(*loc(2), json!(["body", "messages", "2", "eventType"]));
    assert_eq!(*loc(4), json!(["body", "messages", "4", "payload"]));
    assert_eq!(*loc(5), json!(["body", "messages", "5"]));
    assert_eq!(*loc(7), json!(["body", "messages", "7", "application"]));
    receiver.wait_at(&hook, 3).await;
    app.settled().await;
    assert_eq!(app.database().count("SELECT count(*) FROM message").await, 3);
}

#[tokio::test]
async fn a_batch_is_repeated_by_its_key_and_refused_as_a_whole_when_it_is_no_batch() {
    let app = Setup::default().start_local().await;
    let tenant = app.tenant("one").await;
    let path = tenant.path("/msg/batch");
    let body = json!({"messages": [message(1), message(2)]});

    let first = tenant.api.post_once(&path, "key", &body).await.expect(202);
    let again = tenant.api.post_once(&path, "key", &body).await.expect(202);
    assert_eq!(first, again);
    assert_eq!(statuses(&first), [202, 202]);
    assert_eq!(app.database().count("SELECT count(*) FROM message").await, 2);
    let other = json!({"messages": [message(3), message(4)]});
    let reused = tenant.api.post_once(&path, "key", &other).await.expect(409);
    assert_eq!(reused["code"], "idempotency_key_reused");

    let none = tenant.api.post(&path, &json!({"messages": []})).await.expect(422);
    assert_eq!(none["detail"][0]["loc"], json!(["body", "messages"]));
    let too_many: Vec<Value> = (0..1001).map(message).collect();
    tenant.api.post(&path, &json!({"messages": too_many})).await.expect(422);
    tenant.api.post(&path, &json!([message(5)])).await.expect(422);
    let unknown = json!({"messages": [message(6)]});
    tenant.api.post("/app/nobody/msg/batch", &unknown).await.expect(404);
    let created = json!({"messages": [message(6)], "application": {"name": "Somebody"}});
    tenant.api.post("/app/somebody/msg/batch", &created).await.expect(202);
    assert_eq!(app.database().count("SELECT count(*) FROM message").await, 3);
}
