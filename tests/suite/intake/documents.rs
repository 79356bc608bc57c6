//! Documents that say much in few characters.

use futures_util::future::join_all;
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

/// So many small objects, each of which takes a hundred times as much in memory as here.
fn small_objects(count: usize) -> String {
    vec![r#"{"":0}"#; count].join(",")
}

#[tokio::test(flavor = "multi_thread")]
async fn bodies_of_small_objects_are_counted_before_they_are_read() {
    let app = TestApp::start().await;
    let tenant = app.tenant("small").await;
    let own = app.api().claiming(&json!({"sub": tenant.id, "org": "org_test"}));
    let endpoint = tenant.path("/endpoint");
    let environment = app.environment();
    let import = "/event-type/import/openapi";
    let as_many_as_fit = small_objects(ROOM / 7);
    let tried = [
        (&own, &*endpoint, format!(r#"{{"url":"https://example.com/","none":[{as_many_as_fit}]}}"#)),
        (&environment, import, format!(r#"{{"spec":{{"webhooks":{{}},"x":[{as_many_as_fit}]}}}}"#)),
    ];
    for (api, path, body) in &tried {
        for answer in join_all((0..4).map(|_| api.post_bytes(path, body.clone()))).await {
            let places = answer.expect_invalid();
            assert!(places["body"].contains("values at most"), "{path}: {places:?}");
        }
    }
    let within =
        format!(r#"{{"spec":{{"webhooks":{{"a":{{"post":{{}}}}}},"x":[{}]}}}}"#, small_objects(49_000));
    for answer in join_all((0..4).map(|_| environment.post_bytes(import, within.clone()))).await {
        answer.expect(200);
    }
    assert_small(&app, "four at a time of small objects");
}
