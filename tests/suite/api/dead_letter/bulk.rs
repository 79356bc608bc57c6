//! Many dead letters are replayed by a background task.

use std::collections::BTreeSet;

use serde_json::json;

use super::{Failing, brief, ended, id_of};
use crate::support::{Receiver, Reply, until};

#[tokio::test]
async fn bulk_replay_reports_progress_and_survives_a_restart() {
    const LETTERS: usize = 60;
    let (mut app, receiver) = (brief().start().await, Receiver::start().await);
    let failing = Failing::new(&app, &receiver, "one").await;
    let ids = failing.die(&app, LETTERS).await;
    receiver.now(&failing.hook, |_| Reply::Status(200));
    let api = app.environment();
    let asked = json!({"endpointId": failing.endpoint, "ratePerSecond": 20});
    let task = api.post("/dead-letter/replay", &asked).await.expect(202);
    assert_eq!((&task["kind"], &task["progress"]["total"]), (&json!("dead_letter.replay"), &json!(LETTERS)));
    let path = format!("/background-task/{}", id_of(&task));
    let done = until("the task is under way", || async {
        api.get(&path).await.expect(200)["progress"]["done"].as_u64().filter(|done| *done >= 5)
    })
    .await;
    assert!(done < LETTERS as u64, "it was to be killed on the way");
    app.node_mut().kill9();
    app.node_mut().restart().await;

    let task = ended(&api, &task).await;
    assert_eq!((&task["status"], &task["progress"]["done"]), (&json!("finished"), &json!(LETTERS)));
    app.settled().await;
    let arrived: BTreeSet<String> = receiver
        .received_at(&failing.hook)
        .into_iter()
        .filter(|request| request.answered == Some(200))
        .map(|request| request.id)
        .collect();
    assert_eq!(arrived, ids);
    assert!(failing.tenant.dead_letters().await.is_empty());
}

#[tokio::test]
async fn dry_run_counts_and_changes_nothing() {
    let (app, receiver) = (brief().start_local().await, Receiver::start().await);
    let failing = Failing::new(&app, &receiver, "one").await;
    failing.die(&app, 3).await;
    let api = app.environment();
    for operation in ["replay", "discard"] {
        let asked = json!({"eventType": "order.lost", "dryRun": true});
        let answer = api.post(&format!("/dead-letter/{operation}"), &asked).await.expect(200);
        assert_eq!((&answer["dryRun"], &answer["count"]), (&json!(true), &json!(3)));
        assert_eq!(answer["eventTypes"], json!([{"name": "order.lost", "count": 3}]));
    }
    assert_eq!(failing.tenant.dead_letters().await.len(), 3);
    assert!(api.all("/background-task", 10).await.is_empty());
    let misspelt = api.post("/dead-letter/replay", &json!({"event_type": "order.lost"})).await;
    assert!(misspelt.expect_invalid().contains_key("body.event_type"));
}
