//! What is needed of a day when its partition is dropped: what applications keep for longer than the server does. Where
//! that is little, it is set aside into the default partition, in the transaction that drops the day; where it is much,
//! the day stays until the longest retention is over, and what others have in it is deleted (`retention.rs`).

use chrono::{DateTime, Utc};
use uuid::Uuid;

use crate::store::{MaintenanceSession, StoreError};

/// More applications than this are not asked one by one for what they keep: the day stays.
const MAX_KEEPERS: i64 = 1_000;
/// The same of their endpoints, for attempts.
const MAX_ENDPOINTS: i64 = 2_000;

/// As a vector's length is compared with what a statement was allowed to find.
fn is_within(found: usize, most: i64) -> bool {
    i64::try_from(found).is_ok_and(|found| found <= most)
}

/// Attempts by their keys: each message with the attempt at the same place of the other list.
#[derive(Debug)]
pub(super) struct KeptAttempts {
    pub(super) messages: Vec<Uuid>,
    pub(super) attempts: Vec<Uuid>,
}

impl MaintenanceSession {
    /// The applications that keep messages until after `ends_at` plus their own retention, that is: for which a day that
    /// ended then is not over. `None` when they are too many.
    pub(super) async fn keepers(&mut self, ends_at: DateTime<Utc>) -> Result<Option<Vec<Uuid>>, StoreError> {
        let keepers = sqlx::query_scalar!(
            r#"-- partition::keepers
            WITH age AS MATERIALIZED (
                SELECT floor(extract(epoch FROM now() - $1::timestamptz) / 86400)::integer AS days
            )
            (SELECT a.id AS "id!" FROM age CROSS JOIN LATERAL (
                SELECT a.id FROM application a
                WHERE a.retention <> '{}' AND (a.retention ->> 'messageRetentionDays')::integer > age.days
                LIMIT $2
             ) a)
            UNION ALL
            (SELECT a.id FROM age CROSS JOIN LATERAL (
                SELECT e.id FROM environment e
                WHERE e.retention <> '{}' AND (e.retention ->> 'messageRetentionDays')::integer > age.days
             ) e CROSS JOIN LATERAL (
                SELECT a.id FROM application a
                WHERE a.environment_id = e.id AND a.retention ->> 'messageRetentionDays' IS NULL
                LIMIT $2
             ) a
             LIMIT $2)"#,
            ends_at,
            MAX_KEEPERS + 1,
        )
        .fetch_all(&mut self.connection)
        .await?;
        Ok(Some(keepers).filter(|keepers| is_within(keepers.len(), MAX_KEEPERS)))
    }

    /// Messages of these applications from that time, at most one more than `most`.
    pub(super) async fn messages_of(
        &mut self,
        keepers: &[Uuid],
        (from_at, to_at): (DateTime<Utc>, DateTime<Utc>),
        most: i64,
    ) -> Result<Vec<Uuid>, StoreError> {
        if keepers.is_empty() {
            return Ok(Vec::new());
        }
        let found = sqlx::query_scalar!(
            r#"-- partition::messages_of_keepers
            SELECT m.id AS "id!" FROM unnest($1::uuid[]) AS k(id) CROSS JOIN LATERAL (
                SELECT m.id FROM message m
                WHERE m.application_id = k.id AND m.id >= uuid_at($2) AND m.id < uuid_at($3)
                ORDER BY m.id LIMIT $4::bigint + 1
            ) m
            LIMIT $4::bigint + 1"#,
            keepers,
            from_at,
            to_at,
            most,
        )
        .fetch_all(&mut self.connection)
        .await?;
        Ok(found)
    }

    /// Attempts at endpoints of these applications from that time; `None` when they are more than `most`, or larger than
    /// `most_bytes`, or when there are too many endpoints.
    pub(super) async fn attempts_of(
        &mut self,
        keepers: &[Uuid],
        (from_at, to_at): (DateTime<Utc>, DateTime<Utc>),
        most: i64,
        most_bytes: i64,
    ) -> Result<Option<KeptAttempts>, StoreError> {
        let endpoints = sqlx::query_scalar!(
            r#"-- partition::endpoints_of_keepers
            SELECT p.id AS "id!" FROM unnest($1::uuid[]) AS k(id) CROSS JOIN LATERAL (
                SELECT p.id FROM endpoint p WHERE p.application_id = k.id LIMIT $2
            ) p
            LIMIT $2"#,
            keepers,
            MAX_ENDPOINTS + 1,
        )
        .fetch_all(&mut self.connection)
        .await?;
        if !is_within(endpoints.len(), MAX_ENDPOINTS) {
            return Ok(None);
        }
        let found = sqlx::query!(
            r#"-- partition::attempts_of_keepers
            SELECT t.message_id AS "message_id!", t.id AS "id!",
                   coalesce(octet_length(t.response_body), 0)::bigint AS "bytes!"
            FROM unnest($1::uuid[]) AS k(id) CROSS JOIN LATERAL (
                SELECT t.message_id, t.id, t.response_body FROM attempt t
                WHERE t.endpoint_id = k.id AND t.id >= uuid_at($2) AND t.id < uuid_at($3)
                ORDER BY t.id LIMIT $4::bigint + 1
            ) t
            LIMIT $4::bigint + 1"#,
            &endpoints,
            from_at,
            to_at,
            most,
        )
        .fetch_all(&mut self.connection)
        .await?;
        let bytes: i64 = found.iter().map(|row| row.bytes).sum();
        if !is_within(found.len(), most) || bytes > most_bytes {
            return Ok(None);
        }
        let (messages, attempts) = found.into_iter().map(|row| (row.message_id, row.id)).unzip();
        Ok(Some(KeptAttempts { messages, attempts }))
    }
}
