//! A delivery that waits does not keep the days of everybody, and is never lost by it.

use chrono::TimeDelta;
use postrider::maintenance::{self, Round};
use postrider::store::Store;
use proptest::prelude::{Just, Strategy};
use proptest::strategy::ValueTree;
use proptest::test_runner::TestRunner;
use uuid::Uuid;

use super::world;
use crate::support::Database;
use crate::support::store::{MAINTENANCE, past_retention, store};

const RETENTION: TimeDelta = TimeDelta::days(10);

/// Days of 13, 12 and 11 days ago, and messages: of that age in days, with a number of deliveries, of which the first
/// so many wait.
const DAYS: &str = "
    SELECT make_partition(parent, start, start + interval '24 hours')
    FROM unnest(ARRAY['message', 'delivery', 'attempt']) parent, generate_series(11, 13) age,
         date_trunc('day', now() - make_interval(days => age), 'UTC') start;
    CREATE FUNCTION insert_message(age integer, deliveries integer, waiting integer) RETURNS void LANGUAGE plpgsql AS $$
    DECLARE
        message uuid := id_at(make_interval(days => age));
    BEGIN
        INSERT INTO message (id, application_id, event_type, payload) VALUES (message, gen_random_uuid(), 'a.b', 'x');
        FOR place IN 1..deliveries LOOP
            INSERT INTO delivery (message_id, endpoint_id, state, settled_at)
            VALUES (message, uuid_at(to_timestamp(place)), CASE WHEN place <= waiting THEN 'held'::delivery_state ELSE 'delivered' END,
                    CASE WHEN place > waiting THEN now() END);
            IF place <= waiting THEN
                INSERT INTO pending (message_id, endpoint_id, application_id, due_at, attempts)
                VALUES (message, uuid_at(to_timestamp(place)), gen_random_uuid(), now(), 1);
            END IF;
        END LOOP;
    END $$";
/// Deliveries that wait without their row or their message.
const LOST: &str = "
    SELECT count(*) FROM pending p
    WHERE NOT EXISTS (SELECT FROM message m WHERE m.id = p.message_id AND m.payload = 'x')
       OR NOT EXISTS (SELECT FROM delivery d WHERE d.message_id = p.message_id AND d.endpoint_id = p.endpoint_id AND d.state = 'held')";
const OLD_DAYS: &str = "
    SELECT count(*) FROM pg_inherits JOIN pg_class ON oid = inhrelid
    WHERE relkind = 'r' AND relname ~ '^(message|delivery)_2' AND substr(relname, length(relname) - 10, 8) < to_char((now() - interval '10 days') AT TIME ZONE 'UTC', 'YYYYMMDD')";
const IN_DEFAULT: &str = "SELECT count(*) FROM message_default";

