//! What fails for one application keeps nobody else's deliveries back.

use std::time::Duration;

use serde_json::json;

use crate::support::clock::time_passes;
use crate::support::{Receiver, Reply, Setup, until};

#[tokio::test]
async fn an_application_that_cannot_be_loaded_holds_up_no_other() {
    let mut app = Setup::default().with("RETRY_SCHEDULE", "1h,1h").start().await;
    app.leave_work();
    let receiver = Receiver::start().await;
    let (broken, well) = (app.tenant("broken").await, app.tenant("well").await);
    let fails_first = |request: &crate::support::receiver::Received| {
        Reply::Status(if request.nth == 1 { 500 } else { 200 })
    };
    let (of_broken, of_well) =
        (receiver.hook_that("/broken", fails_first), receiver.hook_that("/well", fails_first));
    let endpoint = broken.endpoint(&of_broken, json!({})).await;
    well.endpoint(&of_well, json!({})).await;
    for number in 0..10 {
        broken.message("made", json!({"number": number})).await;
        well.message("made", json!({"number": number})).await;
    }
    until("all of them wait", || async {
        let waiting = "SELECT count(*) FROM pending WHERE attempts = 1 AND owner IS NULL";
        (app.database().count(waiting).await == 20).then_some(())
    })
    .await;
    // A secret that does not open: whatever is asked of this application fails.
    app.node_mut().kill9();
    let spoil = "UPDATE endpoint_secret SET sealed = overlay(sealed PLACING '\\x00ff00ff' FROM 30) WHERE endpoint_id = $1";
    let id: postrider::domain::id::EndpointId = endpoint.parse().unwrap();
    sqlx::query(spoil).bind(id.uuid()).execute(&app.database().pool).await.unwrap();
    app.node_mut().restart().await;
    time_passes(app.database(), Duration::from_secs(7200)).await;
    receiver.wait_at(&of_well, 20).await;
    let claimed = "SELECT count(*) FROM pending WHERE owner IS NOT NULL";
    until("what cannot go is nobody's", || async {
        (app.database().count(claimed).await == 0).then_some(())
    })
    .await;
    assert_eq!(receiver.received_at(&of_broken).len(), 10);
    assert_eq!(app.database().count("SELECT count(*) FROM pending").await, 10, "and it waits");
}
