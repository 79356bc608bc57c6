//! Event types.

use serde_json::{Value, json};

use crate::support::LocalApp;

#[tokio::test]
async fn an_event_type_is_made_changed_archived_and_expunged() {
    let app = LocalApp::start().await;
    let api = app.environment();
    let schemas = json!({"1": {"type": "object"}});
    let body = json!({"name": "invoice.paid", "description": "Paid.", "schemas": schemas});
    let made = api.post("/event-type", &body).await.expect(201);
    assert_eq!((&made["name"], &made["archived"]), (&json!("invoice.paid"), &json!(false)));
    api.post("/event-type", &json!({"name": "invoice.paid", "description": "x"}))
        .await
        .expect_error(409, "conflict");
    assert_eq!(api.get("/event-type/invoice.paid").await.expect(200)["schemas"], schemas);
    api.put("/event-type/invoice.lost", &json!({"description": "Lost."})).await.expect(201);
    let names =
        |list: &[Value]| list.iter().map(|one| one["name"].as_str().unwrap().to_owned()).collect::<Vec<_>>();
    assert_eq!(names(&api.all("/event-type", 1).await), ["invoice.lost", "invoice.paid"]);
    api.delete("/event-type/invoice.lost").await.expect(204);
    assert_eq!(names(&api.all("/event-type", 9).await), ["invoice.paid"]);
    assert_eq!(names(&api.all("/event-type?include_archived=true", 9).await).len(), 2);
    api.delete("/event-type/invoice.paid?expunge=true").await.expect(204);
    api.get("/event-type/invoice.paid").await.expect_error(404, "not_found");
}
