//! What maintenance deletes it finds by an index: no table is read from end to end, on full tables, as production plans it.

use sqlx::{AssertSqlSafe, Connection, PgConnection};

use crate::support::plans::{SETTINGS, generic_plan, nodes, statements};
use crate::support::queue::full_queue;

/// Everything that maintenance runs once an hour or once a night.
const UPKEEP: [&str; 53] = [
    "alert_notice::retire",
    "api_key::retire",
    "application::retire",
    "application::retire_credentials",
    "audit::retire",
    "background_task::ended_after",
    "background_task::retire",
    "background_task::retire_findings",
    "dead_letter::bounds",
    "dead_letter::retire_decided",
    "dead_letter::retire_open",
    "endpoint::empty_deleted",
    "endpoint::retire",
    "endpoint_health::delete_old",
    "endpoint_hour::delete_old",
    "endpoint_hour::fold",
    "endpoint_secret::retire",
    "endpoint_throttle::retire",
    "event_type_hour::delete_old",
    "event_type_hour::fold",
    "idempotency_key::retire_outside_slots",
    "inbox::retire",
    "incident_acknowledgement::delete_old",
    "message_event_id::retire",
    "operational_notice::retire",
    "partition::attempts_of_keepers",
    "partition::endpoints_of_keepers",
    "partition::keepers",
    "partition::messages_of_keepers",
    "partition::size_of_needed",
    "partition::waiting",
    "payload_expiry::delete",
    "payload_expiry::over",
    "pending::endpoints_after",
    "person::retire",
    "replay_part::retire",
    "retention::applications",
    "retention::delete_attempts",
    "retention::endpoints",
    "retention::look_at",
    "retention::shortest_until",
    "rollup::delete_old",
    "rollup::scopes_after",
    "rollup::sums",
    "rollup_gauge::delete_old",
    "session::retire_ended",
    "session::retire_unused",
    "settled::delete_deliveries",
    "settled::delete_messages",
    "settled::lock_deliveries",
    "sign_in_link::retire",
    "token_cutoff::retire",
    "token_logout::retire",
];

/// Beside what the queue is full of.
const FILL: &str = "
    INSERT INTO environment (id, retention) SELECT 'org_kept' || n, '{\"messageRetentionDays\": 9}' FROM generate_series(1, 1000) n;
    INSERT INTO message_event_id SELECT uuid_of(1, 1), n::text, uuid_of(3, n) FROM generate_series(1, 20000) n;
    INSERT INTO dead_letter (id, environment_id, application_id, endpoint_id, message_id, event_type, reason, attempts, discarded_at)
        SELECT uuid_of(4, n), 'org_plans', uuid_of(1, 1), uuid_of(2, 1), uuid_of(3, n), 'a.b', 'exhausted', 7,
               CASE WHEN n > 10000 THEN now() - make_interval(secs => n / 100) END
        FROM generate_series(1, 20000) n;
    INSERT INTO background_task (id, environment_id, kind, state, filter, total)
        SELECT uuid_of(5, n), 'org_plans', 'application.usage', 'finished', '{}', 0 FROM generate_series(1, 20000) n;
    INSERT INTO background_task_part (task_id, items) SELECT id, '[]' FROM background_task;
    INSERT INTO replay_part (task_id, messages, endpoints) SELECT id, '{}', '{}' FROM background_task;
    INSERT INTO endpoint_hour SELECT uuid_of(2, 1 + n % 1000), now() - make_interval(hours => n), n % 2, uuid_of(1, 1), 0, 0, 0, 0, 0, 0, 0, 0
        FROM generate_series(1, 20000) n;
    INSERT INTO endpoint_secret (id, endpoint_id, sealed, expires_at)
        SELECT uuid_of(6, n), uuid_of(2, 1 + n % 1000), '', now() FROM generate_series(1, 20000) n;
    INSERT INTO api_key (id, hash, hint, role, environment_id, application_id, name, expires_at)
        SELECT uuid_of(7, n), sha256(n::text::bytea), '', 'application', 'org_plans', uuid_of(1, 1 + n % 100), '', now()
        FROM generate_series(1, 20000) n;
    INSERT INTO token_logout SELECT sha256(n::text::bytea), uuid_of(1, 1 + n % 100), now() FROM generate_series(1, 20000) n;
    INSERT INTO token_cutoff SELECT uuid_of(8, n), uuid_of(1, 1 + n % 100), n::text, now(), now() FROM generate_series(1, 20000) n;
    INSERT INTO audit_log (id, actor_kind, actor_id, action, object_kind, object_id)
        SELECT uuid_of(9, n), 'cli', '', 'a.b', 'a', '' FROM generate_series(1, 20000) n;
    INSERT INTO operational_notice (environment_id, application_id, endpoint_id, kind)
        SELECT 'org_plans', uuid_of(1, 1), uuid_of(2, 1), 'endpoint.created' FROM generate_series(1, 20000) n;
    INSERT INTO alert_channel (id, environment_id, name, kind, target, min_severity) VALUES (uuid_of(15, 1), 'org_plans', '', 'slack', '', 'info');
    INSERT INTO alert_notice (id, environment_id, channel_id, kind, severity, title, body, noted_at, due_at)
        SELECT uuid_of(16, n), 'org_plans', uuid_of(15, 1), 'fired', 'info', '', '', now() - make_interval(mins => n), NULL
        FROM generate_series(1, 20000) n;
    INSERT INTO inbox (id, name, environment_id, answer_status, expires_at)
        SELECT uuid_of(13, n), lpad(n::text, 32, '0'), 'org_plans', 204, now() FROM generate_series(1, 20000) n;
    INSERT INTO inbox_request (id, inbox_id, method, headers, body) SELECT id, id, 'POST', '[]', '' FROM inbox;
    INSERT INTO endpoint_throttle
        SELECT uuid_of(2, n), now(), now(), 1, now() + make_interval(secs => n) FROM generate_series(1, 20000) n;
    INSERT INTO payload_expiry SELECT uuid_of(3, n), now() FROM generate_series(1, 20000) n;
    INSERT INTO person (id, issuer, subject, role, last_seen_at)
        SELECT uuid_of(10, n), 'i', n::text, 'operator', now() - make_interval(mins => n) FROM generate_series(1, 20000) n;
    INSERT INTO session (hash, id, kind, role, name, actor_id, last_used_at, ends_at)
        SELECT sha256(n::text::bytea), uuid_of(11, n), 'link', 'operator', '', '', now() - make_interval(mins => n), now()
        FROM generate_series(1, 20000) n;
    INSERT INTO sign_in_link SELECT sha256(n::text::bytea), now() - make_interval(mins => n) FROM generate_series(1, 20000) n;
    INSERT INTO rollup SELECT uuid_of(2, 1 + n % 1000), 60, now() - make_interval(mins => n), 0, 0, 0, 1, 0, 1, 0, 0, 0, 0
        FROM generate_series(1, 20000) n;
    INSERT INTO rollup_gauge SELECT uuid_of(2, 1 + n % 1000), 60, now() - make_interval(mins => n), 1, 0 FROM generate_series(1, 20000) n;
    INSERT INTO event_type_hour SELECT 'org_plans', now() - make_interval(hours => n), 'a.b', 1 FROM generate_series(1, 20000) n;
    INSERT INTO endpoint_health SELECT uuid_of(2, n), uuid_of(1, 1), 'org_plans', 3, now(), now() - make_interval(mins => n), 500, 'status', ''
        FROM generate_series(1, 20000) n;
    INSERT INTO incident_acknowledgement SELECT 'org_plans', n::text, now() - make_interval(mins => n), '' FROM generate_series(1, 20000) n;
    UPDATE endpoint SET deleted_at = now();
    ANALYZE";

