//! What the console remembers of how much waits: an environment that cannot be counted keeps no other from its gauge.

use std::time::Duration;

use crate::support::Database;
use crate::support::store::store;

const SCOPE: &str = "
    INSERT INTO environment (id) VALUES ('org_a'), ('org_b');
    INSERT INTO dead_letter (id, environment_id, application_id, endpoint_id, message_id, event_type, reason, attempts)
        SELECT gen_random_uuid(), 'org_b', gen_random_uuid(), gen_random_uuid(), gen_random_uuid(), 'a.b', 'exhausted', 7
        FROM generate_series(1, 3);
    CREATE FUNCTION scope(id text) RETURNS uuid LANGUAGE sql AS
        $$ SELECT encode(substring(sha256(id::bytea), 1, 16), 'hex')::uuid $$;
    INSERT INTO rollup_gauge (scope, step, at, waiting, held, dead_open)
        VALUES (scope('org_a'), 60, date_trunc('minute', now()) - interval '5 minutes', 0, 0, 4);
    CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE 'refused'; END $$;
    CREATE TRIGGER refuse BEFORE INSERT ON rollup_gauge FOR EACH ROW WHEN (NEW.scope = scope('org_a')) EXECUTE FUNCTION refuse()";

#[tokio::test]
async fn an_environment_that_cannot_be_counted_keeps_no_other_from_its_gauge() {
    let database = Database::fresh().await;
    let store = store(&database).await;
    sqlx::raw_sql(SCOPE).execute(&database.pool).await.unwrap();
    let round = store.rollups.begin_sampling().await.unwrap().unwrap();
    assert!(store.rollups.write_gauges().await.is_err());
    store.rollups.end_sampling(round, Duration::from_secs(10)).await.unwrap();
    let counted = "SELECT count(*) FROM rollup_gauge WHERE scope = scope('org_b') AND dead_open = 3";
    assert_eq!(database.count(counted).await, 2);
    let total = store.rollups.queue_total().await.unwrap().unwrap();
    assert_eq!(total.dead_open, 3 + 4, "with what was last known of the other");
}
