//! What happens to a message on its way.

mod answers;
mod closed;
mod retries;
mod signatures;

use serde_json::json;

use crate::support::{LocalApp, Receiver};

#[tokio::test]
async fn a_message_is_delivered_signed_and_recorded() {
    let (app, receiver) = (LocalApp::start().await, Receiver::start().await);
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
    let (app, receiver) = (LocalApp::start().await, Receiver::start().await);
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
    let (app, receiver) = (LocalApp::start().await, Receiver::start().await);
    let tenant = app.tenant("one").await;
    // The fan-out's picture of the tenant is made by the first message, and is stale at each of the next.
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