#[tokio::test]
async fn nothing_that_has_an_end_is_found_by_reading_a_whole_table() {
    let database = full_queue().await;
    sqlx::raw_sql(FILL).execute(&database.pool).await.unwrap();
    let mut connection = PgConnection::connect(database.url()).await.unwrap();
    sqlx::raw_sql(SETTINGS).execute(&mut connection).await.unwrap();
    let statements = statements();
    let mut offences = Vec::new();
    for name in UPKEEP {
        let (query, parameters) =
            statements.get(name).unwrap_or_else(|| panic!("there is no statement {name}"));
        let plan = generic_plan(&mut connection, query, *parameters).await;
        let mut all = Vec::new();
        nodes(&plan, &mut all);
        for node in all {
            let kind = node["Node Type"].as_str().unwrap();
            let Some(relation) = node["Relation Name"].as_str() else { continue };
            // The default partitions are empty here, and have an index by the key all the same.
            let reads_by_condition = kind == "ModifyTable" || node.get("Index Cond").is_some();
            if !reads_by_condition && !relation.ends_with("_default") {
                offences.push(format!("{name}: {kind} on {relation}"));
            }
        }
    }
    assert!(offences.is_empty(), "{}", offences.join("\n"));
}

/// However many sessions of an application were taken back.
#[tokio::test]
async fn a_cutoff_of_tokens_is_compared_with_those_of_its_session_alone() {
    let database = full_queue().await;
    sqlx::raw_sql(FILL).execute(&database.pool).await.unwrap();
    sqlx::raw_sql("UPDATE token_cutoff SET application_id = uuid_of(1, 1)")
        .execute(&database.pool)
        .await
        .unwrap();
    sqlx::raw_sql("ANALYZE token_cutoff").execute(&database.pool).await.unwrap();
    let mut connection = PgConnection::connect(database.url()).await.unwrap();
    let (query, parameters) = &statements()["token_cutoff::drop_superfluous_of_sessions"];
    // As requests plan it, and as maintenance does.
    for settings in ["SET plan_cache_mode = force_generic_plan", SETTINGS] {
        sqlx::raw_sql(settings).execute(&mut connection).await.unwrap();
        let plan = generic_plan(&mut connection, query, *parameters).await;
        let mut all = Vec::new();
        nodes(&plan, &mut all);
        let conditions: Vec<&str> = all.iter().filter_map(|node| node["Index Cond"].as_str()).collect();
        assert_eq!(conditions.len(), 1, "{plan}");
        assert!(conditions[0].contains("session_id"), "{conditions:?}");
    }
    let (query, parameters) = &statements()["token_cutoff::retire"];
    let plan = generic_plan(&mut connection, query, *parameters).await;
    let mut all = Vec::new();
    nodes(&plan, &mut all);
    let later =
        all.iter().filter(|node| node["Alias"].as_str().is_some_and(|alias| alias.starts_with("later")));
    let conditions: Vec<&str> = later.filter_map(|node| node["Index Cond"].as_str()).collect();
    assert_eq!(conditions.len(), 2, "{plan}");
    assert!(conditions.iter().all(|condition| condition.contains("session_id")), "{conditions:?}");
}

