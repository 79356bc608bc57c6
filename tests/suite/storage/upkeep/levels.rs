//! How long things are kept, an application may say, or its environment; what neither says, the server does.

use super::{night, world};
use crate::support::Database;
use crate::support::store::{MAINTENANCE, store};
use postrider::maintenance::{self, Round};
use postrider::store::Store;

/// Days of 2 to 45 days ago, and applications by name: in an environment that keeps messages for 20 days, one that says
/// nothing, one that keeps them for a day and one for forty; in one that says nothing, one as the server (ten days).
/// `insert_message(application, age in days)` makes one with an `eventId`, a delivered delivery and an attempt.
const TENANTS: &str = "
    SELECT make_partition(parent, start, start + interval '24 hours')
    FROM unnest(ARRAY['message', 'delivery', 'attempt']) parent, unnest(ARRAY[2, 3, 12, 15, 25, 30, 45]) age,
         date_trunc('day', now() - make_interval(days => age), 'UTC') start;
    INSERT INTO environment (id, retention) VALUES ('org_twenty', '{\"messageRetentionDays\": 20}');
    CREATE TABLE tenant AS
        SELECT name, id_at('100 days') AS id, environment_id, retention FROM (VALUES
            ('server', 'org_upkeep', '{}'), ('twenty', 'org_twenty', '{}'),
            ('one', 'org_twenty', '{\"messageRetentionDays\": 1}'), ('forty', 'org_twenty', '{\"messageRetentionDays\": 40}')
        ) AS t(name, environment_id, retention);
    INSERT INTO application (id, environment_id, name, retention)
        SELECT id, environment_id, name, retention::jsonb FROM tenant;
    INSERT INTO endpoint (id, application_id, url) SELECT id, id, 'https://a.example/' FROM tenant;
    CREATE FUNCTION insert_message(tenant_name text, age integer) RETURNS void LANGUAGE sql AS $$
        WITH of AS (SELECT id, id_at(make_interval(days => age)) AS message FROM tenant WHERE name = tenant_name),
             named AS (INSERT INTO message_event_id SELECT id, message::text, message FROM of),
             made AS (INSERT INTO message (id, application_id, event_type, event_id) SELECT message, id, 'a.b', message::text FROM of),
             sent AS (INSERT INTO delivery (message_id, endpoint_id, state, settled_at) SELECT message, id, 'delivered', now() FROM of)
        INSERT INTO attempt (id, message_id, endpoint_id, number, trigger, delivered, duration_ms, url)
        SELECT message, message, id, 1, 'scheduled', true, 5, '' FROM of
    $$;";
/// Of the rows of a table: tenants with the ages that they have.
const LEFT: &str = "
    SELECT string_agg(name || ' ' || ages, ', ' ORDER BY name) FROM (
        SELECT t.name, string_agg(a.age::text, ' ' ORDER BY a.age) AS ages
        FROM (SELECT application_id, round(extract(epoch FROM now() - uuid_moment(id)) / 86400) AS age FROM message) a
        JOIN tenant t ON t.id = a.application_id GROUP BY t.name) one";
const AGES: &str = "
    SELECT insert_message(name, age) FROM unnest(ARRAY['server', 'twenty', 'one', 'forty']) name,
                                          unnest(ARRAY[0, 3, 12, 25, 45]) age";

async fn left(database: &Database) -> String {
    sqlx::query_scalar(LEFT).fetch_one(&database.pool).await.unwrap()
}

async fn hour(store: &Store) {
    while !maintenance::run(&store.upkeep, MAINTENANCE, Round::Hourly).await.unwrap() {
        tokio::task::yield_now().await;
    }
}

const KEPT: &str = "forty 0 3 12 25, one 0, server 0 3, twenty 0 3 12";

#[tokio::test]
async fn messages_are_kept_as_long_as_their_application_or_its_environment_says() {
    let database = world().await;
    let store = store(&database).await;
    database.run(TENANTS).await;
    database.run(AGES).await;
    hour(&store).await;
    night(&store).await;
    assert_eq!(left(&database).await, KEPT);
    let rest = "SELECT count(*) FROM message m FULL JOIN delivery d ON d.message_id = m.id
                FULL JOIN attempt a ON a.message_id = m.id FULL JOIN message_event_id e ON e.message_id = m.id
                WHERE m.id IS NULL OR d.message_id IS NULL OR a.message_id IS NULL OR e.message_id IS NULL";
    assert_eq!(database.count(rest).await, 0, "deliveries, attempts and `eventId`s go with their messages");
    // What is kept for longer is little: it is set aside, and no day stays for it.
    let old_days = "SELECT count(*) FROM pg_class WHERE relkind = 'r' AND relname ~ '^(message|delivery|attempt)_2'
                    AND uuid_at(now() - interval '11 days') > uuid_at(to_timestamp(substr(relname, length(relname) - 10, 8), 'YYYYMMDD'))";
    assert_eq!(database.count(old_days).await, 0);
    // Time goes by: what was set aside ends as well.
    database.run("UPDATE application SET retention = '{}'; UPDATE environment SET retention = '{}'").await;
    hour(&store).await;
    night(&store).await;
    assert_eq!(left(&database).await, "forty 0 3, one 0, server 0 3, twenty 0 3");
    assert_eq!(database.count("SELECT count(*) FROM attempt").await, 7);
    assert_eq!(database.count("SELECT count(*) FROM message_event_id").await, 7);
}

