//! Databases whose queue is empty, or full from the start: tables of the size that plans are made for.

pub mod crowded;

use super::postgres::Database;

/// Two hundred thousand settled deliveries of a thousand endpoints, and fifty thousand that wait, nearly all of them
/// for one endpoint.
pub const FILL: &str = "
    INSERT INTO environment (id) VALUES ('org_plans');
    INSERT INTO application (id, environment_id, name) SELECT uuid_of(1, n), 'org_plans', 'x' FROM generate_series(1, 100) n;
    INSERT INTO endpoint (id, application_id, url)
        SELECT uuid_of(2, n), uuid_of(1, 1 + n % 100), 'https://a.example/' FROM generate_series(1, 1000) n;
    INSERT INTO message (id, application_id, event_type, payload)
        SELECT uuid_of(3, n), uuid_of(1, 1 + n % 100), 'a.b', '{}' FROM generate_series(1, 200000) n;
    INSERT INTO delivery (message_id, endpoint_id, state, settled_at)
        SELECT uuid_of(3, n), uuid_of(2, 1 + n % 1000), 'delivered', now() FROM generate_series(1, 150000) n;
    INSERT INTO delivery (message_id, endpoint_id, state)
        SELECT uuid_of(3, n), CASE WHEN n % 100 = 0 THEN uuid_of(2, 1 + n % 1000) ELSE uuid_of(2, 7) END, 'waiting'
        FROM generate_series(150001, 200000) n;
    INSERT INTO pending (message_id, endpoint_id, application_id, due_at, attempts)
        SELECT message_id, endpoint_id, uuid_of(1, 8), now() - interval '1 hour', 1 FROM delivery WHERE state = 'waiting';
    INSERT INTO attempt (id, message_id, endpoint_id, number, trigger, delivered, duration_ms, url)
        SELECT message_id, message_id, endpoint_id, 1, 'scheduled', true, 5, 'https://a.example/' FROM delivery;
    INSERT INTO idempotency_key (slot, key_hash, request_hash, message_id)
        SELECT now(), sha256(n::text::bytea), sha256('x'), uuid_of(3, n) FROM generate_series(1, 50000) n";

/// Ids of a kind, in the order of their numbers, in the partitions of the day on which the database was made.
const UUID_OF: &str = "
    DO $do$ DECLARE day timestamptz = date_trunc('day', now(), 'UTC'); BEGIN
        PERFORM make_partition(t, day, day + interval '1 day') FROM unnest(ARRAY['message', 'delivery', 'attempt']) t;
        EXECUTE format($f$
            CREATE FUNCTION uuid_of(kind integer, n integer) RETURNS uuid LANGUAGE sql AS $$
                SELECT (%L || '-7' || lpad(kind::text, 3, '0') || '-8000-' || lpad(n::text, 12, '0'))::uuid
            $$$f$, left(uuid_at(day)::text, 13));
    END $do$";

/// A database with its partitions of today, and `uuid_of`.
pub async fn empty_queue() -> Database {
    Database::filled(&[UUID_OF]).await
}

/// The same, filled.
pub async fn full_queue() -> Database {
    Database::filled(&[UUID_OF, FILL, "ANALYZE"]).await
}
