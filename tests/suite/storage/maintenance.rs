//! Partitions: nothing is lost without them, what is over goes, and one node at a time does it.

use chrono::TimeDelta;
use postrider::maintenance::{self, Maintenance, Round};
use postrider::store::{MigrateError, Store};

use crate::support::Database;
use crate::support::store::{MAINTENANCE, delete_past_retention, drop_partitions, store};

const RETENTION: TimeDelta = TimeDelta::days(10);
const MESSAGE_DAYS: &str = "SELECT count(*) FROM pg_class WHERE relkind = 'r' AND relname ~ '^message_[0-9]'";

/// A message of that age with one delivered delivery and its attempt, wherever it finds its place.
const INSERT: &str = "
    CREATE FUNCTION insert_message(age interval) RETURNS uuid LANGUAGE plpgsql AS $$
    DECLARE
        id uuid := (left(uuid_at(now() - age)::text, 15) || '7' || right(gen_random_uuid()::text, 20))::uuid;
        endpoint uuid := gen_random_uuid();
    BEGIN
        INSERT INTO message (id, application_id, event_type) VALUES (id, gen_random_uuid(), 'a.b');
        INSERT INTO delivery (message_id, endpoint_id, state, settled_at) VALUES (id, endpoint, 'delivered', now());
        INSERT INTO attempt (id, message_id, endpoint_id, number, trigger, delivered, duration_ms, url)
            VALUES (id, id, endpoint, 1, 'scheduled', true, 5, 'https://a.example/');
        RETURN id;
    END $$";

#[tokio::test]
async fn a_missing_partition_loses_no_write_and_what_it_caught_moves_when_it_is_made() {
    let database = Database::fresh().await;
    let store = store(&database).await;
    database.run(INSERT).await;
    database.run("SELECT insert_message('1 minute')").await;
    assert_eq!(database.count("SELECT count(*) FROM message_default").await, 1);

    assert!(maintenance::run(&store.upkeep, MAINTENANCE, Round::Hourly).await.unwrap());
    for table in ["message", "delivery", "attempt"] {
        let in_default = sqlx::query_scalar::<_, i64>(sqlx::AssertSqlSafe(format!(
            "SELECT count(*) FROM {table}_default"
        )));
        assert_eq!(in_default.fetch_one(&database.pool).await.unwrap(), 0, "{table}");
        let in_all =
            sqlx::query_scalar::<_, i64>(sqlx::AssertSqlSafe(format!("SELECT count(*) FROM {table}")));
        assert_eq!(in_all.fetch_one(&database.pool).await.unwrap(), 1, "{table}");
    }
    let storage = "SELECT count(*) FROM pg_class WHERE relname ~ '^delivery_[0-9]' AND 'fillfactor=45' = ANY (reloptions)";
    assert_eq!(database.count(storage).await, 9, "yesterday to a week ahead, with room for updates in place");
}

#[tokio::test]
async fn partitions_are_there_for_a_week_to_come() {
    let database = Database::fresh().await;
    let store = store(&database).await;
    assert!(maintenance::run(&store.upkeep, MAINTENANCE, Round::Hourly).await.unwrap());
    database.run(INSERT).await;
    database.run("SELECT insert_message(age) FROM unnest(ARRAY['0 d', '-7 d', '1 d']::interval[]) age").await;
    assert_eq!(database.count("SELECT count(*) FROM message_default").await, 0);
    database
        .run(
            "INSERT INTO idempotency_key (slot, key_hash, request_hash)
         SELECT now() + ahead, sha256('a'), sha256('b') FROM unnest(ARRAY['0 h', '47 h']::interval[]) ahead",
        )
        .await;
    assert_eq!(database.count("SELECT count(*) FROM idempotency_key_default").await, 0);
    // There is nothing left to make, and nothing that is old enough to go.
    let mut session = store.upkeep.begin_maintenance(Round::Hourly.name()).await.unwrap().unwrap();
    assert!(session.missing_partitions().await.unwrap().is_empty());
    assert_eq!(drop_partitions(&mut session, RETENTION).await, Vec::<String>::new());
    session.end().await;
}

/// Days are days of UTC, also for an operator whose `psql` is elsewhere.
#[tokio::test]
async fn a_partition_is_the_same_in_every_time_zone() {
    let database = Database::fresh().await;
    for zone in ["UTC", "America/New_York", "Asia/Kolkata"] {
        let make = format!(
            "SET timezone = '{zone}';
             SELECT make_partition('message', '2026-03-08 00:00Z', '2026-03-09 00:00Z');
             SELECT make_partition('idempotency_key', '2026-03-08 06:00Z', '2026-03-08 12:00Z')"
        );
        sqlx::raw_sql(sqlx::AssertSqlSafe(make)).execute(&database.pool).await.unwrap();
    }
    let made = "SELECT count(*) FROM pg_class WHERE relkind = 'r'
                AND relname IN ('message_20260308t00', 'idempotency_key_20260308t06')";
    assert_eq!(database.count(made).await, 2);
}

