//! Which endpoints have something in the queue. The queue may be of any size: these statements skip along its index from one
//! endpoint to the next, and read one entry for each.

use uuid::Uuid;

use crate::store::StoreError;
use crate::store::database::pool::Pool;

/// The next endpoints after this one (the nil UUID for the beginning), by id.
pub(in crate::store) async fn waiting_endpoints_after(
    pool: &Pool,
    after: Uuid,
    limit: i64,
) -> Result<Vec<Uuid>, StoreError> {
    Ok(sqlx::query_scalar!(
        r#"-- pending::endpoints_after
        WITH RECURSIVE found AS (
            (SELECT p.endpoint_id, 1::bigint AS place FROM pending p
             WHERE p.endpoint_id > $1 AND p.due_at > '-infinity' ORDER BY p.endpoint_id LIMIT 1)
            UNION ALL
            SELECT next.endpoint_id, f.place + 1 FROM found f CROSS JOIN LATERAL (
                SELECT p.endpoint_id FROM pending p
                WHERE p.endpoint_id > f.endpoint_id AND p.due_at > '-infinity'
                ORDER BY p.endpoint_id LIMIT 1
            ) next
            WHERE f.place < $2
        )
        SELECT endpoint_id AS "endpoint_id!" FROM found ORDER BY place"#,
        after,
        limit,
    )
    .fetch_all(pool)
    .await?)
}

/// The next endpoints before this one (the largest UUID for the end), by descending id.
pub(in crate::store) async fn waiting_endpoints_before(
    pool: &Pool,
    before: Uuid,
    limit: i64,
) -> Result<Vec<Uuid>, StoreError> {
    Ok(sqlx::query_scalar!(
        r#"-- pending::endpoints_before
        WITH RECURSIVE found AS (
            (SELECT p.endpoint_id, 1::bigint AS place FROM pending p
             WHERE p.endpoint_id < $1 AND p.due_at > '-infinity' ORDER BY p.endpoint_id DESC LIMIT 1)
            UNION ALL
            SELECT next.endpoint_id, f.place + 1 FROM found f CROSS JOIN LATERAL (
                SELECT p.endpoint_id FROM pending p
                WHERE p.endpoint_id < f.endpoint_id AND p.due_at > '-infinity'
                ORDER BY p.endpoint_id DESC LIMIT 1
            ) next
            WHERE f.place < $2
        )
        SELECT endpoint_id AS "endpoint_id!" FROM found ORDER BY place"#,
        before,
        limit,
    )
    .fetch_all(pool)
    .await?)
}
