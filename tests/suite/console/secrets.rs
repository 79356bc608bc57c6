//! A rotated secret is ended before its grace is over.

use serde_json::{Value, json};

use crate::support::{LocalApp, Receiver};

#[tokio::test]
async fn a_rotated_secret_that_is_ended_signs_no_longer() {
    let (app, receiver) = (LocalApp::start().await, Receiver::start().await);
    let tenant = app.tenant("one").await;
    let hook = receiver.hook("/a");
    let endpoint = tenant.endpoint(&hook, json!({})).await;
    let path = |rest: &str| tenant.path(&format!("/endpoint/{endpoint}{rest}"));
    let new = tenant.api.post(&path("/secret/rotate"), &json!({})).await.expect(200);
    let new = new["key"].as_str().unwrap();
    receiver.must_verify_with(&hook, &[&hook.secret, new]);
    tenant.message("a", json!({})).await;
    receiver.wait_at(&hook, 1).await;

    let listed = tenant.api.get(&path("/overview")).await.expect(200);
    let ids: Vec<&str> =
        listed["secrets"].as_array().unwrap().iter().map(|secret| secret["id"].as_str().unwrap()).collect();
    let [current, rotated] = ids[..] else { panic!("{listed}") };
    tenant.api.delete(&path(&format!("/secret/{current}"))).await.expect_error(409, "secret_is_current");
    let own = |capability: &str| {
        app.api().claiming(&json!({"sub": tenant.id, "org": "org_test", "cap": ["ViewBase", capability]}))
    };
    let rotated = path(&format!("/secret/{rotated}"));
    own("ViewEndpointSecret").delete(&rotated).await.expect_error(403, "forbidden");
    let other = app.tenant("other").await;
    tenant.api.delete(&rotated.replace(&tenant.id, &other.id)).await.expect_error(404, "not_found");
    own("ManageEndpointSecret").delete(&rotated).await.expect(204);

    // The next one has the signature of the new secret alone.
    receiver.must_verify_with(&hook, &[new]);
    tenant.message("a", json!({})).await;
    let request = receiver.wait_at(&hook, 2).await.remove(1);
    assert_eq!(request.headers["webhook-signature"].to_str().unwrap().split(' ').count(), 1);
    let listed = tenant.api.get(&path("/overview")).await.expect(200);
    assert_eq!(listed["secrets"].as_array().unwrap().len(), 1);
    tenant.api.delete(&rotated).await.expect_error(404, "not_found");
    let entries = tenant.api.all("/audit-log?action=endpoint.secret.ended", 10).await;
    assert_eq!((entries.len(), &entries[0]["objectId"]), (1, &json!(endpoint)));
    assert_ne!(entries[0]["details"]["secret"], Value::Null);
    app.settled().await;
}
