//! What endpoints may ask for, and tenants less.

use serde_json::{Value, json};

use crate::support::{Api, Setup, TestApp};

fn endpoint(more: &Value) -> Value {
    let mut body = json!({"url": "https://example.com/", "disabled": true});
    body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    body
}

#[tokio::test]
async fn nobody_asks_for_more_requests_at_once_than_the_operator_allows() {
    let app = Setup::default().with("MAX_IN_FLIGHT_CAP", "20").start().await;
    let tenant = app.tenant("capped").await;
    let path = tenant.path("/endpoint");
    tenant.api.post(&path, &endpoint(&json!({"uid": "a", "maxInFlight": 20}))).await.expect(201);
    let refused = tenant.api.post(&path, &endpoint(&json!({"maxInFlight": 21}))).await.expect_invalid();
    assert!(refused["body.maxInFlight"].contains("max_in_flight_cap"), "{refused:?}");
    let one = tenant.path("/endpoint/a");
    tenant.api.patch(&one, &json!({"maxInFlight": 21})).await.expect_invalid();
    tenant.api.put(&one, &endpoint(&json!({"maxInFlight": 21}))).await.expect_invalid();
    let operational = "/operational-webhook/endpoint";
    tenant.api.post(operational, &endpoint(&json!({"maxInFlight": 21}))).await.expect_invalid();
}

/// What was set before the cap was lowered is not in force, and is in nobody's way.
#[tokio::test]
async fn a_lower_cap_holds_for_what_is_there() {
    let mut app = Setup::default().with("MAX_IN_FLIGHT_CAP", "300").start().await;
    let tenant = app.tenant("capped").await;
    let path = tenant.path("/endpoint");
    tenant.api.post(&path, &endpoint(&json!({"uid": "a", "maxInFlight": 300}))).await.expect(201);
    assert!(app.node_mut().terminate().await.success());
    app.node_mut().set("MAX_IN_FLIGHT_CAP", "20");
    app.node_mut().restart().await;
    let in_force = async || {
        let policies = tenant.api.get(&format!("{path}/a/overview")).await.expect(200);
        policies["policies"]["maxInFlight"]["value"].clone()
    };
    assert_eq!(in_force().await, 20.0);
    let patched = tenant.api.patch(&format!("{path}/a"), &json!({"description": "x"})).await.expect(200);
    assert_eq!(patched["maxInFlight"], 300);
}

#[tokio::test]
async fn a_tenants_schedule_is_longer_and_shorter_only_within_bounds() {
    let app = TestApp::start().await;
    let tenant = app.tenant("hasty").await;
    let own = app.api().claiming(&json!({"sub": tenant.id, "org": "org_test"}));
    let path = tenant.path("/endpoint");
    let hasty = endpoint(&json!({"uid": "a", "retrySchedule": [0.001]}));
    let long = endpoint(&json!({"retrySchedule": vec![60; 11]}));
    for refused in [&hasty, &long] {
        let places = own.post(&path, refused).await.expect_invalid();
        assert!(places.contains_key("body.retrySchedule"), "{places:?}");
    }
    tenant.api.post(&path, &hasty).await.expect(201);
    tenant.api.post(&path, &long).await.expect(201);
    own.patch(&tenant.path("/endpoint/a"), &json!({"retrySchedule": [0.5]})).await.expect_invalid();
    own.patch(&tenant.path("/endpoint/a"), &json!({"retrySchedule": vec![1; 10]})).await.expect(200);
}

async fn room(api: &Api, path: &str) -> usize {
    for n in 0.. {
        let answer = api.post(path, &endpoint(&json!({}))).await;
        if answer.status != 201 {
            let places = answer.expect_invalid();
            assert!(places["body"].contains("max_endpoints"), "{places:?}");
            return n;
        }
    }
    unreachable!()
}

#[tokio::test]
async fn an_application_has_so_many_endpoints_and_fewer_of_its_tenants_making() {
    let app = Setup::default().with("MAX_ENDPOINTS", "12").with("TENANT_MAX_ENDPOINTS", "5").start().await;
    let tenant = app.tenant("many").await;
    let own = app.api().claiming(&json!({"sub": tenant.id, "org": "org_test"}));
    let path = tenant.path("/endpoint");
    assert_eq!(room(&own, &path).await, 5);
    assert_eq!(room(&tenant.api, &path).await, 7);
    own.put(&tenant.path("/endpoint/new"), &endpoint(&json!({}))).await.expect_invalid();
    let one = tenant.api.get(&path).await.expect(200)["data"][0]["id"].as_str().unwrap().to_owned();
    tenant.api.delete(&tenant.path(&format!("/endpoint/{one}"))).await.expect(204);
    assert_eq!(room(&tenant.api, &path).await, 1, "a deleted one makes room");
}

#[tokio::test]
async fn headers_with_underscores_are_their_dashed_twins() {
    let app = TestApp::start().await;
    let tenant = app.tenant("twins").await;
    for name in ["webhook_id", "Content_Length", "X_Forwarded_For", "svix_signature"] {
        let headers = endpoint(&json!({"headers": {name: "x"}}));
        tenant.api.post(&tenant.path("/endpoint"), &headers).await.expect_invalid();
    }
}
