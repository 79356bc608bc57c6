//! Endpoints, with their secret and headers.

use serde_json::{Value, json};

use crate::support::LocalApp;

#[tokio::test]
async fn an_endpoint_shows_its_secret_where_it_is_asked_for_and_no_sensitive_header() {
    let app = LocalApp::start().await;
    let tenant = app.tenant("one").await;
    let (api, endpoints) = (&tenant.api, tenant.path("/endpoint"));
    let made = api
        .post(
            &endpoints,
            &json!({"url": "http://127.0.0.1:9/hook", "uid": "mine", "filterTypes": [], "description": "d"}),
        )
        .await
        .expect(201);
    assert!(made["id"].as_str().unwrap().starts_with("ep_"));
    assert_eq!(
        (&made["version"], &made["disabled"], &made["filterTypes"]),
        (&json!(1), &json!(false), &Value::Null)
    );
    assert!(made.get("secret").is_none(), "the secret is shown where it is asked for only");
    let path = format!("{endpoints}/mine");
    assert_eq!(api.get(&path).await.expect(200), made);

    let secret = api.get(&format!("{path}/secret")).await.expect(200)["key"].as_str().unwrap().to_owned();
    assert!(secret.starts_with("whsec_"));
    let rotate = format!("{path}/secret/rotate");
    let rotated = api.post(&rotate, &json!({})).await.expect(200);
    assert_ne!(rotated["key"], secret.as_str());
    for key in 0..9 {
        let made = api.post(&rotate, &json!({})).await;
        assert!([200, 409, 422].contains(&made.status), "rotation {key}: {made:?}");
    }

    let headers = format!("{path}/headers");
    assert_eq!(api.get(&headers).await.expect(200)["headers"], json!({}));
    let set = json!({"headers": {"x-tenant": "one", "authorization": "Bearer hush"}});
    api.put(&headers, &set).await.expect(204);
    let shown = api.get(&headers).await.expect(200);
    assert_eq!(shown["headers"]["x-tenant"], "one");
    assert!(!shown.to_string().contains("hush"), "{shown}");
    assert_eq!(shown["sensitive"], json!(["authorization"]));
    api.patch(&headers, &json!({"headers": {"x-more": "two"}})).await.expect(204);
    assert_eq!(api.get(&headers).await.expect(200)["headers"]["x-more"], "two");

    let patched = api.patch(&path, &json!({"description": "e", "filterTypes": ["a.b"]})).await.expect(200);
    assert_eq!((&patched["description"], &patched["filterTypes"]), (&json!("e"), &json!(["a.b"])));
    api.delete(&path).await.expect(204);
    api.get(&path).await.expect_error(404, "not_found");
    api.get(&format!("{path}/secret")).await.expect_error(404, "not_found");
}
