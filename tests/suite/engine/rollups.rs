//! The rollups say exactly what was recorded.

use std::time::Duration;

use postrider::maintenance::{self, MaintenanceOptions, Round};
use serde_json::json;

use crate::support::store::store;
use crate::support::{LocalApp, Receiver, Reply};

const SUMS: &str = "
    SELECT ARRAY[sum(delivered), sum(dead), sum(status_2xx), sum(status_3xx), sum(status_4xx), sum(status_5xx),
                 sum(no_response)]::bigint[] FROM endpoint_hour";
const OPTIONS: MaintenanceOptions = MaintenanceOptions {
    audit_retention: Duration::from_secs(400 * 86_400),
    disable_after: None,
    retention: Duration::from_secs(10 * 86_400),
    dead_letter_retention: Duration::from_secs(90 * 86_400),
    open_dead_letter_retention: Some(Duration::from_secs(400 * 86_400)),
    task_retention: Duration::from_secs(30 * 86_400),
    hold_limit: Duration::from_secs(30 * 86_400),
};

#[tokio::test]
async fn rollups_count_what_was_recorded_and_folding_keeps_the_sums() {
    let (app, receiver) = (LocalApp::start().await, Receiver::start().await);
    let tenant = app.tenant("one").await;
    let well = receiver.hook("/well");
    let recovering =
        receiver.hook_that("/recovering", |request| Reply::Status([500, 404, 200][request.nth - 1]));
    let failing = receiver.hook_that("/failing", |_| Reply::Status(503));
    tenant.endpoint(&well, json!({})).await;
    tenant.endpoint(&recovering, json!({})).await;
    tenant.endpoint(&failing, json!({"retrySchedule": [0.1]})).await;
    for number in 0..3 {
        tenant.message("invoice.paid", json!({"number": number})).await;
    }
    app.settled().await;

    let sums =
        || async { sqlx::query_scalar::<_, Vec<i64>>(SUMS).fetch_one(&app.database().pool).await.unwrap() };
    let by_state = "SELECT count(*) FROM delivery WHERE state = 'delivered'";
    assert_eq!(app.database().count(by_state).await, 6);
    assert_eq!(sums().await, [6, 3, 6, 0, 3, 9, 0]);
    let times = "
        SELECT count(*) FROM endpoint_hour
        WHERE (last_delivered_at IS NULL) = (delivered = 0) AND (first_failed_at IS NULL) = (last_failed_at IS NULL)
          AND (first_failed_at IS NULL) = (status_4xx + status_5xx = 0)";
    assert_eq!(
        app.database().count(times).await,
        app.database().count("SELECT count(*) FROM endpoint_hour").await
    );

    let move_back = "UPDATE endpoint_hour SET hour = hour - interval '3 hours'";
    sqlx::raw_sql(move_back).execute(&app.database().pool).await.unwrap();
    let store = store(app.database()).await;
    for _ in 0..2 {
        assert!(maintenance::run(&store.upkeep, OPTIONS, Round::Hourly).await.unwrap());
        assert_eq!(sums().await, [6, 3, 6, 0, 3, 9, 0]);
    }
    assert_eq!(app.database().count("SELECT count(*) FROM endpoint_hour WHERE node <> 0").await, 0);
}
