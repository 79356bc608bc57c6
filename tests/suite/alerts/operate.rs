//! Rules by the API.

use serde_json::{Value, json};

use crate::support::LocalApp;

fn names(list: &Value) -> Vec<&str> {
    list["data"].as_array().unwrap().iter().map(|rule| rule["name"].as_str().unwrap()).collect()
}

#[tokio::test]
async fn two_rules_are_there_from_the_start_and_can_be_changed() {
    let app = LocalApp::start().await;
    let api = app.environment();
    app.tenant("one").await;
    let rules = api.get("/alert-rule").await.expect(200);
    let mut first = names(&rules);
    first.sort_unstable();
    assert_eq!(first, ["Dead letters", "Many attempts fail"]);
    assert!(rules["data"].as_array().unwrap().iter().all(|rule| rule["enabled"] == true), "{rules}");
    let path = format!("/alert-rule/{}", rules["data"][0]["id"].as_str().unwrap());
    let change = json!({
        "name": "Quiet", "severity": "info", "enabled": false, "suppressSeconds": 60,
        "condition": {"kind": "nothing_accepted", "minutes": 30}
    });
    let changed = api.put(&path, &change).await.expect(200);
    assert_eq!((&changed["enabled"], &changed["suppressSeconds"]), (&json!(false), &json!(60)));
    assert_eq!(changed["condition"], json!({"kind": "nothing_accepted", "minutes": 30}));
    assert_eq!(api.get(&path).await.expect(200), changed);
    api.delete(&path).await.expect(204);
    api.get(&path).await.expect_error(404, "not_found");
    assert_eq!(names(&api.get("/alert-rule").await.expect(200)).len(), 1);
}

#[tokio::test]
async fn every_kind_of_condition_is_taken_and_bounds_hold() {
    let app = LocalApp::start().await;
    let api = app.environment();
    let create = async |condition: Value, recover: u32| {
        let severity = "warning";
        let rule =
            json!({"name": "x", "severity": severity, "condition": condition, "recoverSeconds": recover});
        api.post("/alert-rule", &rule).await
    };
    for condition in [
        json!({"kind": "dead_letters", "count": 5, "minutes": 60}),
        json!({"kind": "failure_share", "percent": 50, "minutes": 5, "attempts": 10}),
        json!({"kind": "queue_age", "minutes": 10}),
        json!({"kind": "endpoint_disabled", "minutes": 60}),
        json!({"kind": "incident_open", "minutes": 30}),
        json!({"kind": "nothing_accepted", "minutes": 60}),
    ] {
        assert_eq!(create(condition.clone(), 60).await.expect(201)["condition"], condition);
    }
    for condition in [
        json!({"kind": "dead_letters", "count": 0, "minutes": 60}),
        json!({"kind": "queue_age", "minutes": 1441}),
        json!({"kind": "failure_share", "percent": 100, "minutes": 5, "attempts": 10}),
        json!({"kind": "something"}),
    ] {
        create(condition, 60).await.expect(422);
    }
    let age = json!({"kind": "queue_age", "minutes": 10});
    create(age.clone(), 59).await.expect(422);
    // Two are there from the start.
    for _ in 8..50 {
        create(age.clone(), 60).await.expect(201);
    }
    create(age, 60).await.expect_error(409, "too_many_alert_rules");
}