/// The time that a chunk takes in the database does not depend on how much there is: pages are what it takes.
#[tokio::test]
async fn a_chunk_reads_what_it_deletes_however_much_there_is() {
    let database = full_queue().await;
    sqlx::raw_sql(FILL).execute(&database.pool).await.unwrap();
    let mut connection = PgConnection::connect(database.url()).await.unwrap();
    sqlx::raw_sql(SETTINGS).execute(&mut connection).await.unwrap();
    let statements = statements();
    for (name, arguments) in [
        ("message_event_id::retire", "'00000000-0000-0000-0000-000000000000', -86400, 100"),
        ("dead_letter::retire_decided", "'-infinity', now() + '1 day', 100, '-1 day'"),
        (
            "dead_letter::retire_open",
            "'00000000-0000-0000-0000-000000000000', now() + '1 day', 100, '-1 day'",
        ),
        ("endpoint_hour::fold", "100"),
        ("audit::retire", "-86400, 100"),
        ("operational_notice::retire", "-86400, 100"),
        // In the middle of many.
        ("erase::next_messages", "uuid_of(1, 1), uuid_of(3, 100000), 100"),
        ("erase::endpoints", "uuid_of(1, 1), uuid_of(2, 500), 100"),
        ("erase::dead_letters", "uuid_of(1, 1), uuid_of(4, 10000), 100"),
    ] {
        let (query, _) = &statements[name];
        sqlx::raw_sql("BEGIN; SET LOCAL postrider.audit_retention = 'on'")
            .execute(&mut connection)
            .await
            .unwrap();
        for statement in [format!("PREPARE p AS {query}"), format!("EXECUTE p({arguments})")] {
            sqlx::raw_sql(AssertSqlSafe(statement)).execute(&mut connection).await.unwrap();
        }
        let explain = format!("EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) EXECUTE p({arguments})");
        let plan: serde_json::Value =
            sqlx::query_scalar(AssertSqlSafe(explain)).fetch_one(&mut connection).await.unwrap();
        sqlx::raw_sql("ROLLBACK; DEALLOCATE p").execute(&mut connection).await.unwrap();
        let pages = plan[0]["Plan"]["Shared Hit Blocks"].as_i64().unwrap();
        assert!(pages < 100 * 30, "{name}: {pages} pages for a hundred rows");
    }
}

/// Each minute, of an endpoint that was closed long ago, what is due for so long that it ends is read, and not all that waits.
#[tokio::test]
async fn what_a_closed_endpoint_holds_is_not_read_before_its_time() {
    let database = full_queue().await;
    sqlx::raw_sql("UPDATE endpoint SET disabled_at = now() - interval '31 days', disabled_reason = 'request' WHERE id = uuid_of(2, 7)")
        .execute(&database.pool)
        .await
        .unwrap();
    let held = "SELECT count(*) FROM pending WHERE endpoint_id = uuid_of(2, 7)";
    assert!(database.count(held).await > 49_000);
    let mut connection = PgConnection::connect(database.url()).await.unwrap();
    sqlx::raw_sql(SETTINGS).execute(&mut connection).await.unwrap();
    let (query, _) = &statements()["delivery::bury_unreachable"];
    let arguments = "'30 days', 500, array_fill(gen_random_uuid(), ARRAY[500]), 5, ARRAY[uuid_of(2, 7)]";
    let explain = format!("EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) EXECUTE p({arguments})");
    sqlx::raw_sql(AssertSqlSafe(format!("PREPARE p AS {query}"))).execute(&mut connection).await.unwrap();
    let plan: serde_json::Value =
        sqlx::query_scalar(AssertSqlSafe(explain)).fetch_one(&mut connection).await.unwrap();
    let mut all = Vec::new();
    nodes(&plan[0]["Plan"], &mut all);
    let reads: Vec<_> = all.into_iter().filter(|node| node["Index Name"] == "pending_due").collect();
    assert!(!reads.is_empty(), "{plan:#}");
    let removed = reads.iter().filter_map(|node| node["Rows Removed by Filter"].as_f64()).sum::<f64>();
    assert!(removed < 10.0, "{removed} rows were read in vain");
    let pages = plan[0]["Plan"]["Shared Hit Blocks"].as_i64().unwrap();
    assert!(pages < 200, "{pages} pages to bury nothing");
}
