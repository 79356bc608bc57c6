//! What the log tells operators at its usual level: one line with a count for what goes wrong in masses.

use postrider::maintenance::{self, Round};
use serde_json::json;

use crate::support::store::{MAINTENANCE, store};
use crate::support::{LocalApp, Receiver, Reply, Setup, TestApp, until};

/// The lines of a log that say this.
fn lines<'a>(log: &'a str, said: &str) -> Vec<&'a str> {
    log.lines().filter(|line| line.contains(said)).collect()
}

/// The numbers after `deliveries=` in those lines, added up.
fn counted(lines: &[&str]) -> u64 {
    let number = |line: &&str| -> u64 {
        let (_, rest) = line.split_once("\"deliveries\":").unwrap_or_else(|| panic!("{line}"));
        rest.split(|letter: char| !letter.is_ascii_digit()).next().unwrap().parse().unwrap()
    };
    lines.iter().map(number).sum()
}

#[tokio::test(flavor = "multi_thread")]
async fn deliveries_that_die_are_told_in_one_line_with_their_number() {
    const MESSAGES: usize = 200;
    let mut app =
        Setup::default().with("RETRY_SCHEDULE", "none").with("OPERATIONAL_WINDOW", "1m").start().await;
    let receiver = Receiver::start().await;
    let tenant = app.tenant("one").await;
    let hook = receiver.hook_that("/hook", |_| Reply::Status(500));
    let endpoint = tenant.endpoint(&hook, json!({})).await;
    for number in 0..MESSAGES {
        tenant.message("made", json!({"number": number})).await;
    }
    app.settled().await;
    // What was not told in its interval is told at the end.
    assert!(app.node_mut().terminate().await.success());
    let log = app.log();
    let told = lines(&log, "deliveries have become dead letters");
    assert_eq!(counted(&told), MESSAGES as u64, "{told:?}");
    assert!(told.len() <= 2, "once in an interval: {told:?}");
    assert!(told.iter().all(|line| line.contains(&endpoint) && line.contains("exhausted")), "{told:?}");
    assert_eq!(lines(&log, &hook.secret).len(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn deliveries_that_died_are_told_while_the_server_runs() {
    let app =
        Setup::default().with("RETRY_SCHEDULE", "none").with("OPERATIONAL_WINDOW", "100ms").start().await;
    let receiver = Receiver::start().await;
    let tenant = app.tenant("one").await;
    let hook = receiver.hook_that("/hook", |_| Reply::Status(500));
    tenant.endpoint(&hook, json!({})).await;
    tenant.message("made", json!({})).await;
    until("it is told", || async {
        (counted(&lines(&app.log(), "deliveries have become dead letters")) == 1).then_some(())
    })
    .await;
    app.settled().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_endpoint_that_is_disabled_is_told_once() {
    let app = TestApp::start().await;
    let receiver = Receiver::start().await;
    let tenant = app.tenant("one").await;
    let gone = receiver.hook_that("/gone", |_| Reply::Status(410));
    let endpoint = tenant.endpoint(&gone, json!({})).await;
    let fine = receiver.hook("/fine");
    let asked = tenant.endpoint(&fine, json!({"filterTypes": ["never"]})).await;
    tenant.message("made", json!({})).await;
    tenant.patch_endpoint(&asked, json!({"disabled": true})).await;
    tenant.patch_endpoint(&asked, json!({"description": "still disabled"})).await;
    app.settled().await;
    let mut app = app;
    assert!(app.node_mut().terminate().await.success());
    let log = app.log();
    let by_answer = lines(&log, "answered 410 and is disabled");
    assert!(by_answer.len() == 1 && by_answer[0].contains(&endpoint), "{by_answer:?}");
    let by_request = lines(&log, "an endpoint was disabled");
    assert!(by_request.len() == 1 && by_request[0].contains(&asked), "{by_request:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_receiver_that_fails_for_an_hour_is_told_once_with_its_attempts() {
    let app = LocalApp::start().await;
    let receiver = Receiver::start().await;
    let tenant = app.tenant("one").await;
    let before = app.log().len();
    let mut endpoints = Vec::new();
    for name in ["long", "short", "well"] {
        endpoints
            .push(tenant.endpoint(&receiver.hook(&format!("/{name}")), json!({"filterTypes": ["x"]})).await);
    }
    // Since seventy minutes, since ten minutes, and not since the last success.
    for (endpoint, first_failed, last_delivered) in
        [(&endpoints[0], 70, None), (&endpoints[1], 10, None), (&endpoints[2], 70, Some(1))]
    {
        let id: postrider::domain::id::EndpointId = endpoint.parse().unwrap();
        sqlx::query(
            "WITH e AS (UPDATE endpoint SET created_at = now() - interval '1 day' WHERE id = $1 RETURNING *)
             INSERT INTO endpoint_hour (endpoint_id, hour, node, application_id, delivered, dead, status_2xx, status_3xx,
                                        status_4xx, status_5xx, no_response, duration_ms, last_delivered_at,
                                        first_failed_at, last_failed_at)
             SELECT id, date_trunc('hour', at, 'UTC'), node, application_id, 0, 0, 0, 0, 1, 20, 0, 1,
                    now() - make_interval(mins => $3), at, at
             FROM e, (VALUES (7, now() - make_interval(mins => $2)), (8, now() - interval '5 minutes')) AS of (node, at)",
        )
        .bind(id.uuid())
        .bind(first_failed)
        .bind(last_delivered)
        .execute(&app.database().pool)
        .await
        .unwrap();
    }
    let store = store(app.database()).await;
    for _ in 0..3 {
        // The node's own round may be under way.
        until("a round is done", || async {
            maintenance::run(&store.upkeep, MAINTENANCE, Round::Minutely).await.unwrap().then_some(())
        })
        .await;
    }
    let log = app.log().split_off(before);
    let told = lines(&log, "has been failing for an hour");
    assert_eq!(told.len(), 1, "{told:?}");
    assert!(told[0].contains(&endpoints[0]) && told[0].contains("failed_attempts=42"), "{told:?}");
}
