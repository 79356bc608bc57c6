//! A tenant that is deleted leaves nothing of its content behind, and a dead letter always has somewhere to go.

use serde_json::json;

use crate::support::{Receiver, Reply, Setup, until};

#[tokio::test]
async fn a_deleted_applications_content_is_erased_everywhere() {
    let app = Setup::default().with("RETRY_SCHEDULE", "100ms").start_local().await;
    let receiver = Receiver::start().await;
    let (tenant, other) = (app.tenant("one").await, app.tenant("two").await);
    let answer =
        |_: &crate::support::receiver::Received| Reply::With(500, "x-echo", "their secret".to_owned());
    let (dies, closed, kept) =
        (receiver.hook_that("/dies", answer), receiver.hook("/closed"), receiver.hook("/kept"));
    tenant.endpoint(&dies, json!({})).await;
    tenant.endpoint(&closed, json!({"disabled": true})).await;
    other.endpoint(&kept, json!({})).await;
    let body = json!({"eventType": "made", "eventId": "their-id", "tags": ["them"], "payload": {"name": "their name"}});
    tenant.message_of(body.clone()).await;
    let of_other = other.message_of(body).await;
    until("it died", || async { (!tenant.dead_letters().await.is_empty()).then_some(()) }).await;
    receiver.wait_at(&kept, 1).await;

    app.environment().delete(&tenant.path("")).await.expect(204);
    let left = "SELECT (SELECT count(*) FROM message WHERE payload IS NOT NULL OR event_id IS NOT NULL)
                     + (SELECT count(*) FROM attempt WHERE response_body IS NOT NULL AND url <> '')
                     + (SELECT count(*) FROM dead_letter) + (SELECT count(*) FROM message_event_id)
                     + (SELECT count(*) FROM pending)";
    // The other tenant keeps its message, its attempt and its event id.
    until("everything is erased", || async { (app.database().count(left).await == 3).then_some(()) }).await;
    other.api.get(&other.path(&format!("/msg/{of_other}"))).await.expect(200);
    app.done().await;
    let listed = app.environment().get("/dead-letter").await.expect(200);
    assert_eq!(listed["data"], json!([]));
}

#[tokio::test]
async fn a_dead_letter_of_a_deleted_endpoint_can_go_to_another() {
    let app = Setup::default().with("RETRY_SCHEDULE", "100ms").start_local().await;
    let receiver = Receiver::start().await;
    let tenant = app.tenant("one").await;
    let (dies, takes) = (receiver.hook_that("/dies", |_| Reply::Status(500)), receiver.hook("/takes"));
    let endpoint = tenant.endpoint(&dies, json!({})).await;
    for number in 0..4 {
        tenant.message("made", json!({"number": number})).await;
    }
    until("they died", || async { (tenant.dead_letters().await.len() == 4).then_some(()) }).await;
    app.environment().delete(&tenant.path(&format!("/endpoint/{endpoint}"))).await.expect(204);
    let letters = tenant.dead_letters().await;
    assert_eq!(letters.len(), 4, "they stay");
    let successor = tenant.endpoint(&takes, json!({"uid": "successor"})).await;
    let api = app.environment();
    let one = format!("/dead-letter/{}/replay", letters[0]["id"].as_str().unwrap());
    api.post(&one, &json!({})).await.expect_error(409, "endpoint_deleted");
    api.post(&one, &json!({"toEndpointId": "ep_00000000000000000000000000"}))
        .await
        .expect_error(404, "not_found");
    api.post(&one, &json!({"toEndpointId": successor})).await.expect(202);
    receiver.wait_at(&takes, 1).await;
    let rest = json!({"appId": tenant.id, "toEndpointId": "successor"});
    api.post("/dead-letter/replay", &rest).await.expect(202);
    let requests = receiver.wait_at(&takes, 4).await;
    app.settled().await;
    let ids: std::collections::HashSet<&String> = requests.iter().map(|request| &request.id).collect();
    assert_eq!(ids.len(), 4);
    assert!(tenant.dead_letters().await.is_empty());
}
