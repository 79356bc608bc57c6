//! The plans of the queue's statements, on empty tables and on full ones: never a scan of a hot table, and a claim
//! reads what it takes, however long the queue is.

use serde_json::Value;
use sqlx::{AssertSqlSafe, Connection, PgConnection, Row};

use crate::support::Database;
use crate::support::plans::{SETTINGS, generic_plan, nodes, statements};
use crate::support::queue::{FILL, empty_queue, full_queue};

/// Tables that are too large to be scanned.
const HOT: [&str; 9] = [
    "message",
    "delivery",
    "pending",
    "attempt",
    "idempotency_key",
    "message_event_id",
    "endpoint_hour",
    "lane_home",
    "endpoint_throttle",
];

/// What the dispatchers, the writers and the nodes run, all day long.
const QUEUE: [&str; 59] = [
    "ingest::insert_messages",
    "ingest::written_messages",
    "ingest::earlier_post",
    "message::load",
    "outcome::settle_born",
    "outcome::record",
    "outcome::put_back_retries",
    "outcome::take_out_ended",
    "outcome::bury",
    "outcome::write_notices",
    "outcome::add_to_hour",
    "pending::claim_due",
    "pending::sweep_due",
    "pending::hand_back_born",
    "pending::hand_back_leased",
    "pending::lock",
    "pending::make_due",
    "pending::make_many_due",
    "delivery::begin_anew",
    "delivery::begin_many_anew",
    "delivery::lock_one",
    "delivery::bury_unreachable",
    "delivery::cancel_erased",
    "pending::endpoints_after",
    "partition::waiting",
    "dead_letter::replay",
    "node::free_claims",
    "node::free_in_flight",
    "rescue::scan",
    "rescue::put_back",
    "rescue::claims",
    "rescue::release_claims",
    "erase::answers",
    "erase::cancel",
    "erase::contents",
    "erase::next_messages",
    "erasure::call_off",
    "erasure::delete_attempts",
    "delivery::first_beyond",
    "lane_home::take",
    "lane_home::list",
    "lane_home::release",
    "lane_home::free",
    "lane_home::free_silent",
    "endpoint_throttle::note",
    "endpoint_throttle::load",
    "pending::cancel",
    "pending::count_matching",
    "pending::oldest_message",
    "pending::nothing_to_send",
    "delivery::count_unended",
    "delivery::in_hand",
    "delivery::look_for_failed",
    "delivery::look_for_waiting",
    "delivery::look_through",
    "delivery::unended_of_messages",
    "attempt::expunge_of_messages",
    "endpoint_hour::cancelled",
    "message::headers",
];

/// A hot table, or a partition of one. Where there are days, the default partition is empty: it only catches what
/// maintenance has made no day for, and reading an empty one from end to end is the cheapest plan.
fn is_hot(relation: &str, has_days: bool) -> bool {
    let part = |rest: &str| rest.starts_with("_2") || (rest == "_default" && !has_days);
    HOT.iter().any(|table| relation == *table || relation.strip_prefix(table).is_some_and(part))
}

/// What is wrong with a plan: hot tables that are read without a condition on an index.
fn scans(plan: &Value, has_days: bool) -> Vec<String> {
    let mut all = Vec::new();
    nodes(plan, &mut all);
    let reads = all
        .into_iter()
        .filter(|node| node["Relation Name"].as_str().is_some_and(|relation| is_hot(relation, has_days)));
    reads
        .filter(|node| match node["Node Type"].as_str().unwrap() {
            "ModifyTable" => false,
            "Index Scan" | "Index Only Scan" => node.get("Index Cond").is_none(),
            _ => true,
        })
        .map(|node| format!("{} on {}", node["Node Type"], node["Relation Name"]))
        .collect()
}

async fn assert_no_scans(database: &Database, tables: &str, has_days: bool) {
    let mut connection = PgConnection::connect(database.url()).await.unwrap();
    sqlx::raw_sql(SETTINGS).execute(&mut connection).await.unwrap();
    let statements = statements();
    let mut offences = Vec::new();
    for name in QUEUE {
        let (query, parameters) =
            statements.get(name).unwrap_or_else(|| panic!("there is no statement {name}"));
        let plan = generic_plan(&mut connection, query, *parameters).await;
        offences.extend(scans(&plan, has_days).into_iter().map(|scan| format!("{name}: {scan}")));
    }
    assert!(offences.is_empty(), "on {tables} tables:\n{}", offences.join("\n"));
}

#[tokio::test]
async fn no_statement_of_the_queue_scans_a_hot_table() {
    assert_no_scans(&Database::fresh().await, "empty", false).await;
    assert_no_scans(&full_queue().await, "full", true).await;
}

