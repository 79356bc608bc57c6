//! The default schedule, by a moved clock.

use std::time::Duration;

use serde_json::json;

use crate::support::clock::{time_passes, wait_after};
use crate::support::{Receiver, Reply, Setup, until};

/// 60 s, 5 min, 30 min, 2 h, 6 h, 24 h, each with the share by which it may be shorter or longer: what failed in one burst
/// comes back over as long a time as the first waits are.
const WAITS: [(f64, f64); 6] =
    [(60.0, 0.5), (300.0, 0.5), (1800.0, 0.1), (7200.0, 0.1), (21_600.0, 0.1), (86_400.0, 0.1)];

#[tokio::test]
async fn seven_attempts_on_the_schedule_and_then_a_dead_letter() {
    let app = Setup::default().without("RETRY_SCHEDULE").start_local().await;
    let receiver = Receiver::start().await;
    let tenant = app.tenant("one").await;
    let hook = receiver.hook_that("/hook", |_| Reply::Status(500));
    let endpoint = tenant.endpoint(&hook, json!({})).await;
    let id = tenant.message("made", json!({})).await;

    for (made, (wait, spread)) in (1_i16..).zip(WAITS) {
        let seen = wait_after(app.database(), made).await;
        assert_eq!(receiver.received().len(), usize::try_from(made).unwrap());
        assert!(seen.since_attempt >= wait * (1.0 - spread), "after attempt {made}: {seen:?}");
        assert!(seen.from_now <= wait * (1.0 + spread), "after attempt {made}: {seen:?}");
        assert!(tenant.dead_letters().await.is_empty());
        time_passes(app.database(), Duration::from_secs_f64(seen.since_attempt)).await;
    }
    app.settled().await;

    let requests = receiver.received();
    assert_eq!(requests.len(), 7);
    assert!(requests.iter().all(|request| request.id == id));
    let attempts = tenant.attempts(&endpoint).await;
    let numbers: Vec<_> = attempts.iter().rev().map(|attempt| attempt["attemptNumber"].clone()).collect();
    assert_eq!(numbers, [1, 2, 3, 4, 5, 6, 7]);
    let dead = tenant.dead_letters().await;
    assert_eq!(dead.len(), 1);
    assert_eq!(dead[0]["reason"], "exhausted");
    assert_eq!(dead[0]["attemptsMade"], 7);
    assert_eq!(dead[0]["msgId"], id.as_str());
    assert_eq!(app.database().count("SELECT count(*) FROM pending").await, 0);
}

#[tokio::test]
async fn what_is_not_due_is_not_sent() {
    let mut app = Setup::default().with("RETRY_SCHEDULE", "1h").start().await;
    let receiver = Receiver::start().await;
    let tenant = app.tenant("one").await;
    let late = receiver.hook_that("/late", |_| Reply::Status(500));
    tenant.endpoint(&late, json!({})).await;
    tenant.message("made", json!({})).await;
    wait_after(app.database(), 1).await;
    // Half of the wait, and a restart, which looks at everything that waits.
    time_passes(app.database(), Duration::from_secs(1500)).await;
    assert!(app.node_mut().terminate().await.success());
    app.node_mut().restart().await;
    let prompt = receiver.hook("/prompt");
    tenant.endpoint(&prompt, json!({"filterTypes": ["other"]})).await;
    tenant.message("other", json!({})).await;
    receiver.wait_at(&prompt, 1).await;
    // The late endpoint gets this one, too, and has both waiting then.
    until("both wait", || async {
        let waits = "SELECT count(*) FROM pending WHERE attempts = 1 AND due_at > now() AND owner IS NULL";
        (app.database().count(waits).await == 2).then_some(())
    })
    .await;
    assert_eq!(receiver.received_at(&late).len(), 2);
    app.leave_work();
}
