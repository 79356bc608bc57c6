//! Messages on which much hangs, and a database that refuses a statement that goes through too many rows, as one does that
//! takes too long.

use sqlx::{AssertSqlSafe, PgPool};
use uuid::Uuid;

const CROWDED: &str = "
    -- Messages of an hour ago, each with so many deliveries, of which each has an attempt.
    CREATE FUNCTION insert_crowded(application uuid, messages integer, endpoints integer, waits boolean) RETURNS void
    LANGUAGE sql AS $$
        WITH m AS (
            INSERT INTO message (id, application_id, event_type, payload)
            SELECT (left(uuid_at(now() - interval '1 hour')::text, 15) || '7' || right(gen_random_uuid()::text, 20))::uuid,
                   application, 'a.b', '{}' FROM generate_series(1, messages)
            RETURNING id
        ), d AS MATERIALIZED (
            SELECT id AS message_id, gen_random_uuid() AS endpoint_id FROM m, generate_series(1, endpoints)
        ), deliveries AS (
            INSERT INTO delivery (message_id, endpoint_id, state, settled_at)
            SELECT message_id, endpoint_id, CASE WHEN waits THEN 'waiting'::delivery_state ELSE 'delivered' END,
                   CASE WHEN NOT waits THEN now() END FROM d
        ), queue AS (
            INSERT INTO pending (message_id, endpoint_id, application_id, due_at, attempts)
            SELECT message_id, endpoint_id, application, now() + interval '1 hour', 1 FROM d WHERE waits
        )
        INSERT INTO attempt (id, message_id, endpoint_id, number, trigger, delivered, duration_ms, url, response_body)
        SELECT (left(uuid_at(now() - interval '1 hour')::text, 15) || '7' || right(gen_random_uuid()::text, 20))::uuid,
               message_id, endpoint_id, 1, 'scheduled', true, 5, 'https://a.example/', 'x' FROM d
    $$;
    CREATE FUNCTION at_most() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
        IF (SELECT count(*) FROM changed) > TG_ARGV[0]::bigint THEN
            RAISE EXCEPTION 'that takes too long' USING ERRCODE = 'query_canceled';
        END IF;
        RETURN NULL;
    END $$";

/// Makes `insert_crowded`. From then on a statement that updates or deletes more than `rows` rows of a table on whose
/// messages they hang is given up.
pub async fn crowd(pool: &PgPool, rows: u32) {
    sqlx::raw_sql(CROWDED).execute(pool).await.unwrap();
    for table in ["pending", "delivery", "attempt", "dead_letter"] {
        for (act, what) in [("UPDATE", "NEW"), ("DELETE", "OLD")] {
            let trigger = format!(
                "CREATE TRIGGER at_most_{act} AFTER {act} ON {table} REFERENCING {what} TABLE AS changed
                 FOR EACH STATEMENT EXECUTE FUNCTION at_most({rows})"
            );
            sqlx::raw_sql(AssertSqlSafe(trigger)).execute(pool).await.unwrap();
        }
    }
}

/// Messages of that application, each with so many deliveries that have ended or wait.
pub async fn insert_crowded(pool: &PgPool, application: Uuid, messages: i32, endpoints: i32, wait: bool) {
    sqlx::query("SELECT insert_crowded($1, $2, $3, $4)")
        .bind(application)
        .bind(messages)
        .bind(endpoints)
        .bind(wait)
        .execute(pool)
        .await
        .unwrap();
}
