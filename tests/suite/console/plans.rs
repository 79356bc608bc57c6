//! The plans of the console's statements on full tables: none reads messages, deliveries or attempts but by a key, and
//! nothing that grows with time or traffic is read from end to end.

use serde_json::Value;
use sqlx::{AssertSqlSafe, Connection, PgConnection};

use crate::support::plans::{generic_plan, nodes, statements};
use crate::support::queue::full_queue;

/// What views of the console run.
const VIEWS: [&str; 42] = [
    "attempt::get",
    "attempt::last_of_message",
    "audit::who_did",
    "console::endpoint_state",
    "console::known_among",
    "dead_letter::choose_oldest",
    "dead_letter::open_of_applications",
    "dead_letter::open_of_endpoints",
    "dead_letter::replay_targets",
    "dead_letter_group::find",
    "dead_letter_group::show",
    "delivery::answers",
    "delivery::count_in_flight_before",
    "delivery::of_message",
    "endpoint_health::failed_lately",
    "endpoint_health::of_endpoints",
    "endpoint_secret::all",
    "endpoint_secret::live",
    "event_type_hour::read",
    "event_type::subscribers",
    "incident::disabled",
    "incident::failing",
    "incident::overdue",
    "incident::paused",
    "incident_acknowledgement::list",
    "lookup::dead_letters",
    "lookup::event_id",
    "lookup::message",
    "message_walk::count_deliveries",
    "message_walk::step",
    "message_walk::step_of_endpoint",
    "pending::count_before",
    "queue_sample::by_kind",
    "queue_sample::under_way",
    "rollup::attempts_by",
    "rollup::read",
    "rollup_gauge::read",
    "search::applications",
    "search::endpoints",
    "search::event_types",
    "queue_sample::endpoints_after",
    "queue_sample::write",
];
/// What grows with time or traffic.
const LARGE: [&str; 12] = [
    "message",
    "delivery",
    "attempt",
    "pending",
    "dead_letter",
    "endpoint_hour",
    "rollup",
    "rollup_gauge",
    "audit_log",
    "event_type_hour",
    "endpoint_health",
    "queue_sample",
];
const FILL: &str = "
    INSERT INTO rollup SELECT uuid_of(2, 1 + n % 1000), CASE WHEN n % 3 = 0 THEN 1800 ELSE 60 END,
        date_trunc('minute', now()) - make_interval(mins => n / 500), n % 2, 0, 0, 1, 0, 1, 0, 0, 0, 0
        FROM generate_series(1, 100000) n ON CONFLICT DO NOTHING;
    INSERT INTO rollup_gauge SELECT uuid_of(2, 1 + n % 1000), 1800, date_trunc('minute', now()) - make_interval(mins => n / 500), 1, 0
        FROM generate_series(1, 50000) n ON CONFLICT DO NOTHING;
    INSERT INTO queue_sample SELECT uuid_of(2, n), uuid_of(1, 1 + n % 100), 'org_' || n % 50, 1, NULL, 1, 1, now(), now()
        FROM generate_series(1, 1000) n;
    INSERT INTO endpoint_health SELECT uuid_of(2, n), uuid_of(1, 1 + n % 100), 'org_' || n % 50, 3, now(), now() - make_interval(mins => n), 500, 'status', ''
        FROM generate_series(1, 1000) n;
    INSERT INTO event_type_hour SELECT 'org_' || n % 50, date_trunc('hour', now()) - make_interval(hours => n / 50), 'a.b', 1
        FROM generate_series(1, 20000) n ON CONFLICT DO NOTHING;
    INSERT INTO dead_letter (id, environment_id, application_id, endpoint_id, message_id, event_type, reason, attempts, replayed_at)
        SELECT uuid_of(4, n), 'org_' || n % 50, uuid_of(1, 1 + n % 100), uuid_of(2, 1 + n % 1000), uuid_of(3, n), 'a.b', 'exhausted', 7,
               CASE WHEN n % 2 = 0 THEN now() END
        FROM generate_series(1, 50000) n;
    INSERT INTO audit_log (id, actor_kind, actor_id, action, object_kind, object_id)
        SELECT uuid_of(9, n), 'cli', '', 'a.b', 'a', 'x' || n FROM generate_series(1, 20000) n;
    ANALYZE";

/// Tables that a plan reads without a condition on an index.
fn scans(plan: &Value) -> Vec<String> {
    let mut all = Vec::new();
    nodes(plan, &mut all);
    let is_large = |relation: &str| {
        LARGE.iter().any(|table| {
            relation.strip_prefix(table).is_some_and(|rest| rest.is_empty() || rest.starts_with("_2"))
        })
    };
    let offences = all.into_iter().filter(|node| {
        node["Relation Name"].as_str().is_some_and(is_large)
            && node["Node Type"] != "ModifyTable"
            && node.get("Index Cond").is_none()
            // The condition stands at the scan of the index below it.
            && node["Node Type"] != "Bitmap Heap Scan"
    });
    offences.map(|node| format!("{} on {}", node["Node Type"], node["Relation Name"])).collect()
}

#[tokio::test]
async fn no_view_of_the_console_scans_what_grows() {
    let database = full_queue().await;
    sqlx::raw_sql(FILL).execute(&database.pool).await.unwrap();
    let mut connection = PgConnection::connect(database.url()).await.unwrap();
    // Small tables would be read from end to end although they have the index that large ones need.
    let settings = "SET enable_seqscan = off; SET jit = off; SET plan_cache_mode = force_generic_plan";
    sqlx::raw_sql(AssertSqlSafe(settings)).execute(&mut connection).await.unwrap();
    let statements = statements();
    let mut offences = Vec::new();
    for name in VIEWS {
        let (query, parameters) =
            statements.get(name).unwrap_or_else(|| panic!("there is no statement {name}"));
        let plan = generic_plan(&mut connection, query, *parameters).await;
        offences.extend(scans(&plan).into_iter().map(|scan| format!("{name}: {scan}")));
    }
    assert!(offences.is_empty(), "{}", offences.join("\n"));
}

#[tokio::test]
async fn a_scan_of_a_rollup_would_be_seen() {
    let database = full_queue().await;
    let mut connection = PgConnection::connect(database.url()).await.unwrap();
    let plan = generic_plan(&mut connection, "SELECT sum(delivered) FROM rollup", 0).await;
    assert!(!scans(&plan).is_empty());
}
