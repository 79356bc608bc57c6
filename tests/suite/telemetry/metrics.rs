//! Metrics say what the database has, have no labels that grow with what is stored, and are nowhere but where they were
//! asked for.

use std::collections::{BTreeMap, BTreeSet};

use postrider::telemetry::metrics::catalogue;
use serde_json::{Value, json};

use crate::support::server::free_address;
use crate::support::{Api, LocalApp, Receiver, Reply, Setup, TestApp, until};

use super::scrape::Scrape;

/// Messages, and endpoints that each goes to: 10,000 deliveries.
const BATCHES: usize = 10;
const BATCH: usize = 100;
const WELL: usize = 6;

const ATTEMPTS: &str = "
    SELECT coalesce(failure, 'delivered'), CASE WHEN http_status IS NULL THEN 'none' ELSE http_status / 100 || 'xx' END, count(*)
    FROM attempt GROUP BY 1, 2";
const DELIVERED_AT_ONCE: &str = "
    SELECT count(*) FROM delivery d JOIN attempt a USING (message_id, endpoint_id)
    WHERE a.number = 1 AND a.delivered AND a.trigger = 'scheduled'";

async fn measured() -> (TestApp, String) {
    let metrics = free_address().to_string();
    let app = Setup::default().with("METRICS_LISTEN", &metrics).start().await;
    (app, metrics)
}

/// One that answers well, five that do not, each in its own way.
async fn make_endpoints(app: &TestApp, receiver: &Receiver) -> crate::support::Tenant {
    let tenant = app.tenant("one").await;
    for number in 0..WELL {
        tenant.endpoint(&receiver.hook(&format!("/well{number}")), json!({})).await;
    }
    let recovering =
        receiver.hook_that("/recovering", |request| Reply::Status([500, 404, 200][request.nth - 1]));
    tenant.endpoint(&recovering, json!({"retrySchedule": [0.05, 0.05]})).await;
    let failing = receiver.hook_that("/failing", |_| Reply::Status(503));
    tenant.endpoint(&failing, json!({"retrySchedule": [0.05]})).await;
    let moved = receiver.hook_that("/moved", |_| Reply::With(302, "location", "/elsewhere".to_owned()));
    tenant.endpoint(&moved, json!({"retrySchedule": []})).await;
    let mut nobody = receiver.hook("/nobody");
    nobody.url = format!("http://{}/", free_address());
    tenant.endpoint(&nobody, json!({"retrySchedule": []})).await;
    tenant
}

async fn rows(app: &TestApp, statement: &'static str) -> BTreeMap<Vec<String>, i64> {
    let rows: Vec<(String, String, i64)> =
        sqlx::query_as(statement).fetch_all(&app.database().pool).await.unwrap();
    rows.into_iter().map(|(one, two, count)| (vec![one, two], count)).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn counters_agree_with_the_database_after_a_run_with_failures() {
    let ((app, metrics), receiver) = (measured().await, Receiver::start().await);
    let tenant = make_endpoints(&app, &receiver).await;
    for batch in 0..BATCHES {
        let messages: Vec<Value> = (0..BATCH)
            .map(|number| json!({"eventType": "invoice.paid", "payload": {"batch": batch, "number": number}}))
            .collect();
        let answer =
            tenant.api.post(&tenant.path("/msg/batch"), &json!({"messages": messages})).await.expect(202);
        assert!(answer["data"].as_array().unwrap().iter().all(|result| result["status"] == 202), "{answer}");
    }
    let once = json!({"eventType": "invoice.paid", "payload": {}});
    for _ in 0..2 {
        tenant.api.post_once(&tenant.path("/msg"), "once", &once).await.expect(202);
    }
    tenant.api.post("/app/app_of_nobody/msg", &once).await.expect_error(404, "not_found");
    tenant.api.post(&tenant.path("/msg"), &json!({"payload": {}})).await.expect(422);
    let mixed = json!({"messages": [{"eventType": "a.b", "payload": {}}, {"eventType": "", "payload": {}}]});
    tenant.api.post(&tenant.path("/msg/batch"), &mixed).await.expect(202);
    app.settled().await;

    // The last outcomes are counted a moment after they are in the database.
    let scrape = until("metrics and the database agree on the attempts", || async {
        let scrape = Scrape::of(&metrics).await;
        let counted = scrape.by("postrider_attempts_total", &["outcome", "status_class"]);
        (counted == rows(&app, ATTEMPTS).await).then_some(scrape)
    })
    .await;
    let messages = BATCHES * BATCH + 2;
    let database = app.database();
    let agree = async |name: &str, statement: &'static str| {
        assert_eq!(scrape.sum(name, &[]), database.count(statement).await as f64, "{name}: {statement}");
    };
    agree("postrider_messages_accepted_total", "SELECT count(*) FROM message").await;
    agree("postrider_deliveries_created_total", "SELECT count(*) FROM delivery").await;
    agree("postrider_dead_letters_total", "SELECT count(*) FROM dead_letter").await;
    agree("postrider_attempt_seconds_count", "SELECT count(*) FROM attempt").await;
    agree("postrider_end_to_end_seconds_count", DELIVERED_AT_ONCE).await;
    agree("postrider_retries_scheduled_total", "SELECT count(*) FROM attempt WHERE number > 1").await;
    assert_eq!(scrape.sum("postrider_messages_accepted_total", &[]), messages as f64);
    assert_eq!(scrape.sum("postrider_dead_letters_total", &[("cause", "attempt")]), 3.0 * messages as f64);
    let failed = |outcome| scrape.sum("postrider_attempts_total", &[("outcome", outcome)]);
    assert_eq!(failed("redirect"), messages as f64);
    assert_eq!(failed("connection"), messages as f64);
    assert_eq!(scrape.sum("postrider_messages_repeated_total", &[]), 1.0);
    let refused = scrape.by("postrider_messages_refused_total", &["reason"]);
    assert_eq!(
        refused,
        BTreeMap::from([(vec!["not_found".to_owned()], 1), (vec!["validation".to_owned()], 2)])
    );
    let posts = (BATCHES + 3) as f64;
    assert_eq!(scrape.sum("postrider_accept_seconds_count", &[]), posts);
    let written = |batch| scrape.sum("postrider_batch_items_sum", &[("batch", batch)]);
    // What was repeated is found out by writing it.
    assert!(written("messages") > messages as f64);
    assert_eq!(written("outcomes"), scrape.sum("postrider_attempts_total", &[]));
}

