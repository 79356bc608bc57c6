//! What callers set on applications and endpoints: what stays, what goes back to its default, and what is refused of a
//! policy that is stored.

use serde_json::{Value, json};

use crate::support::{Receiver, TestApp};

#[tokio::test]
async fn null_takes_a_setting_back_and_what_is_absent_stays() {
    let app = TestApp::start().await;
    let tenant = app.tenant("one").await;
    let all = json!({"url": "https://example.com/hook", "disabled": true, "version": 3, "rateLimit": 7,
        "maxInFlight": 4, "retrySchedule": [0.1, 60], "metadata": {"a": "b"}, "channels": ["red"]});
    let made = tenant.api.post(&tenant.path("/endpoint"), &all).await.expect(201);
    let path = tenant.path(&format!("/endpoint/{}", made["id"].as_str().unwrap()));
    let same = tenant.api.patch(&path, &json!({})).await.expect(200);
    for (field, value) in all.as_object().unwrap() {
        let differs = field != "retrySchedule" && same[field] != *value;
        assert!(!differs && made[field] == same[field], "{field}: {} {}", made[field], same[field]);
    }
    assert_eq!(same["retrySchedule"], json!([0.1, 60.0]));
    let nulls: Value = ["version", "rateLimit", "maxInFlight", "retrySchedule", "metadata", "channels"]
        .iter()
        .map(|field| ((*field).to_owned(), Value::Null))
        .collect();
    let bare = tenant.api.patch(&path, &nulls).await.expect(200);
    assert_eq!((&bare["version"], &bare["metadata"]), (&json!(1), &json!({})));
    for field in ["rateLimit", "throttleRate", "maxInFlight", "retrySchedule", "channels"] {
        assert_eq!(bare[field], Value::Null, "{field}");
    }
    assert_eq!(bare["disabled"], true);
    let of_endpoints = json!({"rateLimit": 5, "maxInFlight": 3});
    let found = tenant.api.patch(&tenant.path(""), &of_endpoints).await.expect_invalid();
    assert!(found.contains_key("body.maxInFlight"), "it is for endpoints alone");
    let of_application = json!({"rateLimit": 5, "retrySchedule": []});
    let application = tenant.api.patch(&tenant.path(""), &of_application).await.expect(200);
    assert_eq!((&application["rateLimit"], &application["retrySchedule"]), (&json!(5), &json!([])));
    assert_eq!(application.get("maxInFlight"), None, "it is for endpoints alone");
}

#[tokio::test]
async fn a_stored_policy_that_is_not_known_here_is_said_and_not_passed_over() {
    let (mut app, receiver) = (TestApp::start().await, Receiver::start().await);
    app.leave_work();
    let tenant = app.tenant("one").await;
    let endpoint = tenant.endpoint(&receiver.hook("/one"), json!({"maxInFlight": 2})).await;
    let path = tenant.path(&format!("/endpoint/{endpoint}"));
    for (policy, named) in [
        (r#"{"version": 1, "maxInFlight": 2, "fromTheFuture": true}"#, "fromTheFuture"),
        (r#"{"version": 2}"#, "version 2"),
    ] {
        sqlx::query("UPDATE endpoint SET policy = $1::jsonb")
            .bind(policy)
            .execute(&app.database().pool)
            .await
            .unwrap();
        tenant.api.get(&path).await.expect_error(500, "internal_error");
        tenant.api.patch(&path, &json!({"description": "x"})).await.expect_error(500, "internal_error");
        assert!(app.log().contains(named), "{named} is in the log: {}", app.log());
    }
}
