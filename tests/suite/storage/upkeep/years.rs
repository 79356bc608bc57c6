//! Two years of days come to their end at once, while messages flow: what is over goes, what somebody keeps or waits for
//! stays, nobody's post fails, and how long tables were locked is told.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use chrono::{DateTime, TimeDelta, Utc};
use postrider::domain::id::{ApplicationId, EndpointId};
use postrider::maintenance::{self, Round};
use serde_json::json;
use tokio::task::JoinHandle;

use crate::support::store::{MAINTENANCE, store};
use crate::support::{Database, Receiver, Setup, Tenant};

/// A day in each of 24 months.
const DAYS: &str = "
    SELECT make_partition(parent, start, start + interval '24 hours')
    FROM unnest(ARRAY['message', 'delivery', 'attempt']) parent, generate_series(1, 24) month,
         date_trunc('day', now() - make_interval(days => 30 * month), 'UTC') start;
    CREATE FUNCTION id_in(month integer) RETURNS uuid LANGUAGE sql AS $$
        SELECT (left(uuid_at(now() - make_interval(days => 30 * month))::text, 15) || '7' || right(gen_random_uuid()::text, 20))::uuid
    $$";
/// Messages of an application, delivered to an endpoint, in a month.
const FILL: &str = "
    WITH made AS MATERIALIZED (SELECT id_in($3) AS id FROM generate_series(1, $4)),
         stored AS (INSERT INTO message (id, application_id, event_type, payload) SELECT id, $1, 'a.b', '{}' FROM made),
         sent AS (INSERT INTO delivery (message_id, endpoint_id, state, settled_at) SELECT id, $2, 'delivered', now() FROM made)
    INSERT INTO attempt (id, message_id, endpoint_id, number, trigger, delivered, duration_ms, url)
    SELECT id, id, $2, 1, 'scheduled', true, 5, '' FROM made";
/// One more that is held.
const HOLD: &str = "
    WITH made AS MATERIALIZED (SELECT id_in($3) AS id),
         stored AS (INSERT INTO message (id, application_id, event_type, payload) SELECT id, $1, 'a.b', '{}' FROM made),
         held AS (INSERT INTO delivery (message_id, endpoint_id, state) SELECT id, $2, 'held' FROM made)
    INSERT INTO pending (message_id, endpoint_id, application_id, due_at, attempts) SELECT id, $2, $1, now(), 0 FROM made";
const PER_MONTH: i32 = 60;
/// In one month one tenant has more than can be set aside.
const MANY: i32 = 1_100;

async fn fill(database: &Database, statement: &'static str, owner: (&Tenant, &str), month: i32, number: i32) {
    let application: ApplicationId = owner.0.id.parse().unwrap();
    let endpoint: EndpointId = owner.1.parse().unwrap();
    let query = sqlx::query(statement).bind(application.uuid()).bind(endpoint.uuid()).bind(month);
    let query = if statement == FILL { query.bind(number) } else { query };
    query.execute(&database.pool).await.unwrap();
}

/// Posts one message after the other until it is told to stop. Returns how many.
fn post(tenant: &Tenant, stop: &Arc<AtomicBool>) -> JoinHandle<usize> {
    let (tenant, stop) = (tenant.clone(), stop.clone());
    tokio::spawn(async move {
        let mut posted = 0;
        while !stop.load(Ordering::Relaxed) {
            tenant.message("flows", json!({"number": posted})).await;
            posted += 1;
        }
        posted
    })
}

/// Looks, again and again, who has a table of the way of a message for himself alone, and since when. Returns the longest
/// time that was seen, and how often it looked.
fn watch_locks(database: &Database, stop: &Arc<AtomicBool>) -> JoinHandle<(TimeDelta, u32)> {
    let (pool, stop) = (database.pool.clone(), stop.clone());
    tokio::spawn(async move {
        let (mut longest, mut looks) = (TimeDelta::zero(), 0);
        let mut seen: HashMap<(i32, String, u32), DateTime<Utc>> = HashMap::new();
        while !stop.load(Ordering::Relaxed) {
            let held: Vec<(i32, String, i64, DateTime<Utc>)> = sqlx::query_as(
                "SELECT l.pid, l.virtualtransaction, l.relation::bigint, clock_timestamp()
                 FROM pg_locks l JOIN pg_class c ON c.oid = l.relation
                 WHERE l.granted AND l.mode = 'AccessExclusiveLock' AND l.database = (
                     SELECT oid FROM pg_database WHERE datname = current_database())
                   AND c.relname IN ('message', 'delivery', 'attempt', 'message_default', 'delivery_default', 'attempt_default')",
            )
            .fetch_all(&pool)
            .await
            .unwrap();
            looks += 1;
            for (pid, transaction, relation, now) in held {
                let key = (pid, transaction, u32::try_from(relation).unwrap());
                longest = longest.max(now - *seen.entry(key).or_insert(now));
            }
        }
        (longest, looks)
    })
}

