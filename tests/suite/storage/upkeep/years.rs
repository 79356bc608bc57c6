//! Two years of days come to their end at once, while messages flow: what is over goes, what somebody keeps or waits for
//! stays, nobody's post fails, and how long tables were locked is told. `BENCHMARKS.md` has what came of it, also with
//! months of a size that `POSTRIDER_TEST_MESSAGES_A_MONTH` sets.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

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
/// Messages of an application, delivered to an endpoint and to others that are gone, in a month.
const FILL: &str = "
    WITH made AS MATERIALIZED (SELECT id_in($3) AS id FROM generate_series(1, $4)),
         stored AS (INSERT INTO message (id, application_id, event_type, payload) SELECT id, $1, 'a.b', '{}' FROM made),
         sent AS (INSERT INTO delivery (message_id, endpoint_id, state, settled_at)
                  SELECT id, CASE number WHEN 1 THEN $2 ELSE gen_random_uuid() END, 'delivered', now()
                  FROM made, generate_series(1, $5) number)
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
/// In another one nearly as much as can be: 500 messages and 5,000 deliveries.
const NEARLY_TOO_MANY: i32 = 490;
const FAN_OUT: i32 = 10;

/// What nobody keeps and nobody waits for.
fn usual_per_month() -> i32 {
    #[expect(clippy::disallowed_methods, reason = "it is the suite's own variable, not the program's")]
    let given = std::env::var("POSTRIDER_TEST_MESSAGES_A_MONTH");
    given.map_or(PER_MONTH, |number| number.parse().unwrap())
}

async fn fill(database: &Database, owner: (&Tenant, &str), month: i32, (number, fan_out): (i32, i32)) {
    let (application, endpoint) = ids(owner);
    let query = sqlx::query(FILL).bind(application.uuid()).bind(endpoint.uuid()).bind(month);
    query.bind(number).bind(fan_out).execute(&database.pool).await.unwrap();
}

async fn hold(database: &Database, owner: (&Tenant, &str), month: i32) {
    let (application, endpoint) = ids(owner);
    let query = sqlx::query(HOLD).bind(application.uuid()).bind(endpoint.uuid()).bind(month);
    query.execute(&database.pool).await.unwrap();
}

fn ids((tenant, endpoint): (&Tenant, &str)) -> (ApplicationId, EndpointId) {
    (tenant.id.parse().unwrap(), endpoint.parse().unwrap())
}

/// Posts one message after the other until it is told to stop. Returns how many, and how long the slowest took.
fn post(tenant: &Tenant, stop: &Arc<AtomicBool>) -> JoinHandle<(usize, Duration)> {
    let (tenant, stop) = (tenant.clone(), stop.clone());
    tokio::spawn(async move {
        let (mut posted, mut slowest) = (0, Duration::ZERO);
        while !stop.load(Ordering::Relaxed) {
            let begun = Instant::now();
            tenant.message("flows", json!({"number": posted})).await;
            slowest = slowest.max(begun.elapsed());
            posted += 1;
        }
        (posted, slowest)
    })
}

/// Locks that keep posts and outcomes out, as they were seen.
#[derive(Default)]
struct Locks {
    looks: u32,
    /// The longest time between two looks: so much longer may a lock have been held than it was seen.
    widest: TimeDelta,
    /// The longest that one was held.
    held: TimeDelta,
    /// The longest that somebody stood in front of the others, and waited for one.
    awaited: TimeDelta,
}

/// The database's time, and one that has a lock or waits for it: transaction, table, whether it was granted. `None` if there is none.
type Look = (DateTime<Utc>, Option<String>, Option<i64>, Option<bool>);

/// Looks, again and again, who has a table of the way of a message for himself alone, or waits for that, and since when.
fn watch_locks(database: &Database, stop: &Arc<AtomicBool>) -> JoinHandle<Locks> {
    let (pool, stop) = (database.pool.clone(), stop.clone());
    tokio::spawn(async move {
        let mut locks = Locks::default();
        let mut seen: HashMap<(String, i64, bool), DateTime<Utc>> = HashMap::new();
        let mut before: Option<DateTime<Utc>> = None;
        let mut looks = tokio::time::interval(Duration::from_millis(2));
        while !stop.load(Ordering::Relaxed) {
            looks.tick().await;
            let found: Vec<Look> = sqlx::query_as(
                "SELECT clock_timestamp(), l.virtualtransaction, l.relation::bigint, l.granted
                 FROM (SELECT) nothing LEFT JOIN (pg_locks l JOIN pg_class c ON c.oid = l.relation) ON
                     -- What is being committed has no transaction's number any more.
                     l.virtualtransaction !~ '/0$' AND l.mode IN ('ShareLock', 'ShareRowExclusiveLock', 'ExclusiveLock', 'AccessExclusiveLock')
                     AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database())
                     AND c.relname IN ('message', 'delivery', 'attempt', 'message_default', 'delivery_default', 'attempt_default')",
            )
            .fetch_all(&pool)
            .await
            .unwrap();
            locks.looks += 1;
            locks.widest = locks.widest.max(before.map_or(TimeDelta::zero(), |before| found[0].0 - before));
            before = Some(found[0].0);
            for (now, transaction, relation, granted) in found {
                let (Some(transaction), Some(relation), Some(granted)) = (transaction, relation, granted)
                else {
                    continue;
                };
                let time = now - *seen.entry((transaction, relation, granted)).or_insert(now);
                let longest = if granted { &mut locks.held } else { &mut locks.awaited };
                *longest = time.max(*longest);
            }
        }
        locks
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
        let of_long = match month {
            7 => (MANY, 1),
            8 => (NEARLY_TOO_MANY, FAN_OUT),
            _ => (PER_MONTH, 1),
        };
        fill(database, (&usual, &flows), month, (usual_per_month(), 1)).await;
        fill(database, (&short, &endpoints[0]), month, (PER_MONTH, 1)).await;
        fill(database, (&long, &endpoints[1]), month, of_long).await;
        hold(database, (&usual, &closed), month).await;
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
    let ((posted, slowest), locks) = (posting.await.unwrap(), watching.await.unwrap());
    println!(
        "locks that keep posts out: held for {} ms at most, waited for {} ms at most ({} looks, {} ms apart at most); {posted} posts \
         meanwhile, the slowest took {} ms",
        locks.held.num_milliseconds(),
        locks.awaited.num_milliseconds(),
        locks.looks,
        locks.widest.num_milliseconds(),
        slowest.as_millis(),
    );
    assert!(locks.looks > 0 && posted > 0);

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
    let kept = i64::from(11 * PER_MONTH + MANY + NEARLY_TOO_MANY);
    assert_eq!(count(old(&of("long"))).await, kept);
    assert_eq!(count(old("attempt m WHERE true")).await, kept);
    let lost = "SELECT count(*) FROM pending p WHERE NOT EXISTS (SELECT FROM message m WHERE m.id = p.message_id AND m.payload IS NOT NULL)
                OR NOT EXISTS (SELECT FROM delivery d WHERE d.message_id = p.message_id AND d.endpoint_id = p.endpoint_id)";
    assert_eq!(database.count(lost).await, 0);
    let days = "SELECT count(*) FROM pg_class WHERE relkind = 'r' AND relname ~ '^message_2'
                AND relname < 'message_' || to_char((now() - interval '11 days') AT TIME ZONE 'UTC', 'YYYYMMDD')";
    assert_eq!(database.count(days).await, 1, "one day stays, of which much is kept");
}
