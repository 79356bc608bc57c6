//! A lane learns how much its receiver takes, so that a backlog goes through without being refused all the time.

use serde_json::json;

use crate::support::posting::{deliveries, post_all};
use crate::support::{Receiver, Setup, Tenant, TestApp};

use super::receiver::RateLimit;

const MESSAGES: usize = 300;
/// Of the receiver, which so has thirty seconds' work.
const PER_SECOND: usize = 10;
const MOST_REQUESTS: usize = MESSAGES * 13 / 10;

async fn app() -> TestApp {
    Setup::default().with("RETRY_SCHEDULE", "1s,2s,3s,4s,5s,6s").start().await
}

/// Posts them all by these, and returns when nothing is left to do.
async fn all_arrive(app: &TestApp, receiver: &Receiver, by: &[Tenant]) {
    let limit = RateLimit::new(PER_SECOND);
    let hook = receiver.hook_that("/hook", move |_| limit.answer());
    let endpoint = by[0].endpoint(&hook, json!({})).await;
    let share = MESSAGES / by.len();
    let mut posts = tokio::task::JoinSet::new();
    for (number, tenant) in by.iter().enumerate() {
        posts.spawn(post_all(tenant.clone(), number * share..(number + 1) * share));
    }
    posts.join_all().await;
    // How long it takes is not what this is about; on a busy machine it takes long.
    receiver.wait_for_count(MESSAGES / 2).await;
    receiver.wait_for_count(MESSAGES).await;
    app.settled().await;
    assert!(by[0].dead_letters().await.is_empty());
    let times = deliveries(receiver);
    assert_eq!((times.len(), times.values().sum::<usize>()), (MESSAGES, MESSAGES));
    let requests = receiver.received().len();
    assert!(requests <= MOST_REQUESTS, "{requests} requests for {MESSAGES} messages");
    let shown = by[0].get_endpoint(&endpoint).await;
    let learned = shown["learnedRate"].as_f64().unwrap();
    assert!(learned < PER_SECOND as f64 * 2.0, "{shown}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_backlog_goes_at_the_pace_of_its_receiver_with_few_refusals() {
    let (app, receiver) = (app().await, Receiver::start().await);
    let tenant = app.tenant("one").await;
    all_arrive(&app, &receiver, &[tenant]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn two_nodes_share_the_pace_of_a_receiver() {
    let (app, receiver) = (app().await, Receiver::start().await);
    let other = app.another_node("other").await;
    let tenant = app.tenant("one").await;
    let mut there = tenant.clone();
    there.api = tenant.api.through(&other.address());
    all_arrive(&app, &receiver, &[tenant, there]).await;
}