#[tokio::test]
async fn a_day_of_which_much_is_kept_stays_and_what_others_have_in_it_goes() {
    let database = world().await;
    let store = store(&database).await;
    database.run(TENANTS).await;
    database
        .run(
            "SELECT insert_message('forty', 12) FROM generate_series(1, 1001);
         SELECT insert_message(name, 12) FROM unnest(ARRAY['server', 'one']) name, generate_series(1, 30);
         SELECT insert_message('forty', 25)",
        )
        .await;
    // So much is answered that attempts cannot be set aside, either.
    database
        .run("UPDATE attempt SET response_body = repeat('x', 10000)::bytea WHERE id > id_at('20 days')")
        .await;
    hour(&store).await;
    let of_forty =
        "SELECT count(*) FROM message m JOIN tenant t ON t.id = m.application_id WHERE t.name = 'forty'";
    assert_eq!(database.count(of_forty).await, 1_002);
    assert_eq!(database.count("SELECT count(*) FROM message").await, 1_002);
    assert_eq!(database.count("SELECT count(*) FROM delivery").await, 1_002);
    assert_eq!(database.count("SELECT count(*) FROM attempt").await, 1_002);
    assert_eq!(
        database.count("SELECT count(*) FROM message_default").await,
        1,
        "the one of another day is set aside"
    );
    assert_eq!(database.count("SELECT count(*) FROM attempt_default").await, 1);
    // A message of it that waits stays with its delivery, also when its application keeps it no longer.
    database.run("WITH one AS (SELECT message_id, endpoint_id FROM delivery ORDER BY 1 DESC LIMIT 1),
              held AS (UPDATE delivery d SET state = 'held', settled_at = NULL FROM one WHERE d.message_id = one.message_id)
         INSERT INTO pending (message_id, endpoint_id, application_id, due_at, attempts)
         SELECT message_id, endpoint_id, endpoint_id, now(), 1 FROM one;
         UPDATE application SET retention = '{\"messageRetentionDays\": 1}' WHERE name = 'forty'",
    )
    .await;
    hour(&store).await;
    assert_eq!(database.count("SELECT count(*) FROM message").await, 1);
    assert_eq!(database.count("SELECT count(*) FROM delivery WHERE state = 'held'").await, 1);
    assert_eq!(database.count("SELECT count(*) FROM attempt").await, 0);
}

#[tokio::test]
async fn dead_letters_and_tasks_are_kept_as_long_as_is_said() {
    let database = world().await;
    let store = store(&database).await;
    database.run("CREATE TABLE tenant AS SELECT name, id_at('900 days') AS id, retention FROM (VALUES
             ('server', '{}'),
             ('short', '{\"deadLetterRetentionDays\": 5, \"openDeadLetterRetentionDays\": 40, \"taskRetentionDays\": 2}'),
             ('long', '{\"deadLetterRetentionDays\": 200, \"openDeadLetterRetentionDays\": 800, \"taskRetentionDays\": 300}')
         ) AS t(name, retention);
         INSERT INTO application (id, environment_id, name, retention) SELECT id, 'org_upkeep', name, retention::jsonb FROM tenant;
         INSERT INTO dead_letter (id, environment_id, application_id, endpoint_id, message_id, event_type, reason, attempts, died_at, discarded_at)
         SELECT id_at(died), 'org_upkeep', t.id, t.id, gen_random_uuid(), 'a.b', 'exhausted', 7, now() - died, now() - discarded
         FROM tenant t, (VALUES ('39 days'::interval, NULL::interval), ('41 days', NULL), ('401 days', NULL), ('801 days', NULL),
                                ('399 days', '4 days'), ('399 days', '6 days'), ('399 days', '91 days'), ('399 days', '201 days')) AS l(died, discarded);
         INSERT INTO background_task (id, environment_id, application_id, kind, state, filter, total, updated_at)
         SELECT id_at(age), 'org_upkeep', id, 'application.usage', 'finished', '{}', 0, now() - age
         FROM tenant, unnest(ARRAY['1 day', '3 days', '31 days', '301 days']::interval[]) age",
    )
    .await;
    night(&store).await;
    let open = "SELECT string_agg(name || ' ' || n, ', ' ORDER BY name) FROM (
        SELECT t.name, count(*) AS n FROM dead_letter l JOIN tenant t ON t.id = l.application_id WHERE discarded_at IS NULL GROUP BY 1) one";
    let decided = "SELECT string_agg(name || ' ' || n, ', ' ORDER BY name) FROM (
        SELECT t.name, count(*) AS n FROM dead_letter l JOIN tenant t ON t.id = l.application_id WHERE discarded_at IS NOT NULL GROUP BY 1) one";
    let tasks = "SELECT string_agg(name || ' ' || n, ', ' ORDER BY name) FROM (
        SELECT t.name, count(*) AS n FROM background_task b JOIN tenant t ON t.id = b.application_id GROUP BY 1) one";
    for (query, expected) in [
        (open, "long 3, server 2, short 1"),
        (decided, "long 3, server 2, short 1"),
        (tasks, "long 3, server 2, short 1"),
    ] {
        let found: String = sqlx::query_scalar(query).fetch_one(&database.pool).await.unwrap();
        assert_eq!(found, expected, "{query}");
    }
}
