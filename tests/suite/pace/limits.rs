//! `maxInFlight` and `rateLimit` hold for all nodes together, while nodes come and go.

use std::collections::HashSet;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use nix::sys::signal::Signal;
use serde_json::json;

use crate::support::posting::{deliveries, post_all};
use crate::support::{Receiver, Reply, Tenant, TestApp, until};

use super::receiver::Holding;

/// The same tenant through another node.
fn through(tenant: &Tenant, address: &str) -> Tenant {
    Tenant { api: tenant.api.through(address), id: tenant.id.clone() }
}

#[tokio::test(flavor = "multi_thread")]
async fn requests_at_once_are_those_of_all_nodes_together() {
    let (app, receiver) = (TestApp::start().await, Receiver::start().await);
    let mut other = app.another_node("other").await;
    let tenant = app.tenant("one").await;
    let there = through(&tenant, &other.address());
    let holding = Holding::start().await;
    tenant.endpoint(&holding.hook, json!({"maxInFlight": 3})).await;
    let beside = receiver.hook("/beside");
    tenant.endpoint(&beside, json!({})).await;
    let [here, over_there] = [(tenant.clone(), 0..20), (there.clone(), 20..40)]
        .map(|(by, numbers)| tokio::spawn(post_all(by, numbers)));
    here.await.unwrap();
    over_there.await.unwrap();
    receiver.wait_at(&beside, 40).await;
    holding.holds(3).await;
    // A few go, by whichever node, and others take their places.
    for round in 1..=5 {
        holding.let_go(2);
        until("others come in their place", || async { (holding.answered() == round * 2).then_some(()) })
            .await;
        holding.holds(3).await;
    }
    // A node that leaves in order finishes what it has under way, and only then another goes on.
    let leaving = tokio::spawn(async move {
        assert!(other.terminate().await.success());
        other
    });
    holding.let_go(30);
    app.settled().await;
    drop(leaving.await.unwrap());
    assert_eq!(holding.answered(), 40);
    assert_eq!(holding.most(), 3);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_node_that_dies_leaves_its_places_to_others() {
    let app = TestApp::start().await;
    let mut other = app.another_node("other").await;
    let tenant = app.tenant("one").await;
    let there = through(&tenant, &other.address());
    let holding = Holding::start().await;
    tenant.endpoint(&holding.hook, json!({"maxInFlight": 1})).await;
    post_all(there, 0..10).await;
    holding.holds(1).await;
    let home = "SELECT count(*) FROM lane_home h JOIN node n USING (epoch) WHERE n.name = 'other'";
    assert_eq!(app.database().count(home).await, 1);
    other.kill9();
    holding.let_go(100);
    app.settled().await;
    assert_eq!(holding.most(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_node_that_stops_hands_over_at_once_what_it_has_nothing_under_way_for() {
    let (app, receiver) = (TestApp::start().await, Receiver::start().await);
    let mut other = app.another_node("other").await;
    let tenant = app.tenant("one").await;
    let there = through(&tenant, &other.address());
    let slow = Holding::start().await;
    let of_type = |name: &str| json!({"maxInFlight": 1, "eventTypes": [name]});
    tenant.endpoint(&slow.hook, of_type("slow")).await;
    let quick = receiver.hook("/quick");
    tenant.endpoint(&quick, of_type("quick")).await;
    for name in ["slow", "slow", "quick"] {
        there.message(name, json!({})).await;
    }
    slow.holds(1).await;
    receiver.wait_at(&quick, 1).await;
    let home = "SELECT count(*) FROM lane_home h JOIN node n USING (epoch) WHERE n.name = 'other'";
    assert_eq!(app.database().count(home).await, 2);
    other.signal(Signal::SIGTERM);
    // It is still at work on its request, and the other endpoint is sent to from here.
    tenant.message("quick", json!({})).await;
    receiver.wait_at(&quick, 2).await;
    assert_eq!(slow.answered(), 0);
    assert!(other.is_running());
    assert_eq!(app.database().count(home).await, 1);
    slow.let_go(2);
    assert!(other.ended().await.success());
    app.settled().await;
    assert_eq!(slow.most(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rate_is_that_of_all_nodes_together_while_they_come_and_go() {
    const RATE: usize = 40;
    const MESSAGES: usize = 800;
    let (app, receiver) = (TestApp::start().await, Receiver::start().await);
    let mut other = app.another_node("other").await;
    let tenant = app.tenant("one").await;
    let there = through(&tenant, &other.address());
    let times: Arc<Mutex<Vec<Instant>>> = Arc::default();
    let seen = times.clone();
    let hook = receiver.hook_that("/hook", move |_| {
        seen.lock().unwrap().push(Instant::now());
        Reply::Status(200)
    });
    tenant.endpoint(&hook, json!({"rateLimit": RATE})).await;
    let here = tokio::spawn(post_all(tenant.clone(), 0..MESSAGES / 2));
    let over_there = tokio::spawn(post_all(there, MESSAGES / 2..MESSAGES));
    receiver.wait_for_count(100).await;
    other.kill9();
    receiver.wait_for_count(200).await;
    other.launch();
    other.ready().await;
    receiver.wait_for_count(400).await;
    assert!(other.terminate().await.success());
    other.launch();
    other.ready().await;
    let mut accepted: HashSet<String> = here.await.unwrap().into_iter().collect();
    accepted.extend(over_there.await.unwrap());
    app.settled().await;
    assert_eq!(deliveries(&receiver).into_keys().collect::<HashSet<_>>(), accepted);
    let times = times.lock().unwrap();
    let within_ten_seconds = |first: usize| {
        let end = times[first] + Duration::from_secs(10);
        times[first..].iter().take_while(|at| **at < end).count()
    };
    let most = (0..times.len()).map(within_ten_seconds).max().unwrap();
    assert!(most <= RATE * 10 * 21 / 20, "{most} requests in ten seconds");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_rate_of_an_application_is_that_of_all_its_endpoints_at_all_nodes() {
    const RATE: usize = 40;
    let (app, receiver) = (TestApp::start().await, Receiver::start().await);
    let other = app.another_node("other").await;
    let tenant = app.tenant("one").await;
    tenant.api.patch(&tenant.path(""), &json!({"rateLimit": RATE})).await.expect(200);
    let there = through(&tenant, &other.address());
    let times: Arc<Mutex<Vec<Instant>>> = Arc::default();
    for path in ["/a", "/b"] {
        let seen = times.clone();
        let hook = receiver.hook_that(path, move |_| {
            seen.lock().unwrap().push(Instant::now());
            Reply::Status(200)
        });
        tenant.endpoint(&hook, json!({})).await;
    }
    let here = tokio::spawn(post_all(tenant.clone(), 0..150));
    let over_there = tokio::spawn(post_all(there, 150..300));
    here.await.unwrap();
    over_there.await.unwrap();
    app.settled().await;
    let times = times.lock().unwrap();
    assert_eq!(times.len(), 600);
    let took = *times.last().unwrap() - times[0];
    assert!(took >= Duration::from_secs(14), "600 requests at {RATE} a second within {took:?}");
}
