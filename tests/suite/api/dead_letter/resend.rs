//! A message is sent again, and what cannot be sent ends as a dead letter.

use postrider::maintenance::{self, Round};
use serde_json::json;

use super::{Failing, brief, path_of};
use crate::support::store::{MAINTENANCE, store};
use crate::support::{Receiver, Reply, until};

#[tokio::test]
async fn resend_reaches_one_endpoint_whatever_became_of_the_message() {
    let (app, receiver) = (brief().start_local().await, Receiver::start().await);
    let failing = Failing::new(&app, &receiver, "one").await;
    let id = failing.die(&app, 1).await.pop_first().unwrap();
    let late = receiver.hook("/late");
    let latecomer = failing.tenant.endpoint(&late, json!({})).await;
    receiver.now(&failing.hook, |_| Reply::Status(200));
    let api = app.environment();
    let resend = |endpoint: &str| failing.tenant.path(&format!("/msg/{id}/endpoint/{endpoint}/resend"));

    // One that died, the same once it was delivered, and one that it was never fanned out to.
    for (endpoint, hook, number) in
        [(&failing.endpoint, &failing.hook, 3), (&failing.endpoint, &failing.hook, 4), (&latecomer, &late, 1)]
    {
        let answer = api.post(&resend(endpoint), &json!({})).await.expect(202);
        assert_eq!(answer["outcome"], "started");
        app.settled().await;
        assert_eq!(receiver.received_at(hook).len(), number);
    }
    assert!(failing.tenant.dead_letters().await.is_empty());
    for path in [
        resend("ep_00000000000000000000000000"),
        resend(&latecomer).replace(&id, "msg_00000000000000000000000000"),
    ] {
        api.post(&path, &json!({})).await.expect_error(404, "not_found");
    }
}

#[tokio::test]
async fn what_waits_for_a_deleted_endpoint_becomes_a_dead_letter() {
    let (app, receiver) = (brief().start_local().await, Receiver::start().await);
    let tenant = app.tenant("one").await;
    let endpoint = tenant.endpoint(&receiver.hook("/closed"), json!({"disabled": true})).await;
    tenant.message("a", json!({"kept": true})).await;
    app.environment().delete(&tenant.path(&format!("/endpoint/{endpoint}"))).await.expect(204);
    // A node does so within a minute.
    let store = store(app.database()).await;
    until("its turn has come", || async {
        maintenance::run(&store.upkeep, MAINTENANCE, Round::Minutely).await.unwrap().then_some(())
    })
    .await;
    app.done().await;
    let open = tenant.dead_letters().await;
    assert_eq!((open.len(), &open[0]["reason"]), (1, &json!("endpoint_deleted")));
    let whole = app.environment().get(&path_of(&open[0], "")).await.expect(200);
    assert_eq!(whole["payload"], json!({"kept": true}));
    assert!(receiver.received().is_empty());
}
