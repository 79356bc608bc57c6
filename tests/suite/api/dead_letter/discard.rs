//! Dead letters are laid aside.

use serde_json::json;

use super::{Failing, brief, ended, path_of};
use crate::support::{Receiver, Reply};

#[tokio::test]
async fn a_discarded_dead_letter_is_left_alone_until_it_is_asked_for() {
    let (app, receiver) = (brief().start_local().await, Receiver::start().await);
    let failing = Failing::new(&app, &receiver, "one").await;
    failing.die(&app, 2).await;
    let api = app.environment();
    let task = api.post("/dead-letter/discard", &json!({"appId": failing.tenant.id})).await.expect(202);
    let progress = json!({"done": 2, "total": 2, "delivered": null, "failedAgain": null});
    assert_eq!(ended(&api, &task).await["progress"], progress);
    assert!(failing.tenant.dead_letters().await.is_empty());
    let discarded = api.all("/dead-letter?state=discarded", 10).await;
    assert_eq!(discarded.len(), 2);

    let task = api.post("/dead-letter/replay", &json!({})).await.expect(202);
    let progress = json!({"done": 0, "total": 0, "delivered": 0, "failedAgain": 0});
    assert_eq!(ended(&api, &task).await["progress"], progress);
    receiver.now(&failing.hook, |_| Reply::Status(200));
    api.post(&path_of(&discarded[0], "/replay"), &json!({})).await.expect(202);
    app.settled().await;
    let states = api.all("/dead-letter", 10).await;
    let states: Vec<&str> = states.iter().map(|letter| letter["state"].as_str().unwrap()).collect();
    assert_eq!(states, ["replayed", "discarded"]);
    api.post(&path_of(&discarded[0], "/discard"), &json!({})).await.expect_error(409, "already_replayed");
}
