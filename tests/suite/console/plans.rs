//! The plans of the console's statements on full tables: none reads messages, deliveries or attempts but by a key, and
//! nothing that grows with time or traffic is read from end to end.

use std::fs;
use std::path::Path;

use serde_json::Value;
use sqlx::{AssertSqlSafe, Connection, PgConnection};

use crate::support::plans::{SETTINGS, generic_plan, nodes, statements};
use crate::support::queue::full_queue;

/// Statements that look at all that waits, or at all that was found waiting: one node at a time runs them now and then.
const LOOKS: [&str; 2] = ["rollup_gauge::of_queues", "queue_sampling::end"];
/// Files whose statements run on connections that never flip to a scan, as those of the queue.
const STEADY: [&str; 4] = ["fold.rs", "health.rs", "sample.rs", "write.rs"];
/// Files of other rooms that views read by, or that ask on behalf of somebody who watches.
const VIEWS_ELSEWHERE: [&str; 9] = [
    "configuration/search.rs",
    "history/delivery.rs",
    "history/lookup.rs",
    "history/message_walk.rs",
    "live/gauges.rs",
    "live/mod.rs",
    "portal/inbox.rs",
    "tasks/oldest_first.rs",
    "tasks/replayed.rs",
];
/// What grows with time or traffic.
const LARGE: [&str; 15] = [
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
    "inbox",
    "inbox_request",
    "replay_part",
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
    INSERT INTO inbox (id, name, environment_id, application_id, answer_status)
        SELECT uuid_of(13, n), lpad(n::text, 32, '0'), 'org_plans', uuid_of(1, 1 + n % 100), 204 FROM generate_series(1, 5000) n;
    INSERT INTO inbox_request (id, inbox_id, method, headers, body)
        SELECT uuid_of(14, n), uuid_of(13, 1 + n % 5000), 'POST', '[]', '' FROM generate_series(1, 20000) n;
    INSERT INTO background_task (id, environment_id, kind, state, filter, total)
        SELECT uuid_of(5, n), 'org_' || n % 50, 'dead_letter.replay', 'finished', '{}', 0 FROM generate_series(1, 1000) n;
    INSERT INTO replay_part (task_id, messages, endpoints)
        SELECT uuid_of(5, 1 + n % 1000), ARRAY[uuid_of(3, n)], ARRAY[uuid_of(2, 1)] FROM generate_series(1, 20000) n;
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

/// The statements of the store's room for views, and of those files: by name, with the file that they stand in.
fn named() -> Vec<(String, String)> {
    let store = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/store");
    let room = fs::read_dir(store.join("rollup")).unwrap().map(|file| file.unwrap().path());
    let mut found = Vec::new();
    for path in room.chain(VIEWS_ELSEWHERE.map(|file| store.join(file))) {
        let text = fs::read_to_string(&path).unwrap();
        let of_name = |letter: char| letter.is_ascii_lowercase() || letter == '_' || letter == ':';
        let names =
            text.split("\"-- ").skip(1).map(|rest| rest.chars().take_while(|it| of_name(*it)).collect());
        found
            .extend(names.map(|name: String| (name, path.file_name().unwrap().to_str().unwrap().to_owned())));
    }
    found
}

#[tokio::test]
async fn no_view_of_the_console_scans_what_grows() {
    let database = full_queue().await;
    sqlx::raw_sql(FILL).execute(&database.pool).await.unwrap();
    let (mut views, mut steady) = (
        PgConnection::connect(database.url()).await.unwrap(),
        PgConnection::connect(database.url()).await.unwrap(),
    );
    // Small tables would be read from end to end although they have the index that large ones need.
    let settings = "SET enable_seqscan = off; SET jit = off; SET plan_cache_mode = force_generic_plan";
    sqlx::raw_sql(AssertSqlSafe(settings)).execute(&mut views).await.unwrap();
    sqlx::raw_sql(AssertSqlSafe(SETTINGS)).execute(&mut steady).await.unwrap();
    let statements = statements();
    let (mut offences, mut seen) = (Vec::new(), 0);
    for (name, file) in named() {
        let (query, parameters) =
            statements.get(&name).unwrap_or_else(|| panic!("there is no statement {name} in .sqlx"));
        let connection = if STEADY.contains(&file.as_str()) { &mut steady } else { &mut views };
        let plan = generic_plan(connection, query, *parameters).await;
        if !LOOKS.contains(&name.as_str()) {
            offences.extend(scans(&plan).into_iter().map(|scan| format!("{name}: {scan}")));
        }
        seen += 1;
    }
    assert!(seen > 40, "only {seen} statements were found");
    assert!(offences.is_empty(), "{}", offences.join("\n"));
}

#[tokio::test]
async fn a_scan_of_a_rollup_would_be_seen() {
    let database = full_queue().await;
    let mut connection = PgConnection::connect(database.url()).await.unwrap();
    let plan = generic_plan(&mut connection, "SELECT sum(delivered) FROM rollup", 0).await;
    assert!(!scans(&plan).is_empty());
}
