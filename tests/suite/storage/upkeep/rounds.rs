//! Each kind of round has its own turn, and none is missed for good.

use postrider::maintenance::{self, Round};
use tokio_util::sync::CancellationToken;

use super::world;
use crate::support::store::{MAINTENANCE, store, store_at};

#[tokio::test]
async fn a_long_round_keeps_no_other_kind_waiting() {
    let database = world().await;
    let store = store(&database).await;
    let hour = store.upkeep.begin_maintenance(Round::Hourly.name()).await.unwrap().unwrap();
    assert!(!maintenance::run(&store.upkeep, MAINTENANCE, Round::Hourly).await.unwrap(), "another is at it");
    assert!(maintenance::run(&store.upkeep, MAINTENANCE, Round::Nightly).await.unwrap());
    assert!(maintenance::run(&store.upkeep, MAINTENANCE, Round::Minutely).await.unwrap());
    hour.end().await;
}

#[tokio::test]
async fn two_installations_in_one_database_do_not_wait_for_each_other() {
    let database = world().await;
    let here = store(&database).await;
    database.run("CREATE SCHEMA elsewhere").await;
    let sql: Vec<String> = {
        let mut files: Vec<_> = std::fs::read_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/migrations"))
            .unwrap()
            .map(|file| file.unwrap().path())
            .collect();
        files.sort();
        files.into_iter().map(|file| std::fs::read_to_string(file).unwrap()).collect()
    };
    let mut connection = database.pool.acquire().await.unwrap();
    for statement in ["SET search_path = elsewhere".to_owned()].into_iter().chain(sql) {
        sqlx::raw_sql(sqlx::AssertSqlSafe(statement)).execute(&mut *connection).await.unwrap();
    }
    let separator = if database.url().contains('?') { '&' } else { '?' };
    let url = format!("{}{separator}options=-csearch_path%3Delsewhere", database.url());
    let elsewhere = store_at(&url).await;
    let _here = here.upkeep.begin_maintenance(Round::Nightly.name()).await.unwrap().unwrap();
    assert!(here.upkeep.begin_maintenance(Round::Nightly.name()).await.unwrap().is_none());
    assert!(elsewhere.upkeep.begin_maintenance(Round::Nightly.name()).await.unwrap().is_some());
}

#[tokio::test]
async fn a_round_that_was_missed_is_made_up_for_once() {
    let database = world().await;
    let store = store(&database).await;
    let stop = CancellationToken::new();
    let due = async |round| maintenance::run_if_due(&store.upkeep, MAINTENANCE, round, &stop).await.unwrap();
    assert!(due(Round::Nightly).await, "it was never done");
    assert!(!due(Round::Nightly).await, "it was done since the last night");
    database.run("UPDATE maintenance_round SET begun_at = begun_at - interval '25 hours'").await;
    database.run("INSERT INTO message_event_id SELECT gen_random_uuid(), 'old', uuid_at(now() - interval '11 days')",
    )
    .await;
    assert!(due(Round::Nightly).await, "nobody was there at its time");
    assert_eq!(database.count("SELECT count(*) FROM message_event_id").await, 0);
    assert!(!due(Round::Nightly).await);
}

#[tokio::test]
async fn a_round_that_failed_or_was_broken_off_stays_due() {
    let database = world().await;
    let store = store(&database).await;
    database.run("ALTER TABLE message_event_id RENAME TO elsewhere").await;
    let going_on = CancellationToken::new();
    assert!(maintenance::run_if_due(&store.upkeep, MAINTENANCE, Round::Nightly, &going_on).await.is_err());
    database.run("ALTER TABLE elsewhere RENAME TO message_event_id").await;
    let stopped = CancellationToken::new();
    stopped.cancel();
    maintenance::run_if_due(&store.upkeep, MAINTENANCE, Round::Nightly, &stopped).await.unwrap();
    assert_eq!(database.count("SELECT count(*) FROM maintenance_round").await, 0);
    assert!(maintenance::run_if_due(&store.upkeep, MAINTENANCE, Round::Nightly, &going_on).await.unwrap());
}

/// The session that holds the lock of a round is idle while others do the work.
#[tokio::test]
async fn a_server_that_ends_idle_sessions_ends_no_round() {
    let database = world().await;
    let store = store(&database).await;
    database.run("DO $$ BEGIN EXECUTE format('ALTER DATABASE %I SET idle_session_timeout = 1', current_database()); END $$",
    )
    .await;
    let mut session = store.upkeep.begin_maintenance(Round::Nightly.name()).await.unwrap().unwrap();
    for _ in 0..20 {
        store.upkeep.maintenance_rounds().await.unwrap();
    }
    session.note_done().await.unwrap();
    session.end().await;
}

