//! This version and the last release on one database, as they are while an operator replaces one node after the other.
//! `make upgrade` builds the last release, and names its program in `POSTRIDER_PREVIOUS_PROGRAM`.

use std::collections::HashSet;
use std::path::PathBuf;

use serde_json::json;

use crate::support::{Database, Node, Receiver, Reply, Setup, Tenant, until};

fn previous() -> PathBuf {
    #[expect(clippy::disallowed_methods, reason = "it is the suite's own variable, not the program's")]
    let named = std::env::var("POSTRIDER_PREVIOUS_PROGRAM");
    named.expect("`make upgrade` builds the last release and names its program").into()
}

/// Posts ten messages through each node.
async fn post(tenants: &[&Tenant], round: &str, accepted: &mut HashSet<String>) {
    for number in 0..10 {
        for (place, tenant) in tenants.iter().enumerate() {
            accepted.insert(
                tenant.message("made", json!({"round": round, "place": place, "number": number})).await,
            );
        }
    }
}

/// Returns when everything that was accepted has been answered 200 at this place.
async fn all_delivered(receiver: &Receiver, path: &str, accepted: &HashSet<String>) {
    let all = |requests: &[crate::support::receiver::Received]| {
        let done = requests.iter().filter(|one| one.path == path && one.answered == Some(200));
        let done: HashSet<&String> = done.map(|one| &one.id).collect();
        accepted.iter().all(|id| done.contains(id))
    };
    receiver.wait_until("everything that was accepted is delivered", all).await;
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "it needs the last release's program: `make upgrade` builds it"]
async fn the_last_release_and_this_version_work_beside_each_other() {
    let database = Database::empty().await;
    let receiver = Receiver::start().await;
    let setup = || Setup::default().with("RETRY_SCHEDULE", "200ms,200ms,200ms");
    let variables = |name: &str| setup().with("NODE_NAME", name).variables(database.url());

    // Each message fails once, so that retries go through the queue, to whichever node.
    let hook = receiver.hook_that("/hook", |request| Reply::Status(if request.nth == 1 { 500 } else { 200 }));
    let mut older = Node::prepare(variables("older")).built_elsewhere(&previous());
    older.launch();
    older.ready().await;
    let before = Tenant::create(&older.api().claiming(&json!({"sub": "org_test"})), "one").await;
    let endpoint = before.endpoint(&hook, json!({"headers": {"x-kept": "sealed"}})).await;
    let mut accepted = HashSet::new();
    post(&[&before], "alone", &mut accepted).await;

    // The first new node migrates while the older one delivers.
    let mut newer = Node::start(variables("newer")).await;
    let mut after = before.clone();
    after.api = before.api.through(&newer.address());
    post(&[&before, &after], "beside", &mut accepted).await;
    all_delivered(&receiver, "/hook", &accepted).await;

    // What one has answered is in force on the other, either way.
    for (by, through, path) in [(&after, &before, "/by-newer"), (&before, &after, "/by-older")] {
        let other = receiver.hook(path);
        let made = by.endpoint(&other, json!({})).await;
        let message = through.message("made", json!({"at": path})).await;
        accepted.insert(message.clone());
        assert_eq!(receiver.wait_at(&other, 1).await[0].id, message);
        by.patch_endpoint(&made, json!({"disabled": true})).await;
    }
    assert_eq!(after.get_endpoint(&endpoint).await["url"], before.get_endpoint(&endpoint).await["url"]);

    // The older one is killed with deliveries in its memory, and the newer one takes them over.
    receiver.now(&hook, |request| if request.nth == 1 { Reply::Hang } else { Reply::Status(200) });
    post(&[&before], "killed", &mut accepted).await;
    older.kill9();
    all_delivered(&receiver, "/hook", &accepted).await;
    until("nothing is left to do", || async {
        let left =
            database.count("SELECT count(*) FROM delivery WHERE state IN ('in_flight', 'waiting')").await;
        (left == 0).then_some(())
    })
    .await;
    assert!(newer.terminate().await.success());
}
