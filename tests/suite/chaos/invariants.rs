//! What must hold between two tables, and no constraint can say. Each query counts offenders; all of them ask one
//! snapshot each, so that they may be asked while nodes work.

use sqlx::PgPool;

const INVARIANTS: [(&str, &str); 10] = [
    (
        "a delivery that waits or is held has a row in the queue",
        "SELECT count(*) FROM delivery d WHERE d.state IN ('waiting', 'held') AND NOT EXISTS
            (SELECT FROM pending p WHERE p.message_id = d.message_id AND p.endpoint_id = d.endpoint_id)",
    ),
    (
        "a row in the queue has a delivery that waits or is held",
        "SELECT count(*) FROM pending p WHERE NOT EXISTS
            (SELECT FROM delivery d WHERE d.message_id = p.message_id AND d.endpoint_id = p.endpoint_id
                AND d.state IN ('waiting', 'held'))",
    ),
    (
        "a delivery in flight belongs to a node that is there",
        "SELECT count(*) FROM delivery d WHERE d.state = 'in_flight' AND NOT EXISTS (SELECT FROM node n WHERE n.epoch = d.owner)",
    ),
    (
        "a dead delivery has its dead letter, not replayed",
        "SELECT count(*) FROM delivery d WHERE d.state = 'dead' AND NOT EXISTS
            (SELECT FROM dead_letter l WHERE l.message_id = d.message_id AND l.endpoint_id = d.endpoint_id
                AND l.replayed_at IS NULL)",
    ),
    (
        "an open dead letter has a dead delivery",
        "SELECT count(*) FROM dead_letter l WHERE l.replayed_at IS NULL AND l.discarded_at IS NULL AND NOT EXISTS
            (SELECT FROM delivery d WHERE d.message_id = l.message_id AND d.endpoint_id = l.endpoint_id
                AND d.state = 'dead')",
    ),
    (
        "a delivery has its message",
        "SELECT count(*) FROM delivery d WHERE NOT EXISTS (SELECT FROM message m WHERE m.id = d.message_id)",
    ),
    (
        // No endpoint is made after the first post, so that fewer deliveries than endpoints were never written.
        "a message of a tenant has a delivery for each of its endpoints",
        "SELECT count(*) FROM message m
         JOIN application a ON a.id = m.application_id AND a.deleted_at IS NULL AND a.purpose IS NULL
         WHERE (SELECT count(*) FROM delivery d WHERE d.message_id = m.id) <
               (SELECT count(*) FROM endpoint e WHERE e.application_id = a.id AND e.deleted_at IS NULL)",
    ),
    (
        // No post of the laboratory has both a key and an `eventId`, so that none with a key may be refused.
        "an idempotency key points to a message that is stored",
        "SELECT count(*) FROM idempotency_key k WHERE k.message_id IS NOT NULL AND NOT EXISTS
            (SELECT FROM message m WHERE m.id = k.message_id)",
    ),
    (
        "a delivered delivery has an attempt that delivered",
        "SELECT count(*) FROM delivery d WHERE d.state = 'delivered' AND NOT EXISTS
            (SELECT FROM attempt t WHERE t.message_id = d.message_id AND t.endpoint_id = d.endpoint_id AND t.delivered)",
    ),
    (
        "attempts of a round are numbered from 1 without gaps",
        "SELECT count(*) FROM (
            SELECT number, lag(number, 1, 0::smallint) OVER (PARTITION BY message_id, endpoint_id ORDER BY id) AS before
            FROM attempt) t
         WHERE t.number <> 1 AND t.number <> t.before + 1",
    ),
];

/// The sentences that do not hold, with the number of offenders.
pub async fn violations(pool: &PgPool) -> Vec<String> {
    let mut found = Vec::new();
    for (sentence, query) in INVARIANTS {
        let offenders: i64 = sqlx::query_scalar(query).fetch_one(pool).await.unwrap();
        if offenders > 0 {
            found.push(format!("{offenders} times not: {sentence}"));
        }
    }
    found
}
