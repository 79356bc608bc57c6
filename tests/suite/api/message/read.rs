//! Messages and their attempts.

use serde_json::json;

use crate::support::{LocalApp, Receiver};

#[tokio::test]
async fn a_message_and_its_attempts_are_found_by_their_id_and_by_filters() {
    let (app, receiver) = (LocalApp::start().await, Receiver::start().await);
    let tenant = app.tenant("one").await;
    let hook = receiver.hook("/hook");
    let endpoint = tenant.endpoint(&hook, json!({})).await;
    let (api, path) = (&tenant.api, tenant.path("/msg"));
    let body = json!({"eventType": "a.b", "eventId": "mine-1", "channels": ["red"], "tags": ["t"], "payload": {"n": 1}});
    let made = api.post(&path, &body).await.expect(202);
    let id = made["id"].as_str().unwrap();
    assert!(id.starts_with("msg_"));
    assert_eq!(
        (&made["eventType"], &made["eventId"], &made["payload"]),
        (&json!("a.b"), &json!("mine-1"), &json!({"n": 1}))
    );
    assert_eq!((&made["channels"], &made["tags"]), (&json!(["red"]), &json!(["t"])));
    assert!(made["timestamp"].is_string());
    api.post(&path, &body).await.expect_error(409, "event_id_taken");
    assert_eq!(api.get(&format!("{path}/{id}")).await.expect(200), made);
    assert_eq!(api.get(&format!("{path}/mine-1")).await.expect(200), made);
    let bare = api.get(&format!("{path}/{id}?with_content=false")).await.expect(200);
    assert_eq!(bare["payload"], json!({}));
    tenant.message("c.d", json!({})).await;
    for (filter, number) in
        [("", 2), ("?event_types=a.b", 1), ("?channel=red", 1), ("?channel=blue", 0), ("?tag=t", 1)]
    {
        assert_eq!(api.all(&format!("{path}{filter}"), 50).await.len(), number, "{filter}");
    }
    app.settled().await;

    let attempts = api.all(&tenant.path(&format!("/attempt/msg/{id}")), 50).await;
    assert_eq!(attempts.len(), 1);
    let attempt = attempts[0]["id"].as_str().unwrap();
    let got = api.get(&tenant.path(&format!("/msg/{id}/attempt/{attempt}"))).await.expect(200);
    assert_eq!(got["id"], attempt);
    for field in [
        "url",
        "response",
        "responseStatusCode",
        "responseDurationMs",
        "status",
        "statusText",
        "triggerType",
        "timestamp",
        "msgId",
        "endpointId",
    ] {
        assert!(!got[field].is_null(), "{field}: {got}");
    }
    let by_endpoint = tenant.path(&format!("/attempt/endpoint/{endpoint}"));
    for (filter, number) in [
        ("status=0", 2),
        ("status=2", 0),
        ("status_code_class=200", 2),
        ("status_code_class=500", 0),
        ("event_types=a.b", 1),
    ] {
        assert_eq!(api.all(&format!("{by_endpoint}?{filter}"), 50).await.len(), number, "{filter}");
    }

    let resend = tenant.path(&format!("/msg/{id}/endpoint/{endpoint}/resend"));
    api.post(&resend, &json!({})).await.expect(202);
    let requests = receiver.wait_at(&hook, 3).await;
    assert_eq!(requests[2].id, id);
    app.settled().await;
    let attempts = api.all(&tenant.path(&format!("/attempt/msg/{id}")), 50).await;
    assert_eq!((attempts.len(), &attempts[0]["triggerType"]), (2, &json!(1)));
}