#[tokio::test]
async fn a_part_that_fails_each_minute_keeps_no_other_part_from_being_done() {
    let database = world().await;
    let store = store(&database).await;
    database.run("INSERT INTO application (id, environment_id, name, deleted_at)
             SELECT id_at('1 day'), 'org_upkeep', 'deleted', now() - interval '1 hour';
         INSERT INTO message (id, application_id, event_type, payload) SELECT id_at('1 day'), id, 'a.b', 'x' FROM application;
         ALTER TABLE payload_expiry RENAME TO elsewhere",
    )
    .await;
    assert!(maintenance::run(&store.upkeep, MAINTENANCE, Round::Minutely).await.is_err());
    assert_eq!(database.count("SELECT count(*) FROM message WHERE payload IS NOT NULL").await, 0);
    assert_eq!(database.count("SELECT count(*) FROM application WHERE erased_at IS NOT NULL").await, 1);
}

/// Attempts of a day that is over, and a message that its application keeps for a day.
const OLD: &str = "
    SELECT make_partition('attempt', day, day + interval '24 hours')
        FROM date_trunc('day', now() - interval '20 days', 'UTC') day;
    INSERT INTO attempt (id, message_id, endpoint_id, number, trigger, delivered, duration_ms, url)
        SELECT id_at('20 days'), id_at('20 days'), id_at('20 days'), 1, 'scheduled', true, 5, '';
    INSERT INTO application (id, environment_id, name, retention)
        SELECT id_at('9 days'), 'org_upkeep', 'short', '{\"messageRetentionDays\": 1}';
    INSERT INTO message (id, application_id, event_type) SELECT id_at('3 days'), id, 'a.b' FROM application";

#[tokio::test]
async fn a_day_that_cannot_be_dropped_keeps_no_message_past_its_retention() {
    let database = world().await;
    let store = store(&database).await;
    database.run(OLD).await;
    let old_day = "SELECT count(*) FROM pg_class WHERE relkind = 'r'
                   AND relname = 'attempt_' || to_char((now() - interval '20 days') AT TIME ZONE 'UTC', 'YYYYMMDD\"t00\"')";
    assert_eq!(database.count(old_day).await, 1);
    // As a backup does while it reads.
    let mut reading = database.pool.begin().await.unwrap();
    sqlx::raw_sql("LOCK TABLE attempt IN ACCESS SHARE MODE").execute(&mut *reading).await.unwrap();
    assert!(maintenance::run(&store.upkeep, MAINTENANCE, Round::Hourly).await.is_err());
    assert_eq!(database.count(old_day).await, 1);
    assert_eq!(database.count("SELECT count(*) FROM message").await, 0);
    reading.rollback().await.unwrap();
    // The lock of the round before goes when the database has noticed that its connection is closed.
    while !maintenance::run(&store.upkeep, MAINTENANCE, Round::Hourly).await.unwrap() {
        tokio::task::yield_now().await;
    }
    assert_eq!(database.count(old_day).await, 0);
}

#[tokio::test]
async fn an_application_whose_messages_cannot_be_deleted_keeps_no_other_waiting() {
    let database = world().await;
    let store = store(&database).await;
    database.run("CREATE TABLE tenant AS SELECT id_at(age) AS id, age > interval '8 days' AS first FROM unnest(ARRAY['9 days', '7 days']::interval[]) age;
         INSERT INTO application (id, environment_id, name) SELECT id, 'org_upkeep', 'a' FROM tenant;
         INSERT INTO message (id, application_id, event_type) SELECT id_at('20 days'), id, 'a.b' FROM tenant;
         CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$
         BEGIN
             IF OLD.application_id = (SELECT id FROM tenant WHERE first) THEN RAISE 'refused'; END IF;
             RETURN OLD;
         END $$;
         CREATE TRIGGER refuse BEFORE DELETE ON message_default FOR EACH ROW EXECUTE FUNCTION refuse()",
    )
    .await;
    assert!(maintenance::run(&store.upkeep, MAINTENANCE, Round::Hourly).await.is_err());
    assert_eq!(database.count("SELECT count(*) FROM message").await, 1);
    let refused = "SELECT count(*) FROM message m JOIN tenant t ON t.id = m.application_id WHERE t.first";
    assert_eq!(database.count(refused).await, 1);
}
