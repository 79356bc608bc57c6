//! Documents that say much in few characters.

use serde_json::{Value, json};

use super::measure::{Health, assert_small};
use crate::support::TestApp;

const ROOM: usize = (1 << 20) - (1 << 10);

/// A document is at most this long, as JSON in a body of a mebibyte.
fn repeated(part: &str) -> String {
    let escaped = serde_json::to_string(part).unwrap().len() - 2;
    part.repeat(ROOM / escaped)
}

#[tokio::test(flavor = "multi_thread")]
async fn an_import_is_bounded_before_it_is_read() {
    let app = TestApp::start().await;
    let api = app.environment();
    let health = Health::watch(&app);
    let bomb =
        format!("a: &a [{}]\nb: &b [{}]\nc: [{}]\n", "x,".repeat(999), "*a,".repeat(999), "*b,".repeat(999));
    for text in [repeated("[{a: "), repeated("["), repeated("- "), repeated("[\n\"]\","), bomb] {
        let places = api.post("/event-type/import/openapi", &json!({"specRaw": text})).await.expect_invalid();
        assert!(places.contains_key("body.specRaw"), "{places:?}");
    }
    let item = json!({"post": {"requestBody": {"content": {"application/json": {
        "schema": {"$ref": "#/components/schemas/Large"}}}}}});
    let webhooks: serde_json::Map<String, Value> =
        (0..1_500).map(|n| (format!("w{n}"), item.clone())).collect();
    let large = json!({"description": "x".repeat(750_000)});
    let spec = json!({"webhooks": webhooks, "components": {"schemas": {"Large": large}}});
    for body in [json!({"spec": spec}), json!({"specRaw": spec.to_string()})] {
        let places = api.post("/event-type/import/openapi", &body).await;
        assert!(matches!(places.status, 413 | 422), "{}", places.status);
    }
    let next = |n: usize| json!({"$ref": format!("#/components/schemas/S{}", n + 1)});
    let chain: serde_json::Map<String, Value> = (0..15_000).map(|n| (format!("S{n}"), next(n))).collect();
    let first = json!({"post": {"requestBody": {"content": {"application/json": {"schema": next(0)}}}}});
    let spec = json!({"webhooks": {"a": first}, "components": {"schemas": chain}});
    let answer = api.post("/event-type/import/openapi", &json!({"spec": spec, "dryRun": true})).await;
    assert!(matches!(answer.status, 200 | 422), "{}", answer.text);
    health.expect("imports").await;
    assert_small(&app, "imports that multiply");
}
