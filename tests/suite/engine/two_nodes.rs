//! Several processes on one database.

use std::collections::HashSet;

use serde_json::json;

use crate::support::posting::{deliveries, post_all, unrecorded};
use crate::support::{Receiver, Reply, Setup, TestApp, until};

#[tokio::test(flavor = "multi_thread")]
async fn what_a_node_accepts_another_ones_configuration_reaches() {
    let (app, receiver) = (TestApp::start().await, Receiver::start().await);
    let other = app.another_node("other").await;
    let tenant = app.tenant("one").await;
    let mut there = tenant.clone();
    there.api = tenant.api.through(&other.address());
    // The other node's snapshot of the tenant is made now, and is stale right after.
    there.message("made", json!({})).await;
    let hook = receiver.hook("/hook");
    let endpoint = tenant.endpoint(&hook, json!({})).await;
    let second = there.message("made", json!({})).await;
    assert_eq!(receiver.wait_at(&hook, 1).await[0].id, second);
    tenant.patch_endpoint(&endpoint, json!({"disabled": true})).await;
    there.message("made", json!({})).await;
    app.settled().await;
    assert_eq!(receiver.received().len(), 1);
    there.patch_endpoint(&endpoint, json!({"disabled": false})).await;
    receiver.wait_at(&hook, 2).await;
    app.done().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_nodes_backlog_is_shared() {
    let app = Setup::default().with("RETRY_SCHEDULE", "200ms,200ms").start().await;
    let receiver = Receiver::start().await;
    let other = app.another_node("other").await;
    let tenant = app.tenant("one").await;
    let hook = receiver.hook_that("/hook", |request| Reply::Status(if request.nth == 1 { 500 } else { 200 }));
    tenant.endpoint(&hook, json!({})).await;
    let mut there = tenant.clone();
    there.api = tenant.api.through(&other.address());
    let mut accepted = HashSet::new();
    for number in 0..100 {
        let by = if number % 2 == 0 { &tenant } else { &there };
        accepted.insert(by.message("made", json!({"number": number})).await);
    }
    app.settled().await;
    let delivered: Vec<_> =
        receiver.received().into_iter().filter(|request| request.answered == Some(200)).collect();
    assert_eq!(delivered.len(), 100, "each retry was made by one node only");
    assert_eq!(delivered.into_iter().map(|request| request.id).collect::<HashSet<_>>(), accepted);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_node_without_the_dispatchers_role_leaves_delivering_to_others() {
    let app = Setup::default().with("ROLES", "api,maintenance").start().await;
    let receiver = Receiver::start().await;
    let tenant = app.tenant("one").await;
    let hook = receiver.hook("/hook");
    tenant.endpoint(&hook, json!({})).await;
    let early = tenant.message("made", json!({})).await;
    assert_eq!(app.database().count("SELECT count(*) FROM delivery WHERE state = 'waiting'").await, 1);
    let _dispatcher = app.another_node_as("dispatcher", "api,dispatcher").await;
    assert_eq!(receiver.wait_at(&hook, 1).await[0].id, early);
    tenant.message("made", json!({})).await;
    receiver.wait_at(&hook, 2).await;
    app.done().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_killed_nodes_work_is_taken_over() {
    let (app, receiver) = (TestApp::start().await, Receiver::start().await);
    let mut other = app.another_node("other").await;
    let tenant = app.tenant("one").await;
    let mut there = tenant.clone();
    there.api = tenant.api.through(&other.address());
    let hook = receiver.hook_that("/hook", |request| match request.nth {
        1 => Reply::Hang,
        _ => Reply::Status(200),
    });
    tenant.endpoint(&hook, json!({})).await;
    // More than go out at once, so that some are under way and some queue in memory.
    let mut accepted = HashSet::new();
    for number in 0..50 {
        accepted.insert(there.message("made", json!({"number": number})).await);
    }
    receiver.wait_at(&hook, 16).await;
    let owned = app.database().count("SELECT count(*) FROM delivery WHERE state = 'in_flight'").await;
    assert!(owned > 0);
    other.kill9();
    receiver.now(&hook, |_| Reply::Status(200));
    until("the dead node is gone", || async {
        (app.database().count("SELECT count(*) FROM node").await == 1).then_some(())
    })
    .await;
    app.settled().await;
    let delivered: HashSet<String> = receiver
        .received()
        .into_iter()
        .filter(|request| request.answered == Some(200))
        .map(|request| request.id)
        .collect();
    assert_eq!(delivered, accepted);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_node_killed_under_load_loses_nothing_and_duplicates_only_what_was_under_way() {
    let (app, receiver) = (TestApp::start().await, Receiver::start().await);
    let mut other = app.another_node("other").await;
    let tenant = app.tenant("one").await;
    let mut there = tenant.clone();
    there.api = tenant.api.through(&other.address());
    let hook = receiver.hook("/hook");
    tenant.endpoint(&hook, json!({})).await;
    let here = tokio::spawn(post_all(tenant.clone(), 0..2_000));
    let over_there = tokio::spawn(post_all(there, 2_000..4_000));
    receiver.wait_for_count(1_000).await;
    other.kill9();
    let open = unrecorded(app.database(), &receiver).await;
    other.launch();
    other.ready().await;
    let mut accepted: HashSet<String> = here.await.unwrap().into_iter().collect();
    accepted.extend(over_there.await.unwrap());
    assert_eq!(accepted.len(), 4_000);
    app.settled().await;
    let times = deliveries(&receiver);
    assert_eq!(
        times.keys().cloned().collect::<HashSet<_>>(),
        accepted,
        "nothing is lost, nothing is made up"
    );
    let again: usize = times.values().map(|times| times - 1).sum();
    // Sixteen more may have been on the wire.
    assert!(
        again <= open + 16,
        "{again} came again; {open} were answered and not recorded when the node was killed"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rolling_restart_loses_nothing_and_sends_nothing_twice() {
    let mut app = TestApp::start().await;
    let receiver = Receiver::start().await;
    let mut other = app.another_node("other").await;
    let tenant = app.tenant("one").await;
    let mut there = tenant.clone();
    there.api = tenant.api.through(&other.address());
    let hook = receiver.hook("/hook");
    tenant.endpoint(&hook, json!({})).await;
    let here = tokio::spawn(post_all(tenant.clone(), 0..2_000));
    let over_there = tokio::spawn(post_all(there, 2_000..4_000));
    for round in 1..=2 {
        receiver.wait_for_count(round * 700).await;
        assert!(other.terminate().await.success());
        other.launch();
        other.ready().await;
        receiver.wait_for_count(round * 700 + 350).await;
        assert!(app.node_mut().terminate().await.success());
        app.node_mut().restart().await;
    }
    let mut accepted: HashSet<String> = here.await.unwrap().into_iter().collect();
    accepted.extend(over_there.await.unwrap());
    app.settled().await;
    let times = deliveries(&receiver);
    assert_eq!(times.keys().cloned().collect::<HashSet<_>>(), accepted);
    assert!(times.values().all(|times| *times == 1), "what was recorded is not sent again");
}

#[tokio::test(flavor = "multi_thread")]
async fn many_nodes_can_start_at_once_on_an_empty_database() {
    let database = crate::support::Database::empty().await;
    let setup = |name: &str| Setup::default().with("NODE_NAME", name).variables(database.url());
    let nodes = ["a", "b", "c", "d"].map(|name| tokio::spawn(crate::support::Node::start(setup(name))));
    for node in nodes {
        let mut node = node.await.unwrap();
        assert!(node.terminate().await.success());
    }
}
