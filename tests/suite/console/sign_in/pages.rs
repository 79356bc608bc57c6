//! Signing in and out as people do it: in a browser, on the built pages, below a path.

use std::path::Path;

use serde_json::json;

use super::provider::World;
use super::session::{key, link};
use crate::support::javascript::node;
use crate::support::program::finished;

#[tokio::test(flavor = "multi_thread")]
async fn people_sign_in_by_link_by_key_and_by_their_provider_and_out_again() {
    let built = Path::new(env!("CARGO_MANIFEST_DIR")).join("dashboard/dist/index.html");
    assert!(built.exists(), "`make console` builds the pages, and comes first");
    let world = World::new(Some("a secret"), false).await;
    world.next("ada", &["admins"]).await;
    world.app.environment().get("/app").await.expect(200);
    let (_, key) = key(&world.app, &json!({"name": "ops", "role": "operator"})).await;
    let mut command = node("browser", "sign-in.cjs");
    command
        .env("CONSOLE_URL", world.place(""))
        .env("LINK", link(&world.app).await)
        .env("KEY", key)
        .env("PROVIDER", "Example Ltd")
        .env("PERSON", "ada@example.com");
    finished(command).await;
}
