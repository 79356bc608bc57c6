//! A name means what it means now, on every node.

use serde_json::json;

use crate::support::{Receiver, Tenant, TestApp};

#[tokio::test]
async fn a_uid_that_moves_to_another_application_takes_its_messages_with_it() {
    let (app, receiver) = (TestApp::start().await, Receiver::start().await);
    let other = app.another_node("other").await;
    let api = app.environment();
    let (one, two) = (app.tenant("one").await, app.tenant("two").await);
    let (hook_of_one, hook_of_two) = (receiver.hook("/one"), receiver.hook("/two"));
    one.endpoint(&hook_of_one, json!({})).await;
    two.endpoint(&hook_of_two, json!({})).await;
    api.patch(&one.path(""), &json!({"uid": "shop"})).await.expect(200);
    let there = api.through(&other.address());
    let by_name = |number: usize| json!({"eventType": "made", "payload": {"number": number}});
    for (number, through) in [&api, &there].into_iter().enumerate() {
        through.post("/app/shop/msg", &by_name(number)).await.expect(202);
    }
    receiver.wait_at(&hook_of_one, 2).await;

    for round in 0..5 {
        let (from, to) = if round % 2 == 0 { (&one, &two) } else { (&two, &one) };
        api.patch(&from.path(""), &json!({"uid": null})).await.expect(200);
        there.post("/app/shop/msg", &by_name(9)).await.expect_error(404, "not_found");
        api.patch(&to.path(""), &json!({"uid": "shop"})).await.expect(200);
        for through in [&there, &api] {
            let id = through.post("/app/shop/msg", &by_name(round)).await.expect(202)["id"].clone();
            assert_eq!(api.get(&format!("{}/{}", to.path("/msg"), id.as_str().unwrap())).await.status, 200);
        }
    }
    app.settled().await;
    assert_eq!(receiver.received_at(&hook_of_one).len(), 2 + 2 * 2);
    assert_eq!(receiver.received_at(&hook_of_two).len(), 3 * 2);
}

#[tokio::test]
async fn an_application_that_is_made_anew_under_its_uid_is_found_at_once() {
    let (app, receiver) = (TestApp::start().await, Receiver::start().await);
    let other = app.another_node("other").await;
    let api = app.environment();
    let there = api.through(&other.address());
    for round in 0..3 {
        let made = api.post("/app", &json!({"name": "shop", "uid": "shop"})).await.expect(201);
        let tenant = Tenant { api: api.clone(), id: made["id"].as_str().unwrap().to_owned() };
        let hook = receiver.hook(&format!("/{round}"));
        tenant.endpoint(&hook, json!({})).await;
        for through in [&api, &there] {
            through.post("/app/shop/msg", &json!({"eventType": "made", "payload": {}})).await.expect(202);
        }
        receiver.wait_at(&hook, 2).await;
        api.delete("/app/shop").await.expect(204);
        there
            .post("/app/shop/msg", &json!({"eventType": "made", "payload": {}}))
            .await
            .expect_error(404, "not_found");
    }
    app.settled().await;
}

#[tokio::test]
async fn a_post_that_was_refused_for_its_event_id_is_refused_again_under_its_key() {
    let app = TestApp::start().await;
    let tenant = app.tenant("one").await;
    let path = tenant.path("/msg");
    let body = json!({"eventType": "made", "eventId": "order-1", "payload": {}});
    let first = tenant.api.post_once(&path, "first", &body).await.expect(202);
    for _ in 0..3 {
        tenant.api.post_once(&path, "second", &body).await.expect_error(409, "event_id_taken");
    }
    assert_eq!(tenant.api.post_once(&path, "first", &body).await.expect(202)["id"], first["id"]);
}
