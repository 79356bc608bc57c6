//! Endpoints that only fail are disabled; what is theirs is held, and goes out when they are enabled.

use std::collections::HashSet;
use std::time::Duration;

use postrider::maintenance::{Maintenance, MaintenanceOptions};
use serde_json::{Value, json};

use crate::support::store::{MAINTENANCE, store};
use crate::support::{Database, LocalApp, Receiver, Reply, Setup, Tenant, until};

fn setup() -> Setup {
    Setup::default()
        .with("ENDPOINT_DISABLE_AFTER", "2s")
        .with("RETRY_SCHEDULE", "300ms,300ms,300ms,300ms,300ms,300ms,300ms,300ms,300ms,300ms,300ms,300ms,1h")
}

/// Returns when the endpoint is disabled.
async fn disabled(tenant: &Tenant, endpoint: &str) -> Value {
    until("the endpoint is disabled", || async {
        Some(tenant.get_endpoint(endpoint).await).filter(|shown| shown["disabled"] == true)
    })
    .await
}

/// Makes the failures so far a matter of another hour, as an hour that passes does.
async fn an_hour_passes(app: &LocalApp) {
    sqlx::query(
        "UPDATE endpoint_hour SET hour = hour - interval '1 hour', first_failed_at = first_failed_at - interval '1 hour',
             last_failed_at = last_failed_at - interval '1 hour'",
    )
    .execute(&app.database().pool)
    .await
    .unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn an_endpoint_that_only_fails_is_disabled_and_holds() {
    let mut app = setup().start().await;
    let _other = app.another_node("other").await;
    let receiver = Receiver::start().await;
    let tenant = app.tenant("one").await;
    let hook = receiver.hook_that("/hook", |_| Reply::Status(500));
    let endpoint = tenant.endpoint(&hook, json!({})).await;
    let mut ids = HashSet::from([tenant.message("made", json!({})).await]);
    receiver.wait_at(&hook, 2).await;
    // What is known of its failures outlasts the processes that saw them; of two nodes one disables it.
    app.node_mut().kill9();
    app.node_mut().restart().await;
    let shown = disabled(&tenant, &endpoint).await;
    assert_eq!(shown["disabledReason"], "failing");
    let actors: Vec<(String, String)> = sqlx::query_as(
        "SELECT actor_kind, details->>'reason' FROM audit_log WHERE action = 'endpoint.disabled' AND object_id = $1",
    )
    .bind(&endpoint)
    .fetch_all(&app.database().pool)
    .await
    .unwrap();
    assert_eq!(actors, [("system".to_owned(), "failing".to_owned())]);

    for number in 0..20 {
        ids.insert(tenant.message("made", json!({"number": number})).await);
    }
    let held = app.database().count("SELECT count(*) FROM delivery WHERE state = 'held'").await;
    assert_eq!(held, 20);
    assert!(tenant.dead_letters().await.is_empty());
    receiver.now(&hook, |_| Reply::Status(200));
    tenant.patch_endpoint(&endpoint, json!({"disabled": false})).await;
    receiver
        .wait_until("all that was held arrives", |all| {
            all.iter().filter(|request| request.answered == Some(200)).count() >= 20
        })
        .await;
    crate::support::clock::time_passes(app.database(), std::time::Duration::from_secs(7200)).await;
    app.done().await;
    let delivered: Vec<String> = receiver
        .received()
        .into_iter()
        .filter(|request| request.answered == Some(200))
        .map(|request| request.id)
        .collect();
    assert_eq!(delivered.len(), 21, "each exactly once");
    assert_eq!(delivered.into_iter().collect::<HashSet<_>>(), ids);
}

#[tokio::test]
async fn enabling_begins_a_new_count() {
    let (mut app, receiver) = (setup().start_local().await, Receiver::start().await);
    app.leave_work();
    let tenant = app.tenant("one").await;
    let hook = receiver.hook_that("/hook", |_| Reply::Status(500));
    let endpoint = tenant.endpoint(&hook, json!({})).await;
    tenant.message("made", json!({})).await;
    disabled(&tenant, &endpoint).await;
    an_hour_passes(&app).await;
    let before = receiver.received().len();
    tenant.patch_endpoint(&endpoint, json!({"disabled": false})).await;
    // The old failures reach back for over an hour, and yet it is tried again, for as long as at first.
    tenant.message("made", json!({})).await;
    receiver.wait_at(&hook, before + 5).await;
    let again = disabled(&tenant, &endpoint).await;
    assert_eq!(again["disabledReason"], "failing");
    let spans: Vec<f64> = sqlx::query_scalar(
        "SELECT extract(epoch FROM at - (details->>'failingSince')::timestamptz)::float8 FROM audit_log
         WHERE action = 'endpoint.disabled' ORDER BY id",
    )
    .fetch_all(&app.database().pool)
    .await
    .unwrap();
    assert_eq!(spans.len(), 2);
    assert!(spans[1] >= 2.0 && spans[1] < 1800.0, "{spans:?}");
}

#[tokio::test]
async fn one_success_now_and_then_keeps_an_endpoint_enabled() {
    let (mut app, receiver) = (setup().start_local().await, Receiver::start().await);
    app.leave_work();
    let tenant = app.tenant("one").await;
    let (now_and_then, never) = (receiver.hook("/now-and-then"), receiver.hook("/never"));
    receiver.now(&now_and_then, |request| Reply::Status(if request.nth > 4 { 200 } else { 500 }));
    receiver.now(&never, |_| Reply::Status(500));
    let alive = tenant.endpoint(&now_and_then, json!({})).await;
    tenant.message("made", json!({})).await;
    let dead = tenant.endpoint(&never, json!({})).await;
    // More failures, over a longer time than the one that is disabled has.
    for _ in 0..6 {
        tenant.message("made", json!({})).await;
        let so_far =
            receiver.received_at(&now_and_then).iter().filter(|one| one.answered == Some(200)).count();
        receiver
            .wait_until("another success", |all| {
                all.iter().filter(|one| one.path == now_and_then.path && one.answered == Some(200)).count()
                    > so_far
            })
            .await;
    }
    disabled(&tenant, &dead).await;
    assert_eq!(tenant.get_endpoint(&alive).await["disabled"], false);
}

#[tokio::test]
async fn an_endpoint_that_cannot_be_disabled_keeps_no_other_enabled() {
    let database = Database::fresh().await;
    let store = store(&database).await;
    sqlx::raw_sql(
        "INSERT INTO environment (id) VALUES ('org_one');
         INSERT INTO application (id, environment_id, name) VALUES (gen_random_uuid(), 'org_one', 'a');
         CREATE TABLE failing AS SELECT gen_random_uuid() AS id, seconds FROM unnest(ARRAY[60, 50]) seconds;
         INSERT INTO endpoint (id, application_id, url, created_at)
             SELECT f.id, a.id, 'https://a.example/', now() - interval '1 day' FROM failing f, application a;
         INSERT INTO endpoint_hour (endpoint_id, hour, node, application_id, delivered, dead, status_2xx, status_3xx, status_4xx,
                                    status_5xx, no_response, duration_ms, first_failed_at, last_failed_at)
             SELECT f.id, date_trunc('hour', now(), 'UTC'), 1, a.id, 0, 0, 0, 0, 0, 2, 0, 10, now() - make_interval(secs => seconds), now()
             FROM failing f, application a;
         CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$
         BEGIN
             IF OLD.id = (SELECT id FROM failing WHERE seconds = 60) THEN RAISE 'refused'; END IF;
             RETURN NEW;
         END $$;
         CREATE TRIGGER refuse BEFORE UPDATE ON endpoint FOR EACH ROW EXECUTE FUNCTION refuse()",
    )
    .execute(&database.pool)
    .await
    .unwrap();
    let options = MaintenanceOptions { disable_after: Some(Duration::from_secs(10)), ..MAINTENANCE };
    let maintenance = Maintenance::start(store.upkeep.clone(), options).await.unwrap();
    until("the other is disabled", async || {
        let disabled = "SELECT count(*) FROM endpoint WHERE disabled_reason = 'failing'";
        (database.count(disabled).await == 1).then_some(())
    })
    .await;
    maintenance.stop().await;
}
