//! The same by the cookie of a session: one that has ended, and one that a page of another site makes use of.

use reqwest::{Method, RequestBuilder};
use serde_json::json;

use super::rule::Rule;
use super::world::World;
use crate::console::sign_in::browser::SignedIn;
use crate::support::api::mint;

/// How a request is made.
type Asking<'a> = dyn Fn(Method, &str) -> RequestBuilder + 'a;

#[tokio::test]
async fn no_operation_opens_to_a_session_that_has_ended_or_to_a_page_of_another_site() {
    let world = World::new().await;
    let (app, operator) = (&world.app, mint(&json!({"sub": "operator"})));
    let by = async |text: &str| SignedIn::with(&app.api(), &json!({ "credential": text })).await;
    let made = json!({"name": "revoked", "role": "operator"});
    let made = app.operator().post("/admin/api-key", &made).await.expect(201);
    let revoked = by(made["key"].as_str().unwrap()).await;
    let path = format!("/admin/api-key/{}", made["id"].as_str().unwrap());
    app.operator().delete(&path).await.expect(204);
    let signed_out = by(&operator).await;
    signed_out.delete("/session").await.expect(204);
    let expired = by(&operator).await;
    sqlx::query("UPDATE session SET last_used_at = now() - interval '13 hours'")
        .execute(&app.database().pool)
        .await
        .unwrap();
    let live = by(&operator).await;
    let before = world.everything().await;
    for operation in world.operations() {
        if operation.rule == Rule::Public {
            continue;
        }
        for (kind, ended) in [("revoked", &revoked), ("signed out", &signed_out), ("expired", &expired)] {
            let answer = operation.send(|method, path| ended.request(method, path)).await;
            let what = format!("{} {kind}: {} {}", operation.name(), answer.status, answer.text);
            assert_eq!(answer.status, 401, "{what}");
        }
        if operation.is_read() {
            continue;
        }
        let bare = |method: Method, path: &str| live.bare(method, path);
        let foreign =
            |method: Method, path: &str| live.request(method, path).header("origin", "https://evil.example");
        let anothers =
            |method: Method, path: &str| live.bare(method, path).header("postrider-csrf", &signed_out.csrf);
        let ways: [&Asking<'_>; 3] = [&bare, &foreign, &anothers];
        for way in ways {
            let in_environment =
                |method: Method, path: &str| way(method, path).header("postrider-environment", "org_victim");
            let answer = operation.send(in_environment).await;
            let what = format!("{}: {} {}", operation.name(), answer.status, answer.text);
            assert_eq!((answer.status, answer.json()["code"].as_str()), (403, Some("csrf_failed")), "{what}");
        }
    }
    assert_eq!(world.everything().await, before);
    live.get("/session").await.expect(200);
}