#[tokio::test]
async fn what_waits_at_one_endpoint_is_found_by_that_endpoint() {
    let database = full_queue().await;
    let mut connection = PgConnection::connect(database.url()).await.unwrap();
    sqlx::raw_sql(SETTINGS).execute(&mut connection).await.unwrap();
    let statements = statements();
    for name in ["pending::count_matching", "pending::oldest_message"] {
        let (query, parameters) = &statements[name];
        let plan = generic_plan(&mut connection, query, *parameters).await;
        let mut all = Vec::new();
        nodes(&plan, &mut all);
        let indexes: Vec<_> = all
            .iter()
            .filter(|node| node["Relation Name"] == "pending")
            .map(|node| node["Index Name"].clone())
            .collect();
        assert_eq!(indexes, ["pending_due"], "{name}");
    }
}

#[tokio::test]
async fn a_policy_is_changed_and_asked_for_by_keys() {
    let database = full_queue().await;
    let mut connection = PgConnection::connect(database.url()).await.unwrap();
    sqlx::raw_sql(SETTINGS).execute(&mut connection).await.unwrap();
    let statements = statements();
    for name in [
        "environment::policy",
        "environment::lock_policy",
        "environment::change_policy",
        "environment::raise_config_versions",
        "endpoint::closed",
        "endpoint::sending_parts",
    ] {
        let (query, parameters) = &statements[name];
        let plan = generic_plan(&mut connection, query, *parameters).await;
        let mut all = Vec::new();
        nodes(&plan, &mut all);
        let read_whole = all.iter().filter(|node| {
            ["application", "endpoint", "environment"].iter().any(|table| node["Relation Name"] == *table)
                && node["Node Type"] != "ModifyTable"
                && node.get("Index Cond").is_none()
        });
        assert_eq!(read_whole.count(), 0, "{name}: {plan:#}");
    }
}

#[tokio::test]
async fn a_scan_would_be_seen() {
    let database = full_queue().await;
    let mut connection = PgConnection::connect(database.url()).await.unwrap();
    for query in ["SELECT count(*) FROM pending", "SELECT 1 FROM delivery WHERE state = 'waiting' LIMIT 1"] {
        let plan = generic_plan(&mut connection, query, 0).await;
        assert!(!scans(&plan, true).is_empty(), "{query}");
    }
}

/// Rows that were read from the queue's index, and pages that were touched, by a claim of ten for that endpoint.
async fn claim(connection: &mut PgConnection, endpoint: i32) -> (i64, i64) {
    let (query, _) = statements().remove("pending::claim_due").unwrap();
    sqlx::raw_sql(AssertSqlSafe(format!("PREPARE claim AS {query}")))
        .execute(&mut *connection)
        .await
        .unwrap();
    let mut transaction = connection.begin().await.unwrap();
    let explained = sqlx::raw_sql(AssertSqlSafe(format!(
        "EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON)
         EXECUTE claim(1, '90 s', ARRAY[uuid_of(2, {endpoint})], ARRAY[NULL]::timestamptz[], ARRAY[10])"
    )))
    .fetch_one(&mut *transaction)
    .await
    .unwrap();
    transaction.rollback().await.unwrap();
    sqlx::raw_sql("DEALLOCATE claim").execute(&mut *connection).await.unwrap();
    let plan: Value = explained.get(0);
    let plan = &plan[0]["Plan"];
    let mut all = Vec::new();
    nodes(plan, &mut all);
    let reads = all.iter().filter(|node| node["Index Name"] == "pending_due");
    let rows = reads.map(|node| node["Actual Rows"].as_f64().unwrap() as i64).sum();
    (rows, plan["Shared Hit Blocks"].as_i64().unwrap() + plan["Shared Read Blocks"].as_i64().unwrap())
}

#[tokio::test]
async fn a_claim_reads_what_it_takes_however_long_the_queue_is() {
    let database = full_queue().await;
    let mut connection = PgConnection::connect(database.url()).await.unwrap();
    sqlx::raw_sql(SETTINGS).execute(&mut connection).await.unwrap();
    let due =
        |endpoint: i32| format!("SELECT count(*) FROM pending WHERE endpoint_id = uuid_of(2, {endpoint})");
    let count = async |endpoint| -> i64 {
        sqlx::query_scalar(AssertSqlSafe(due(endpoint))).fetch_one(&database.pool).await.unwrap()
    };
    let (long, short) = (7, 101);
    assert!(count(long).await > 49_000);
    assert!((10..1000).contains(&count(short).await), "{}", count(short).await);
    let (rows_of_long, pages_of_long) = claim(&mut connection, long).await;
    let (rows_of_short, pages_of_short) = claim(&mut connection, short).await;
    assert_eq!((rows_of_long, rows_of_short), (10, 10));
    assert!(
        pages_of_long <= pages_of_short + 20,
        "{pages_of_long} pages of the long queue, {pages_of_short} of the short one"
    );
}