async fn hour(store: &Store) {
    // The lock of the hour before goes when the database has noticed that its connection is closed.
    while !maintenance::run(&store.upkeep, MAINTENANCE, Round::Hourly).await.unwrap() {
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn a_held_delivery_does_not_keep_the_day_of_everybody() {
    let database = world().await;
    let store = store(&database).await;
    database.run(DAYS).await;
    database
        .run("SELECT insert_message(12, 2, 0) FROM generate_series(1, 50); SELECT insert_message(12, 3, 2)")
        .await;
    assert_eq!(database.count(OLD_DAYS).await, 6);
    hour(&store).await;
    assert_eq!(database.count(OLD_DAYS).await, 0);
    assert_eq!(database.count(LOST).await, 0);
    assert_eq!(database.count("SELECT count(*) FROM pending").await, 2);
    assert_eq!(database.count(IN_DEFAULT).await, 1);
    assert_eq!(database.count("SELECT count(*) FROM delivery_default").await, 3, "what it was sent is known");
    database.run("DELETE FROM pending").await;
    hour(&store).await;
    assert_eq!(
        database.count("SELECT (SELECT count(*) FROM message) + (SELECT count(*) FROM delivery)").await,
        0
    );
}

#[tokio::test]
async fn of_a_day_in_which_much_waits_only_that_stays() {
    let database = world().await;
    let store = store(&database).await;
    database.run(DAYS).await;
    database.run("SELECT insert_message(12, 1, 1) FROM generate_series(1, 501); SELECT insert_message(12, 1, 0) FROM generate_series(1, 700)",
    )
    .await;
    hour(&store).await;
    assert_eq!(database.count("SELECT count(*) FROM message").await, 501);
    assert_eq!(database.count("SELECT count(*) FROM delivery").await, 501);
    assert_eq!(
        (database.count(LOST).await, database.count(OLD_DAYS).await, database.count(IN_DEFAULT).await),
        (0, 2, 0)
    );
    // One fewer is few enough.
    database.run("DELETE FROM pending WHERE message_id = (SELECT message_id FROM pending LIMIT 1)").await;
    hour(&store).await;
    assert_eq!((database.count(LOST).await, database.count(OLD_DAYS).await), (0, 0));
    assert_eq!(database.count(IN_DEFAULT).await, 500);
}

#[tokio::test]
async fn a_message_with_more_deliveries_than_go_in_one_transaction_goes_in_several() {
    let database = world().await;
    let store = store(&database).await;
    database.run(DAYS).await;
    database.run("SELECT insert_message(12, 5200, 0)").await;
    let application = past_retention(&store, RETENTION).await.remove(0);
    let first = store.upkeep.delete_messages_of(application, Uuid::nil(), 500).await.unwrap();
    assert_eq!((first.done, first.next), (0, Some(Uuid::nil())), "it goes on at the same place");
    let second = store.upkeep.delete_messages_of(application, Uuid::nil(), 500).await.unwrap();
    assert_eq!((second.done, second.next), (1, None));
    assert_eq!(database.count("SELECT count(*) FROM delivery").await, 0);
}

/// Whoever replays has the delivery locked, or finds the message gone.
#[tokio::test]
async fn a_replay_at_the_very_moment_loses_nothing() {
    let database = world().await;
    let store = store(&database).await;
    database.run(DAYS).await;
    database.run("SELECT insert_message(12, 1, 0)").await;
    let application = past_retention(&store, RETENTION).await.remove(0);
    let mut replay = database.pool.begin().await.unwrap();
    sqlx::raw_sql("SELECT FROM delivery FOR UPDATE").execute(&mut *replay).await.unwrap();
    let deleting = tokio::spawn({
        let store = store.clone();
        async move { store.upkeep.delete_messages_of(application, Uuid::nil(), 500).await }
    });
    let waits = "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND query LIKE '-- settled::%' AND datname = current_database()";
    while database.count(waits).await == 0 {
        tokio::task::yield_now().await;
    }
    sqlx::raw_sql(
        "UPDATE delivery SET state = 'held', settled_at = NULL;
         INSERT INTO pending (message_id, endpoint_id, application_id, due_at, attempts)
         SELECT message_id, endpoint_id, gen_random_uuid(), now(), 0 FROM delivery",
    )
    .execute(&mut *replay)
    .await
    .unwrap();
    replay.commit().await.unwrap();
    assert_eq!(deleting.await.unwrap().unwrap().done, 0);
    assert_eq!((database.count(LOST).await, database.count("SELECT count(*) FROM pending").await), (0, 1));
}

async fn whatever_waits_is_there(database: &Database, store: &Store, messages: &[(i32, i32, i32)]) {
    database.run("TRUNCATE message, delivery, pending").await;
    database
        .run(
            "SELECT make_partition(parent, start, start + interval '24 hours')
         FROM unnest(ARRAY['message', 'delivery']) parent, generate_series(11, 13) age,
              date_trunc('day', now() - make_interval(days => age), 'UTC') start",
        )
        .await;
    for (age, deliveries, waiting) in messages {
        sqlx::query("SELECT insert_message($1, $2, $3)")
            .bind(age)
            .bind(deliveries)
            .bind(waiting)
            .execute(&database.pool)
            .await
            .unwrap();
    }
    let waiting = database.count("SELECT count(*) FROM pending").await;
    hour(store).await;
    hour(store).await;
    assert_eq!(database.count(LOST).await, 0, "{messages:?}");
    assert_eq!(database.count("SELECT count(*) FROM pending").await, waiting);
    let kept = "SELECT count(*) FROM message m WHERE m.id < uuid_at(date_trunc('day', now() - interval '10 days', 'UTC'))
                AND NOT EXISTS (SELECT FROM pending p WHERE p.message_id = m.id)";
    assert_eq!(database.count(kept).await, 0, "what does not wait is gone: {messages:?}");
    let young = messages.iter().filter(|(age, ..)| *age < 10).count();
    let left = "SELECT count(*) FROM message WHERE id > uuid_at(now() - interval '10 days')";
    assert_eq!(database.count(left).await, i64::try_from(young).unwrap());
}

#[tokio::test]
async fn whatever_waits_is_never_lost_whichever_days_go() {
    let database = world().await;
    let store = store(&database).await;
    database.run(DAYS).await;
    let message = (8..=15i32, 0..=3i32).prop_flat_map(|(age, all)| (Just(age), Just(all), 0..=all));
    let cases = proptest::collection::vec(message, 0..12);
    let mut runner = TestRunner::default();
    for _ in 0..12 {
        let messages = cases.new_tree(&mut runner).unwrap().current();
        whatever_waits_is_there(&database, &store, &messages).await;
    }
}
