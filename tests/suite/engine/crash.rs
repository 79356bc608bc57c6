//! A server that dies loses nothing that it has answered 202.

use std::collections::HashSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use serde_json::json;

use crate::support::posting::{deliveries, post_all, unrecorded};
use crate::support::{Receiver, Reply, Setup, TestApp};

const MESSAGES: usize = 10_000;
const KILLS: usize = 5;
const IN_FLIGHT: usize = 64;

/// Whether the receiver fails the first attempt of a message: three in ten, by its id.
fn is_unlucky(id: &str) -> bool {
    id.bytes().fold(0_u32, |sum, byte| sum.wrapping_mul(31).wrapping_add(byte.into())) % 10 < 3
}

#[tokio::test(flavor = "multi_thread")]
async fn ten_thousand_messages_survive_five_kills() {
    let mut app = Setup::default()
        .with("MAX_IN_FLIGHT", &IN_FLIGHT.to_string())
        .with("RETRY_SCHEDULE", "300ms,1s,2s,4s,8s,16s")
        .with("LOG", "warn")
        .start()
        .await;
    let receiver = Receiver::start().await;
    let tenant = app.tenant("one").await;
    let hook = receiver.hook_that("/hook", |request| {
        Reply::Status(if request.nth == 1 && is_unlucky(&request.id) { 503 } else { 200 })
    });
    tenant.endpoint(&hook, json!({})).await;

    let posting = tokio::spawn(post_all(tenant.clone(), 0..MESSAGES));
    let mut may_come_again = 0;
    for kill in 1..=KILLS {
        receiver.wait_for_count(kill * MESSAGES / (KILLS + 2)).await;
        app.node_mut().kill9();
        let open = unrecorded(app.database(), &receiver).await;
        eprintln!("kill {kill}: {open} deliveries were answered and not yet recorded");
        may_come_again += open;
        app.node_mut().restart().await;
    }
    let accepted: HashSet<String> = posting.await.unwrap().into_iter().collect();
    assert_eq!(accepted.len(), MESSAGES, "each accepted message has an id of its own");
    receiver
        .wait_until("every message delivered", |all| {
            all.len() >= MESSAGES
                && all
                    .iter()
                    .filter(|request| request.answered == Some(200))
                    .map(|request| request.id.as_str())
                    .collect::<HashSet<_>>()
                    .len()
                    >= MESSAGES
        })
        .await;
    app.settled().await;

    let times = deliveries(&receiver);
    let missing = accepted.iter().filter(|id| !times.contains_key(*id)).count();
    let unknown = times.keys().filter(|id| !accepted.contains(*id)).count();
    let again: usize = times.values().map(|times| times - 1).sum();
    let requests = receiver.received().len();
    eprintln!(
        "{MESSAGES} accepted, {requests} requests, {missing} missing, {unknown} unknown, {again} delivered again \
         (at most {may_come_again} could be)"
    );
    assert_eq!((missing, unknown), (0, 0));
    assert!(
        again <= may_come_again,
        "{again} duplicates, and only {may_come_again} were in flight at a kill"
    );
    assert_eq!(app.database().count("SELECT count(*) FROM message").await, i64::try_from(MESSAGES).unwrap());
    let delivered = app.database().count("SELECT count(*) FROM delivery WHERE state = 'delivered'").await;
    assert_eq!(delivered, i64::try_from(MESSAGES).unwrap());
    assert!(tenant.dead_letters().await.is_empty());
    assert_eq!(app.database().count("SELECT count(*) FROM pending").await, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_terminated_server_loses_nothing_and_sends_nothing_twice() {
    let mut app = TestApp::start().await;
    let receiver = Receiver::start().await;
    let tenant = app.tenant("one").await;
    let hook = receiver.hook("/hook");
    tenant.endpoint(&hook, json!({})).await;
    let posting = tokio::spawn(post_all(tenant.clone(), 0..2_000));
    for stop in 1..=3 {
        receiver.wait_for_count(stop * 400).await;
        let status = app.node_mut().terminate().await;
        assert!(status.success(), "{status}");
        assert_eq!(unrecorded(app.database(), &receiver).await, 0, "everything that went out was recorded");
        let owned = app.database().count("SELECT count(*) FROM delivery WHERE state = 'in_flight'").await;
        assert_eq!(owned, 0, "everything that did not go out was handed back");
        app.node_mut().restart().await;
    }
    let accepted: HashSet<String> = posting.await.unwrap().into_iter().collect();
    app.settled().await;
    let times = deliveries(&receiver);
    assert_eq!(times.len(), accepted.len());
    assert!(times.values().all(|times| *times == 1), "nothing is sent twice");
}

#[tokio::test]
async fn a_retry_that_was_due_while_the_server_was_down_goes_out_after() {
    let mut app = Setup::default().with("RETRY_SCHEDULE", "1h").start().await;
    let receiver = Receiver::start().await;
    let tenant = app.tenant("one").await;
    let hook = receiver.hook_that("/hook", |request| Reply::Status(if request.nth == 1 { 500 } else { 200 }));
    tenant.endpoint(&hook, json!({})).await;
    tenant.message("made", json!({})).await;
    crate::support::clock::wait_after(app.database(), 1).await;
    app.node_mut().kill9();
    crate::support::clock::time_passes(app.database(), std::time::Duration::from_secs(7200)).await;
    app.node_mut().restart().await;
    receiver.wait_at(&hook, 2).await;
    app.settled().await;
}

#[tokio::test]
async fn a_killed_server_goes_on_at_once_with_what_was_under_way() {
    let mut app = TestApp::start().await;
    let receiver = Receiver::start().await;
    let tenant = app.tenant("one").await;
    let first = Arc::new(AtomicUsize::new(0));
    let hook = receiver.hook_that("/hook", move |_| {
        // The first is never answered: it is out when the server dies.
        if first.fetch_add(1, Ordering::Relaxed) == 0 { Reply::Hang } else { Reply::Status(200) }
    });
    tenant.endpoint(&hook, json!({})).await;
    let id = tenant.message("made", json!({})).await;
    receiver.wait_at(&hook, 1).await;
    app.node_mut().kill9();
    app.node_mut().restart().await;
    // The former self is fenced when the server answers, so that nothing has to run out first.
    let owned = app.database().count("SELECT count(*) FROM node").await;
    assert_eq!(owned, 1);
    let requests = receiver.wait_at(&hook, 2).await;
    assert_eq!(requests[1].id, id);
    app.settled().await;
}