/// Of one hundred deliveries that wait at one endpoint, the outcomes, as arguments of `outcome::record`.
const OUTCOMES: &str = "1, uuids(9), uuids(3), all_of(uuid_of(2, 7)), all_of(2::smallint), all_of('scheduled'::text),
    all_of(NULL::text), all_of(200::smallint), all_of('[]'::jsonb), all_of(''::bytea), all_of(5), all_of('x'::text),
    all_of('2099-01-01'::timestamptz), all_of('delivered'::text), all_of(1), all_of(1), all_of(1), all_of(1)";
const OUTCOMES_HELP: &str = "
    CREATE FUNCTION uuids(kind integer) RETURNS uuid[] LANGUAGE sql AS
        'SELECT array_agg(uuid_of(kind, n)) FROM generate_series(150101, 150199) n';
    CREATE FUNCTION all_of(what anyelement) RETURNS anyarray LANGUAGE sql AS
        'SELECT array_agg(what) FROM generate_series(150101, 150199)'";

/// A queue in its first moments: few rows, of one endpoint, due at one moment, so that the index by endpoint and time is
/// smaller than the one by key.
const FIRST_ROWS: &str = "
    INSERT INTO pending (message_id, endpoint_id, application_id, due_at, attempts)
        SELECT uuid_of(3, n), uuid_of(2, 7), uuid_of(1, 8), now(), 0 FROM generate_series(300001, 300400) n";

/// Autovacuum makes plans anew whenever it likes, and the first one is what is looked at.
const NO_SECOND_PLAN: &str = "
    DO $$ DECLARE name regclass; BEGIN
        FOR name IN SELECT oid FROM pg_class WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace LOOP
            EXECUTE format('ALTER TABLE %s SET (autovacuum_enabled = false)', name);
        END LOOP;
    END $$";

/// Pages that are touched to record them with a plan that was made, and pinned, while the queue was nearly empty.
async fn pages_to_record(database: &Database) -> i64 {
    let (query, parameters) = statements().remove("outcome::record").unwrap();
    let mut connection = PgConnection::connect(database.url()).await.unwrap();
    sqlx::raw_sql(SETTINGS).execute(&mut connection).await.unwrap();
    let nulls = vec!["NULL"; parameters].join(", ");
    for statement in [
        NO_SECOND_PLAN.to_owned(),
        OUTCOMES_HELP.to_owned(),
        FIRST_ROWS.to_owned(),
        format!("PREPARE record AS {query}"),
        format!("EXECUTE record({nulls})"),
    ] {
        sqlx::raw_sql(AssertSqlSafe(statement)).execute(&mut connection).await.unwrap();
    }
    // Over another connection: one that is busy for long misses what the server says of other databases, and then
    // forgets all of its plans.
    let lease = "UPDATE pending SET owner = 1, due_at = '2099-01-01' WHERE message_id = ANY (uuids(3))";
    for statement in [FILL, lease] {
        sqlx::raw_sql(statement).execute(&database.pool).await.unwrap();
    }
    let explain = format!("EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) EXECUTE record({OUTCOMES})");
    let explained = sqlx::raw_sql(AssertSqlSafe(explain)).fetch_one(&mut connection).await.unwrap();
    let settled =
        database.count("SELECT count(*) FROM delivery WHERE attempts = 2 AND state = 'delivered'").await;
    assert_eq!(settled, 99);
    let plan: Value = explained.get(0);
    plan[0]["Plan"]["Shared Hit Blocks"].as_i64().unwrap()
        + plan[0]["Plan"]["Shared Read Blocks"].as_i64().unwrap()
}

#[tokio::test]
async fn a_plan_that_was_made_on_a_queue_of_few_rows_finds_rows_by_their_keys_in_a_full_one() {
    let pages = pages_to_record(&empty_queue().await).await;
    assert!(pages < 99 * 100, "{pages} pages for 99 outcomes");
}

#[tokio::test]
async fn a_plan_that_walks_an_endpoints_whole_queue_would_be_seen() {
    let database = empty_queue().await;
    let open_to_all = "DROP INDEX pending_due; CREATE INDEX pending_due ON pending (endpoint_id, due_at)";
    sqlx::raw_sql(open_to_all).execute(&database.pool).await.unwrap();
    let pages = pages_to_record(&database).await;
    assert!(pages > 99 * 100, "{pages} pages for 99 outcomes");
}