#[tokio::test]
async fn days_past_their_retention_are_dropped_and_what_waits_in_them_stays() {
    let database = Database::fresh().await;
    let store = store(&database).await;
    database.run(INSERT).await;
    database.run("SELECT make_partition(parent, date_trunc('day', now() - age, 'UTC'), date_trunc('day', now() - age, 'UTC') + interval '24 hours')
         FROM unnest(ARRAY['message', 'delivery', 'attempt']) parent, unnest(ARRAY['20 days', '15 days', '9 days']::interval[]) age",
    )
    .await;
    database.run("SELECT insert_message(age) FROM unnest(ARRAY['20 days', '9 days']::interval[]) age").await;
    database.run("WITH old AS MATERIALIZED (SELECT insert_message('15 days') AS id),
              waiting AS (SELECT old.id, gen_random_uuid() AS endpoint FROM old),
              delivery AS (INSERT INTO delivery (message_id, endpoint_id, state) SELECT id, endpoint, 'held' FROM waiting)
         INSERT INTO pending (message_id, endpoint_id, application_id, due_at, attempts)
         SELECT id, endpoint, gen_random_uuid(), now(), 1 FROM waiting",
    )
    .await;

    let mut session = store.upkeep.begin_maintenance(Round::Hourly.name()).await.unwrap().unwrap();
    let dropped = drop_partitions(&mut session, RETENTION).await;
    assert_eq!(dropped.len(), 6, "two days of messages, deliveries and attempts: {dropped:?}");
    assert_eq!(
        database.count("SELECT count(*) FROM message").await,
        2,
        "9 days old, and 15 days old but waiting"
    );
    assert_eq!(database.count("SELECT count(*) FROM delivery").await, 3);

    database.run("DELETE FROM pending").await;
    assert_eq!(drop_partitions(&mut session, RETENTION).await, Vec::<String>::new());
    assert_eq!(delete_past_retention(&store, RETENTION).await, 1);
    assert_eq!(database.count("SELECT count(*) FROM message").await, 1);
    assert_eq!(database.count("SELECT count(*) FROM delivery").await, 1);
    session.end().await;
}

/// As when the process was down for longer than partitions are made ahead, and only one of two could be made afterwards.
#[tokio::test]
async fn deliveries_that_stand_outside_of_their_day_go_with_its_messages_and_the_other_way_around() {
    let database = Database::fresh().await;
    let store = store(&database).await;
    database.run(INSERT).await;
    for table in ["message", "delivery"] {
        let make = format!(
            "SELECT make_partition('{table}', day, day + interval '24 hours')
             FROM date_trunc('day', now() - interval '20 days', 'UTC') day"
        );
        sqlx::raw_sql(sqlx::AssertSqlSafe(make)).execute(&database.pool).await.unwrap();
        database.run("SELECT insert_message('20 days') FROM generate_series(1, 3)").await;
        while !maintenance::run(&store.upkeep, MAINTENANCE, Round::Hourly).await.unwrap() {
            tokio::task::yield_now().await;
        }
        for left in ["SELECT count(*) FROM message", "SELECT count(*) FROM delivery"] {
            assert_eq!(database.count(left).await, 0, "with only the day of table {table}: {left}");
        }
        let days =
            "SELECT count(*) FROM pg_class WHERE relkind = 'r' AND relname ~ '^(message|delivery)_[0-9]'";
        assert_eq!(database.count(days).await, 2 * 9, "with only the day of table {table}");
    }
}

#[tokio::test]
async fn answers_kept_for_keys_outside_of_slots_go_after_a_day() {
    let database = Database::fresh().await;
    let store = store(&database).await;
    database.run("INSERT INTO idempotency_key (slot, key_hash, request_hash, status, body)
         SELECT date_bin('6 hours', now() - age, '2000-01-01 00:00Z'), sha256(n::text::bytea), sha256('b'), 200, 'sealed'
         FROM unnest(ARRAY['40 days', '31 hours', '15 hours']::interval[]) age, generate_series(1, 3000) n",
    )
    .await;
    assert!(maintenance::run(&store.upkeep, MAINTENANCE, Round::Hourly).await.unwrap());
    assert_eq!(database.count("SELECT count(*) FROM idempotency_key").await, 3_000);
    let old = "SELECT count(*) FROM idempotency_key WHERE slot < now() - interval '30 hours'";
    assert_eq!(database.count(old).await, 0);
}

/// As `pg_dump` locks what it reads.
#[tokio::test]
async fn a_node_starts_while_partitions_cannot_be_made() {
    let database = Database::fresh().await;
    let store = store(&database).await;
    let mut backup = database.pool.begin().await.unwrap();
    sqlx::raw_sql("LOCK TABLE message, delivery, attempt, idempotency_key IN ACCESS SHARE MODE")
        .execute(&mut *backup)
        .await
        .unwrap();
    let maintenance = Maintenance::start(store.upkeep.clone(), MAINTENANCE).await.unwrap();
    maintenance.stop().await;
    database.run(INSERT).await;
    database.run("SELECT insert_message('1 minute')").await;
    assert_eq!(database.count("SELECT count(*) FROM message_default").await, 1);
    assert_eq!(database.count(MESSAGE_DAYS).await, 0);
    backup.rollback().await.unwrap();

    let maintenance = Maintenance::start(store.upkeep.clone(), MAINTENANCE).await.unwrap();
    maintenance.stop().await;
    assert_eq!(database.count(MESSAGE_DAYS).await, 9);
    assert_eq!(database.count("SELECT count(*) FROM message_default").await, 0);
}

