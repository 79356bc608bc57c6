//! Postgres goes away and comes back: deliveries flow again at once, the oldest first, whatever the outage lasted.
//!
//! Between the loss of a lease and the end of an outage lies the length at which everything once stood still for two
//! minutes. How long it takes is printed; only standing still fails.

use std::collections::HashSet;
use std::time::{Duration, Instant};

use serde_json::json;

use crate::support::cluster::{Cluster, StopMode};
use crate::support::{Api, Node, Receiver, Reply, Setup, Tenant, until};

/// Far above what it takes, and far below standing still.
const STANDS_STILL: Duration = Duration::from_secs(40);

#[tokio::test(flavor = "multi_thread")]
async fn deliveries_flow_again_after_an_outage_shorter_than_the_lease() {
    outage(Duration::from_secs(4)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn deliveries_flow_again_after_an_outage_that_ends_with_the_lease() {
    outage(Duration::from_secs(18)).await;
}

/// All lengths, for `make chaos`.
#[tokio::test(flavor = "multi_thread")]
#[ignore = "it takes minutes; `make chaos` runs it"]
async fn deliveries_flow_again_after_outages_of_every_length() {
    let lengths: Vec<u64> = (1..=40).collect();
    for at_once in lengths.chunks(5) {
        let outages = at_once.iter().map(|seconds| outage(Duration::from_secs(*seconds)));
        futures_util::future::join_all(outages).await;
    }
}

async fn outage(length: Duration) {
    let mut cluster = Cluster::start_in(None).await;
    let setup =
        Setup::default().with("REQUEST_TIMEOUT", "1s").with("RETRY_SCHEDULE", "1s,1s,1s,1s,1s,1s,1s,1s");
    let mut node = Node::start(setup.variables(&cluster.url())).await;
    let receiver = Receiver::start().await;
    let environment = node.api().claiming(&json!({"sub": "org_test"}));
    let tenant = Tenant::create(&environment, "one").await;
    let waits = receiver.hook_that("/waits", |_| Reply::Hang);
    let retries =
        receiver.hook_that("/retries", |request| Reply::Status(if request.nth == 1 { 503 } else { 200 }));
    tenant.endpoint(&waits, json!({"filterTypes": ["waits"], "maxInFlight": 2})).await;
    tenant.endpoint(&retries, json!({"filterTypes": ["retries"]})).await;
    let mut before = Vec::new();
    for number in 0..20 {
        before.push(tenant.message("waits", json!({"number": number})).await);
        before.push(tenant.message("retries", json!({"number": number})).await);
    }
    receiver.wait_at(&waits, 2).await;

    cluster.stop(StopMode::Immediate).await;
    let gone_at = Instant::now();
    let health = node.api();
    until("health says so", || async { (health.get("/health").await.status == 503).then_some(()) }).await;
    let said_after = gone_at.elapsed();
    let answer = health.get("/health").await.json();
    assert!(!answer["problems"].as_array().unwrap().is_empty(), "it says what is wrong: {answer}");
    tokio::time::sleep(length.saturating_sub(gone_at.elapsed())).await;
    receiver.now(&waits, |_| Reply::Status(200));
    let arrived_before = receiver.received().iter().filter(|request| request.answered == Some(200)).count();
    cluster.restart().await;

    let back_at = Instant::now();
    let after = until("a post is accepted", || async {
        let body = json!({"eventType": "retries", "payload": {}});
        let request = tenant.api.request(reqwest::Method::POST, &tenant.path("/msg")).json(&body);
        let answer = Api::try_send(request).await.ok().filter(|answer| answer.status == 202)?;
        Some(answer.json()["id"].as_str().unwrap().to_owned())
    })
    .await;
    let accepted_after = back_at.elapsed();
    let all: HashSet<&String> = before.iter().chain([&after]).collect();
    receiver
        .wait_until("deliveries flow again", |requests| {
            requests.iter().filter(|request| request.answered == Some(200)).count() > arrived_before
        })
        .await;
    let flowing_after = back_at.elapsed();
    receiver
        .wait_until("everything arrives", |requests| {
            let arrived: HashSet<&String> = requests
                .iter()
                .filter(|request| request.answered == Some(200))
                .map(|request| &request.id)
                .collect();
            all.is_subset(&arrived)
        })
        .await;
    let all_after = back_at.elapsed();
    until("health is good again", || async { (health.get("/health").await.status == 200).then_some(()) })
        .await;
    let healthy_after = back_at.elapsed();
    let order: Vec<usize> = receiver
        .received_at(&waits)
        .iter()
        .filter(|request| request.answered == Some(200))
        .filter_map(|request| before.iter().position(|id| *id == request.id))
        .collect();
    let passed = order.windows(2).filter(|pair| pair[0] > pair[1]).count();
    eprintln!(
        "outage of {} s: health said so after {said_after:.1?}; after its end accepted again in {accepted_after:.1?}, \
         delivered again in {flowing_after:.1?}, everything in {all_after:.1?}, healthy in {healthy_after:.1?}; \
         {passed} of {} out of order",
        length.as_secs(),
        order.len(),
    );
    assert!(all_after < STANDS_STILL, "it stood still for {all_after:?}");
    assert!(node.terminate().await.success());
}
