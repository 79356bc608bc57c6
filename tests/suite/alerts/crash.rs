//! A notice outlives the node that was about to send it.

use serde_json::json;

use crate::support::{Receiver, Reply, TestApp, until};

use super::NOW;
use super::chat::Chat;

#[tokio::test(flavor = "multi_thread")]
async fn what_a_killed_node_was_sending_another_one_sends() {
    let (chat, receiver) = (Chat::start().await, Receiver::start().await);
    let mut app = TestApp::start().await;
    let target = format!("{}/hanging", chat.url);
    let channel = json!({"name": "chat", "kind": "slack", "target": target, "minSeverity": "critical"});
    app.environment().post("/alert-channel", &channel).await.expect(201);
    let tenant = app.tenant("one").await;
    let failing = receiver.hook_that("/failing", |_| Reply::Status(500));
    tenant.endpoint(&failing, json!({"retrySchedule": []})).await;
    tenant.message("a.b", json!({})).await;
    until("the alert is on its way", || async {
        app.database().run(NOW).await;
        (chat.at("hanging").len() == 1).then_some(())
    })
    .await;
    app.node_mut().kill9();
    app.node_mut().restart().await;
    // Its lease is over.
    app.database().run("UPDATE alert_notice SET due_at = now() WHERE due_at IS NOT NULL").await;
    until("the alert is sent again", || async { (chat.at("hanging").len() == 2).then_some(()) }).await;
    let sent = "SELECT count(*) FROM alert_notice WHERE sent_at IS NOT NULL AND attempts = 2";
    until("it is noted as sent", || async { (app.database().count(sent).await == 1).then_some(()) }).await;
    let texts = chat.texts_at("hanging");
    assert_eq!(texts[0], texts[1]);
}