#[tokio::test]
async fn what_stands_outside_of_days_is_deleted_unless_it_waits() {
    let database = Database::fresh().await;
    let store = store(&database).await;
    database.run(INSERT).await;
    database.run("SELECT insert_message(age) FROM unnest(ARRAY['20 days', '9 days']::interval[]) age").await;
    database
        .run(
            "INSERT INTO pending (message_id, endpoint_id, application_id, due_at, attempts)
         SELECT insert_message('21 days'), gen_random_uuid(), gen_random_uuid(), now(), 1",
        )
        .await;
    assert_eq!(delete_past_retention(&store, RETENTION).await, 1);
    assert_eq!(database.count("SELECT count(*) FROM message").await, 2);
    assert_eq!(database.count("SELECT count(*) FROM delivery").await, 2);
}

#[tokio::test]
async fn an_event_id_is_free_again_when_its_message_is_past_retention() {
    let database = Database::fresh().await;
    let store = store(&database).await;
    database
        .run(
            "INSERT INTO message_event_id SELECT gen_random_uuid(), 'same', uuid_at(now() - age)
         FROM unnest(ARRAY['11 days', '9 days']::interval[]) age",
        )
        .await;
    assert!(maintenance::run(&store.upkeep, MAINTENANCE, Round::Nightly).await.unwrap());
    assert_eq!(database.count("SELECT count(*) FROM message_event_id").await, 1);
}

#[tokio::test]
async fn one_node_at_a_time_does_the_maintenance_and_a_dead_one_does_not_block_it() {
    let database = Database::fresh().await;
    let store = store(&database).await;
    let session = store.upkeep.begin_maintenance(Round::Hourly.name()).await.unwrap().unwrap();
    assert!(!maintenance::run(&store.upkeep, MAINTENANCE, Round::Hourly).await.unwrap(), "another is at it");
    assert_eq!(database.count(MESSAGE_DAYS).await, 0);
    // As a killed process leaves it: nobody says goodbye.
    drop(session);
    while !maintenance::run(&store.upkeep, MAINTENANCE, Round::Hourly).await.unwrap() {
        tokio::task::yield_now().await;
    }
    assert_eq!(database.count(MESSAGE_DAYS).await, 9);
}

#[tokio::test]
async fn many_nodes_bring_the_schema_up_to_date_at_once() {
    let database = Database::empty().await;
    let nodes: Vec<Store> = futures_util::future::join_all((0..5).map(|_| store(&database))).await;
    let done = futures_util::future::join_all(nodes.iter().map(|node| node.database.migrate())).await;
    assert!(done.iter().all(Result::is_ok), "{done:?}");
    for node in &nodes {
        assert!(node.database.schema_state().await.unwrap().is_complete());
    }
}

#[tokio::test]
async fn an_old_schema_is_seen_and_one_that_has_left_this_program_behind_is_refused() {
    let database = Database::empty().await;
    let store = store(&database).await;
    assert!(!store.database.schema_state().await.unwrap().is_complete());
    store.database.migrate().await.unwrap();
    database
        .run("DELETE FROM _sqlx_migrations WHERE version = (SELECT max(version) FROM _sqlx_migrations)")
        .await;
    let old = store.database.schema_state().await.unwrap();
    assert_eq!(old.missing, 1, "{old:?}");
    assert!(old.found < old.known, "{old:?}");
    database
        .run(
            "INSERT INTO _sqlx_migrations (version, description, success, checksum, execution_time)
        VALUES (9998, 'from the future', true, '', 0)",
        )
        .await;
    let newer = store.database.schema_state().await.unwrap();
    assert!(newer.is_newer() && !newer.is_complete(), "what is missing is missing all the same: {newer:?}");

    // What narrows names the version that a program must know: one that this program knows is no reason to refuse.
    database
        .run(
            "INSERT INTO _sqlx_migrations (version, description, success, checksum, execution_time)
        VALUES (9999, 'contract after 0001 note', true, '', 0)",
        )
        .await;
    assert!(store.database.schema_state().await.unwrap().is_newer());
    database
        .run("UPDATE _sqlx_migrations SET description = 'contract after 9998 note' WHERE version = 9999")
        .await;
    for refused in
        [store.database.migrate().await.unwrap_err(), store.database.schema_state().await.unwrap_err()]
    {
        assert!(matches!(refused, MigrateError::Newer { found: 9999, minimum: 9998, .. }), "{refused:?}");
    }
    // The refusal leaves no lock behind.
    let left = "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND database = (SELECT oid FROM pg_database WHERE datname = current_database())";
    while database.count(left).await > 0 {
        tokio::task::yield_now().await;
    }
}
