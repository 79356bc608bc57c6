//! Everything that grows has an end, and what somebody still waits for has none.

use postrider::maintenance::{self, Round};
use postrider::store::Store;

use crate::support::Database;
use crate::support::store::MAINTENANCE;

mod aside;
mod ends;
mod erase;
mod levels;
mod plans;
mod rounds;
mod years;

/// What stands around the rows of these tests: an application, deleted or not, and an endpoint of it.
const WORLD: &str = "
    INSERT INTO environment (id) VALUES ('org_upkeep');
    CREATE FUNCTION id_at(age interval) RETURNS uuid LANGUAGE sql AS $$
        SELECT (left(uuid_at(now() - age)::text, 15) || '7' || right(gen_random_uuid()::text, 20))::uuid
    $$;
    CREATE FUNCTION insert_application(deleted interval) RETURNS uuid LANGUAGE sql AS $$
        INSERT INTO application (id, environment_id, name, deleted_at, erased_at)
        VALUES (id_at('100 days'), 'org_upkeep', 'a', now() - deleted, now() - deleted) RETURNING id
    $$;
    CREATE FUNCTION insert_endpoint(application uuid, deleted interval) RETURNS uuid LANGUAGE sql AS $$
        INSERT INTO endpoint (id, application_id, url, headers_sealed, deleted_at)
        VALUES (id_at('100 days'), application, 'https://a.example/', '\\x01', now() - deleted) RETURNING id
    $$;
    CREATE FUNCTION insert_secret(endpoint uuid, expires interval) RETURNS void LANGUAGE sql AS $$
        INSERT INTO endpoint_secret (id, endpoint_id, sealed, expires_at)
        VALUES (gen_random_uuid(), endpoint, '\\x01', now() + expires)
    $$;
    CREATE FUNCTION insert_dead_letter(endpoint uuid, replayed interval, discarded interval) RETURNS void LANGUAGE sql AS $$
        INSERT INTO dead_letter (id, environment_id, application_id, endpoint_id, message_id, event_type, payload, reason,
                                 attempts, died_at, replayed_at, discarded_at)
        SELECT id_at('300 days'), 'org_upkeep', e.application_id, e.id, gen_random_uuid(), 'a.b', '{}', 'exhausted', 7,
               now() - interval '300 days', now() - replayed, now() - discarded
        FROM endpoint e WHERE e.id = endpoint
    $$;";

async fn world() -> Database {
    let database = Database::fresh().await;
    database.run(WORLD).await;
    database
}

async fn night(store: &Store) {
    // The lock of the night before goes when the database has noticed that its connection is closed.
    while !maintenance::run(&store.upkeep, MAINTENANCE, Round::Nightly).await.unwrap() {
        tokio::task::yield_now().await;
    }
}
