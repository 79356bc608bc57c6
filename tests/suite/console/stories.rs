//! What people do with the console and the portal, told as stories and played in a browser: the real program, its built
//! pages, real Postgres, real receivers. Each is a script of its own in `tests/browser/stories`.

use std::path::Path;

use serde_json::json;

use super::sign_in::session::key;
use crate::support::Setup;
use crate::support::javascript::node;
use crate::support::program::finished;

async fn is_played(script: &str) {
    let built = Path::new(env!("CARGO_MANIFEST_DIR")).join("dashboard/dist/index.html");
    assert!(built.exists(), "`make console` builds the pages, and comes first");
    let mut app = Setup::default().start().await;
    app.leave_work();
    app.environment().get("/app").await.expect(200);
    let (_, key) = key(&app, &json!({"name": "ops", "role": "operator"})).await;
    let address = format!("http://{}", app.address());
    let mut command = node("browser", &format!("stories/{script}"));
    command
        .env("CONSOLE_URL", &address)
        .env("API_URL", &address)
        .env("KEY", key)
        .env("ENVIRONMENT", "org_test");
    println!("{}", finished(command).await);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_operator_at_night_finds_the_cause_pauses_and_resumes() {
    is_played("operator-at-night.cjs").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn support_finds_an_event_that_never_came_and_why() {
    is_played("support-search.cjs").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_tenant_adds_its_first_endpoint_and_has_it_checked() {
    is_played("first-endpoint.cjs").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn dead_letters_are_previewed_replayed_watched_and_stopped() {
    is_played("dead-letters.cjs").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_secret_is_rotated_and_the_old_one_ended() {
    is_played("secret-rotation.cjs").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_portal_link_opens_its_own_tenant_alone() {
    is_played("portal-limits.cjs").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn messages_and_attempts_show_as_they_happen() {
    is_played("live-tail.cjs").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_chat_is_told_of_a_dead_letter_and_rules_are_kept() {
    is_played("alerts.cjs").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn every_view_is_accessible_in_every_look_and_works_by_keyboard() {
    is_played("every-view.cjs").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn every_view_is_accessible_while_it_waits_for_answers() {
    is_played("late-answers.cjs").await;
}