#[tokio::test(flavor = "multi_thread")]
async fn every_metric_of_the_catalogue_is_there_and_no_other_and_no_label_names_what_is_stored() {
    let ((app, metrics), receiver) = (measured().await, Receiver::start().await);
    let tenant = app.tenant("one").await;
    tenant.endpoint(&receiver.hook("/well"), json!({})).await;
    tenant.message("label.leak", json!({})).await;
    tenant.api.post(&tenant.path("/msg"), &json!({"payload": {}})).await.expect(422);
    app.settled().await;
    // The queue is looked at every ten seconds, and not before the first look is anything known of it.
    let scrape = until("the queue was looked at", || async {
        let scrape = Scrape::of(&metrics).await;
        scrape.sum("postrider_queue_look_age_seconds", &[]).is_finite().then_some(scrape)
    })
    .await;
    let there: BTreeMap<&str, &str> =
        scrape.kinds.iter().map(|(name, kind)| (name.as_str(), kind.as_str())).collect();
    let known: BTreeMap<&str, &str> =
        catalogue::ALL.iter().map(|metric| (metric.name, metric.kind.name())).collect();
    assert_eq!(there, known);
    let text = client_text(&metrics).await;
    for stored in [tenant.id.as_str(), "label.leak", "org_test", "/well", "http:"] {
        assert!(!text.contains(stored), "{stored} is in a label");
    }
    let statements: BTreeSet<Vec<String>> =
        scrape.by("postrider_statement_seconds_count", &["statement"]).into_keys().collect();
    for statement in ["outcome::settle_born", "node::beat", "COMMIT"] {
        assert!(statements.contains(&vec![statement.to_owned()]), "{statement} is not among {statements:?}");
    }
    assert!(!statements.contains(&vec!["other".to_owned()]), "a statement has no name");
    assert!(scrape.sum("process_resident_memory_bytes", &[]) > 1e6);
    assert!(scrape.sum("postrider_pool_connections_limit", &[]) > 10.0);
    assert_eq!(scrape.sum("postrider_lease_held", &[]), 1.0);
    assert_eq!(scrape.sum("postrider_memory_limit_bytes", &[("budget", "deliveries")]), f64::from(64 << 20));
}

async fn client_text(address: &str) -> String {
    let answer = crate::support::api::client().get(format!("http://{address}/metrics")).send().await.unwrap();
    answer.text().await.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn what_waits_is_held_or_dead_is_told_as_the_last_look_found_it() {
    let ((mut app, metrics), receiver) = (measured().await, Receiver::start().await);
    let tenant = app.tenant("one").await;
    let paused = tenant.endpoint(&receiver.hook("/paused"), json!({})).await;
    let path = tenant.path(&format!("/endpoint/{paused}"));
    tenant.api.post(&format!("/admin/pause{path}"), &json!({})).await.expect(200);
    let later = receiver.hook_that("/later", |_| Reply::Status(500));
    tenant.endpoint(&later, json!({"retrySchedule": [3600]})).await;
    let dead = receiver.hook_that("/dead", |_| Reply::Status(500));
    tenant.endpoint(&dead, json!({"retrySchedule": []})).await;
    for number in 0..3 {
        tenant.message("a.b", json!({"number": number})).await;
    }
    until("the look finds what waits", || async {
        let scrape = Scrape::of(&metrics).await;
        let queue = |state| scrape.sum("postrider_queue_deliveries", &[("state", state)]);
        let found = (queue("due"), queue("later"), queue("paused"), queue("disabled"));
        let dead = scrape.sum("postrider_dead_letters_open", &[]);
        (found == (0.0, 3.0, 3.0, 0.0) && dead == 3.0).then_some(())
    })
    .await;
    app.leave_work();
}

#[tokio::test]
async fn metrics_are_never_on_the_public_listener_and_off_by_default() {
    let app = LocalApp::start().await;
    let address = app.environment().request(reqwest::Method::GET, "").build().unwrap().url().clone();
    let answer = Api::send(crate::support::api::client().get(address.join("/metrics").unwrap())).await;
    assert!(!answer.text.contains("postrider_"), "{}", answer.text);
}
