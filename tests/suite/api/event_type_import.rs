//! Event types out of OpenAPI documents.

use serde_json::{Value, json};

use crate::support::LocalApp;

const PATH: &str = "/event-type/import/openapi";

fn document() -> Value {
    json!({
        "openapi": "3.1.0", "info": {"title": "Shop", "version": "1"},
        "webhooks": {
            "invoice.paid": {"post": {"description": "An invoice was paid.", "requestBody": {"content": {
                "application/json": {"schema": {"$ref": "#/components/schemas/Invoice"}}}}}},
            "invoice.lost": {"post": {"summary": "Lost.", "deprecated": true, "x-svix-group-name": "billing"}},
        },
        "components": {"schemas": {"Invoice": {"type": "object", "properties": {"total": {"type": "integer"}}}}},
    })
}

#[tokio::test]
async fn webhooks_become_event_types_in_one_go() {
    let app = LocalApp::start().await;
    let api = app.environment();
    api.post("/event-type", &json!({"name": "old.one", "description": "Old."})).await.expect(201);
    api.post("/event-type", &json!({"name": "invoice.lost", "description": "x"})).await.expect(201);
    api.delete("/event-type/invoice.lost").await.expect(204);

    let dry = json!({"spec": document(), "dryRun": true, "replaceAll": true});
    let dry = api.post(PATH, &dry).await.expect(200);
    assert_eq!((&dry["data"]["modified"], &dry["data"]["archived"]), (&json!([]), &json!(["old.one"])));
    let names: Vec<&Value> =
        dry["data"]["to_modify"].as_array().unwrap().iter().map(|one| &one["name"]).collect();
    assert_eq!(names, ["invoice.lost", "invoice.paid"]);
    api.get("/event-type/invoice.paid").await.expect_error(404, "not_found");

    let done = api.post(PATH, &json!({"spec": document()})).await.expect(200);
    assert_eq!(done["data"], json!({"modified": ["invoice.lost", "invoice.paid"], "archived": []}));
    let paid = api.get("/event-type/invoice.paid").await.expect(200);
    assert_eq!(paid["description"], "An invoice was paid.");
    assert_eq!(paid["schemas"]["1"]["properties"]["total"]["type"], "integer");
    let lost = api.get("/event-type/invoice.lost").await.expect(200);
    assert_eq!(
        (&lost["archived"], &lost["deprecated"], &lost["groupName"]),
        (&json!(false), &json!(true), &json!("billing"))
    );

    // What is like that already stays untouched.
    let again = api.post(PATH, &json!({"spec": document()})).await.expect(200);
    assert_eq!(again["data"]["modified"], json!([]));
    assert_eq!(api.get("/event-type/invoice.paid").await.expect(200), paid);
    let all = api.post(PATH, &json!({"spec": document(), "replaceAll": true})).await.expect(200);
    assert_eq!(all["data"]["archived"], json!(["old.one"]));
    assert_eq!(api.all("/event-type", 10).await.len(), 2);
    assert_eq!(api.all("/event-type?include_archived=true", 10).await.len(), 3);
}

#[tokio::test]
async fn a_document_may_come_as_text_and_must_be_one() {
    let app = LocalApp::start().await;
    let api = app.environment();
    let yaml = "x-webhooks:\n  a.yaml:\n    post:\n      summary: From YAML.\n";
    let done = api.post(PATH, &json!({"specRaw": yaml})).await.expect(200);
    assert_eq!(done["data"]["modified"], json!(["a.yaml"]));
    let done = api.post(PATH, &json!({"specRaw": document().to_string()})).await.expect(200);
    assert_eq!(done["data"]["modified"].as_array().unwrap().len(), 2);
    for wrong in [
        json!({}),
        json!({"spec": document(), "specRaw": yaml}),
        json!({"specRaw": "a: [b"}),
        json!({"specRaw": "just text"}),
        json!({"spec": {"paths": {}}}),
        json!({"spec": {"webhooks": {"not a name": {"post": {}}}}}),
        json!({"spec": []}),
    ] {
        api.post(PATH, &wrong).await.expect_invalid();
    }
    let tenant = app.tenant("one").await;
    let own = app.api().claiming(&json!({"sub": tenant.id, "org": "org_test"}));
    own.post(PATH, &json!({"specRaw": yaml})).await.expect_error(403, "forbidden");
}
