//! Applications.

use serde_json::{Value, json};

use crate::support::LocalApp;

#[tokio::test]
async fn an_application_is_made_found_changed_and_deleted() {
    let app = LocalApp::start().await;
    let api = app.environment();
    let made = api
        .post("/app", &json!({"name": "One", "uid": "one", "rateLimit": 5, "metadata": {"a": "b"}}))
        .await
        .expect(201);
    let id = made["id"].as_str().unwrap();
    assert!(id.starts_with("app_") && id.len() == 30, "{id}");
    assert_eq!(made["uid"], "one");
    assert_eq!((&made["rateLimit"], &made["throttleRate"]), (&json!(5), &json!(5)));
    assert_eq!(made["metadata"], json!({"a": "b"}));
    assert!(made["createdAt"].as_str().unwrap().ends_with('Z'));
    assert_eq!(api.get(&format!("/app/{id}")).await.expect(200), made);
    assert_eq!(api.get("/app/one").await.expect(200), made);
    assert_eq!(api.get("/app/one/").await.expect(200), made, "a trailing slash is optional");

    api.post("/app", &json!({"name": "Again", "uid": "one"})).await.expect_error(409, "conflict");
    let there =
        api.post("/app?get_if_exists=true", &json!({"name": "Again", "uid": "one"})).await.expect(200);
    assert_eq!(there, made);

    let patched = api.patch("/app/one", &json!({"rateLimit": null, "name": "Uno"})).await.expect(200);
    assert_eq!(
        (&patched["name"], &patched["rateLimit"], &patched["uid"]),
        (&json!("Uno"), &Value::Null, &json!("one"))
    );
    let put = api.put("/app/one", &json!({"name": "Eins"})).await.expect(200);
    assert_eq!((&put["id"], &put["metadata"]), (&made["id"], &json!({})), "what is not named is cleared");
    let created = api.put("/app/two", &json!({"name": "Two"})).await.expect(201);
    assert_eq!(created["uid"], "two");

    assert_eq!(api.delete("/app/two").await.expect(204), Value::Null);
    api.get("/app/two").await.expect_error(404, "not_found");
    api.delete("/app/two").await.expect_error(404, "not_found");
    api.post("/app", &json!({"name": "Two again", "uid": "two"})).await.expect(201);
}
