//! A process that cannot serve harms nobody, and a namesake that lives is left alone.

use serde_json::json;

use crate::support::{Receiver, Setup, until};

#[tokio::test(flavor = "multi_thread")]
async fn a_twin_that_cannot_bind_touches_nothing() {
    let mut app = Setup::default().start().await;
    let receiver = Receiver::start().await;
    let tenant = app.tenant("one").await;
    let hook = receiver.hook("/hook");
    tenant.endpoint(&hook, json!({})).await;
    let epoch = app.database().count("SELECT max(epoch) FROM node").await;
    // As a supervisor does that restarts it each time.
    for number in 0..6 {
        let mut twin = app.twin();
        twin.launch();
        assert!(!twin.ended().await.success());
        assert!(twin.log().contains("cannot listen on"), "{}", twin.log());
        tenant.message("made", json!({"number": number})).await;
        receiver.wait_at(&hook, number + 1).await;
    }
    app.settled().await;
    assert_eq!(receiver.received().len(), 6, "nothing was sent twice");
    assert_eq!(
        app.database().count("SELECT max(epoch) FROM node").await,
        epoch,
        "nobody else has ever joined"
    );
    assert!(app.node_mut().is_running());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_second_process_of_a_name_leaves_the_one_that_lives_alone() {
    let mut app = Setup::default().with("NODE_NAME", "the-one").start().await;
    let receiver = Receiver::start().await;
    let tenant = app.tenant("one").await;
    let hook = receiver.hook("/hook");
    tenant.endpoint(&hook, json!({})).await;
    let mut second = app.namesake();
    second.launch();
    assert!(!second.ended().await.success());
    assert!(second.log().contains("POSTRIDER_NODE_NAME"), "it says what to do: {}", second.log());
    assert!(app.node_mut().is_running());
    tenant.message("made", json!({})).await;
    receiver.wait_at(&hook, 1).await;
    app.settled().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_namesake_elsewhere_takes_over_once_the_first_one_has_stopped_beating() {
    let mut app = Setup::default().with("NODE_NAME", "the-one").start().await;
    let receiver = Receiver::start().await;
    let tenant = app.tenant("one").await;
    let hook = receiver.hook("/hook");
    tenant.endpoint(&hook, json!({})).await;
    let mut second = app.namesake();
    app.node_mut().kill9();
    second.launch();
    until("it has joined", || async {
        (app.database().count("SELECT count(*) FROM node WHERE epoch > 1").await == 1).then_some(())
    })
    .await;
    second.ready().await;
    let mut there = tenant.clone();
    there.api = tenant.api.through(&second.address());
    there.message("made", json!({})).await;
    receiver.wait_at(&hook, 1).await;
    app.settled().await;
    assert!(second.terminate().await.success());
}