#[tokio::test]
async fn two_years_end_while_messages_flow() {
    let mut app = Setup::default().start_local().await;
    app.leave_work();
    let database = app.database();
    let store = store(database).await;
    let receiver = Receiver::start().await;
    let (usual, short, long) =
        (app.tenant("usual").await, app.tenant("short").await, app.tenant("long").await);
    for (tenant, days) in [(&short, 1), (&long, 400)] {
        app.environment().patch(&tenant.path(""), &json!({"messageRetentionDays": days})).await.expect(200);
    }
    let hook = receiver.hook("/flows");
    let flows = usual.endpoint(&hook, json!({"filterTypes": ["flows"]})).await;
    let closed =
        usual.endpoint(&receiver.hook("/closed"), json!({"disabled": true, "filterTypes": ["other"]})).await;
    let endpoints = [
        short.endpoint(&receiver.hook("/s"), json!({})).await,
        long.endpoint(&receiver.hook("/l"), json!({})).await,
    ];
    sqlx::raw_sql(DAYS).execute(&database.pool).await.unwrap();
    for month in 1..=24 {
        let of_long = if month == 7 { MANY } else { PER_MONTH };
        fill(database, FILL, (&usual, &flows), month, PER_MONTH).await;
        fill(database, FILL, (&short, &endpoints[0]), month, PER_MONTH).await;
        fill(database, FILL, (&long, &endpoints[1]), month, of_long).await;
        fill(database, HOLD, (&usual, &closed), month, 0).await;
    }

    let stop = Arc::new(AtomicBool::new(false));
    let (posting, watching) = (post(&usual, &stop), watch_locks(database, &stop));
    receiver.wait_at(&hook, 1).await;
    for round in [Round::Hourly, Round::Nightly, Round::Hourly] {
        while !maintenance::run(&store.upkeep, MAINTENANCE, round).await.unwrap() {
            tokio::task::yield_now().await;
        }
    }
    stop.store(true, Ordering::Relaxed);
    let (posted, (longest, looks)) = (posting.await.unwrap(), watching.await.unwrap());
    println!(
        "longest exclusive lock of a table that was seen: {} ms ({looks} looks, {posted} posts meanwhile)",
        longest.num_milliseconds()
    );

    receiver.wait_at(&hook, posted).await;
    let old =
        |what: &str| format!("SELECT count(*) FROM {what} AND m.id < uuid_at(now() - interval '11 days')");
    let count = async |query: String| -> i64 {
        sqlx::query_scalar(sqlx::AssertSqlSafe(query)).fetch_one(&database.pool).await.unwrap()
    };
    let of = |name: &str| {
        format!("message m JOIN application a ON a.id = m.application_id WHERE a.name = '{name}'")
    };
    assert_eq!(count(old(&of("usual"))).await, 24, "what is held");
    assert_eq!(count(old(&of("short"))).await, 0);
    // The months up to the thirteenth are within its four hundred days.
    assert_eq!(count(old(&of("long"))).await, i64::from(12 * PER_MONTH + MANY));
    assert_eq!(count(old("attempt m WHERE true")).await, i64::from(12 * PER_MONTH + MANY));
    let lost = "SELECT count(*) FROM pending p WHERE NOT EXISTS (SELECT FROM message m WHERE m.id = p.message_id AND m.payload IS NOT NULL)
                OR NOT EXISTS (SELECT FROM delivery d WHERE d.message_id = p.message_id AND d.endpoint_id = p.endpoint_id)";
    assert_eq!(database.count(lost).await, 0);
    let days = "SELECT count(*) FROM pg_class WHERE relkind = 'r' AND relname ~ '^message_2'
                AND relname < 'message_' || to_char((now() - interval '11 days') AT TIME ZONE 'UTC', 'YYYYMMDD')";
    assert_eq!(database.count(days).await, 1, "one day stays, of which much is kept");
}
