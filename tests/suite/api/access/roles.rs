//! What each kind of token opens, and what it is told where it opens nothing.

use postrider::domain::clock::Clock;
use serde_json::json;

use crate::support::LocalApp;
use crate::support::api::{Answer, mint, mint_with};

#[tokio::test]
async fn who_may_not_is_told_so_or_sees_nothing() {
    let app = LocalApp::start().await;
    let tenant = app.tenant("one").await;
    let other = app.tenant("other").await;
    let now = Clock::default().now().timestamp();
    let nobody = app.api();
    assert_eq!(nobody.get("/app").await.headers["www-authenticate"], "Bearer");
    for token in [
        "nonsense".to_owned(),
        mint_with(&json!({"sub": "org_test"}), "another secret than the server's"),
        mint(&json!({"sub": "org_test", "exp": now - 3600})),
        mint(&json!({"sub": "org_test", "nbf": now + 3600})),
        mint(&json!({"sub": "nobody"})),
        mint(&json!({"sub": tenant.id})),
    ] {
        nobody.with_token(&token).get("/app").await.expect_error(401, "authentication_failed");
    }
    nobody.get("/app").await.expect_error(401, "authentication_failed");

    let own = nobody.claiming(&json!({"sub": tenant.id, "org": "org_test"}));
    assert_eq!(own.get(&tenant.path("")).await.expect(200)["id"], tenant.id.as_str());
    assert_eq!(own.get(&tenant.path("/endpoint")).await.expect(200)["data"], json!([]));
    own.post(&tenant.path("/endpoint"), &json!({"url": "http://127.0.0.1:9/"})).await.expect(201);
    own.get("/app").await.expect_error(403, "forbidden");
    own.post("/app", &json!({"name": "x"})).await.expect_error(403, "forbidden");
    let message = json!({"eventType": "a", "payload": {}});
    own.post(&tenant.path("/msg"), &message).await.expect_error(403, "forbidden");
    own.get(&other.path("/endpoint")).await.expect_error(404, "not_found");
    own.get(&other.path("")).await.expect_error(404, "not_found");

    let stranger = nobody.claiming(&json!({"sub": "org_stranger"}));
    let hidden = stranger.get(&tenant.path("")).await;
    let missing = stranger.get("/app/app_01h455vb4pex5vsknk084sn02q").await;
    hidden.expect_error(404, "not_found");
    // Each answer names its own request.
    let told = |answer: &Answer| {
        let mut body = answer.json();
        body.as_object_mut().unwrap().remove("requestId");
        body
    };
    assert_eq!(told(&hidden), told(&missing), "another's is not told from none");
    stranger.post(&tenant.path("/msg"), &message).await.expect_error(404, "not_found");
    assert_eq!(stranger.get("/app").await.expect(200)["data"], json!([]));

    let operator = nobody.claiming(&json!({"sub": "operator", "org": "org_test"}));
    assert_eq!(operator.get("/app").await.expect(200)["data"].as_array().unwrap().len(), 2);
}
