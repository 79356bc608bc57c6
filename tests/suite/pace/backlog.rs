//! A backlog that is let go comes gently, and at first no more at once than the receiver bore before.

use std::time::{Duration, Instant};

use serde_json::json;

use crate::support::server::free_address;
use crate::support::{Setup, until};

use super::receiver::Holding;

/// For so long a receiver takes a few at once before it is known what it bears.
const KNOWN_AFTER: Duration = Duration::from_secs(6);
const AT_ONCE: usize = 3;
const BACKLOG: usize = 60;

#[tokio::test]
async fn a_backlog_goes_up_to_what_the_endpoint_bore_before_and_slowly_beyond() {
    let app = Setup::default().start_local().await;
    let holding = Holding::start().await;
    let tenant = app.tenant("one").await;
    let endpoint = tenant.endpoint(&holding.hook, json!({})).await;
    let began = Instant::now();
    while began.elapsed() < KNOWN_AFTER {
        for _ in 0..AT_ONCE {
            tenant.message("made", json!({})).await;
        }
        holding.holds(AT_ONCE).await;
        holding.let_go(AT_ONCE);
        app.settled().await;
        tokio::time::sleep(KNOWN_AFTER / 20).await;
    }
    tenant.patch_endpoint(&endpoint, json!({"disabled": true})).await;
    for _ in 0..BACKLOG {
        tenant.message("made", json!({})).await;
    }
    let opened = Instant::now();
    tenant.patch_endpoint(&endpoint, json!({"disabled": false})).await;
    for at_once in 1..AT_ONCE {
        holding.holds(at_once).await;
        holding.let_go(1);
    }
    holding.holds(AT_ONCE).await;
    for number in 1..=BACKLOG / 3 {
        let before = holding.answered();
        holding.let_go(1);
        until("one more is answered", || async { (holding.answered() > before).then_some(()) }).await;
        holding.holds(AT_ONCE).await;
        let beyond = holding.most() - AT_ONCE;
        let seconds = opened.elapsed().as_secs() as usize;
        assert!(beyond <= seconds + 1, "{beyond} more at once than before, {seconds} s and {number} later");
    }
    holding.let_go(BACKLOG);
    app.done().await;
}

#[tokio::test]
async fn a_receiver_that_was_out_of_reach_is_asked_one_at_a_time() {
    let app = Setup::default().with("RETRY_SCHEDULE", "2s,2s,2s,2s").start_local().await;
    let tenant = app.tenant("one").await;
    let address = free_address().to_string();
    let mut hook = Holding::start().await.hook.clone();
    hook.url = format!("http://{address}/");
    tenant.endpoint(&hook, json!({})).await;
    for _ in 0..20 {
        tenant.message("made", json!({})).await;
    }
    until("nobody could be reached", || async {
        (app.database().count("SELECT count(*) FROM pending WHERE attempts = 1").await == 20).then_some(())
    })
    .await;
    let holding = Holding::at(&address).await;
    // A lane that is one wide claims sixteen.
    until("the backlog is with the node", || async {
        (app.database().count("SELECT count(*) FROM pending WHERE owner IS NOT NULL").await >= 16)
            .then_some(())
    })
    .await;
    holding.holds(1).await;
    assert_eq!(holding.most(), 1);
    holding.let_go(20);
    app.settled().await;
    assert_eq!(holding.answered(), 20);
    assert!(tenant.dead_letters().await.is_empty());
}
