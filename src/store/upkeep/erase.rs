//! Erasing what a deleted application leaves behind: the content of its messages, what its receivers answered, its dead
//! letters, its secrets. What is left is that there were messages, and what became of them, as long as retention keeps
//! it: usage is counted by that.
//!
//! It goes in chunks, each a transaction of its own, and is done for good only some time after the deletion, because a
//! message that was being written at that very moment comes late.

use uuid::Uuid;

use crate::store::StoreError;

use super::UpkeepStore;

impl UpkeepStore {
    /// Erases the next chunk of what deleted applications left. Returns how many rows it went through; call again
    /// while it is any.
    pub async fn erase_deleted(&self, chunk: i64) -> Result<u64, StoreError> {
        let applications = sqlx::query_scalar!(
            r#"-- erase::applications
            SELECT a.id FROM application a
            WHERE a.deleted_at IS NOT NULL AND a.erased_at IS NULL
              -- What a task erases, it counts.
              AND NOT EXISTS (SELECT FROM background_task t WHERE t.environment_id = a.environment_id
                              AND t.state = 'running' AND t.kind = 'application.erase')
            ORDER BY a.id LIMIT $1"#,
            chunk,
        )
        .fetch_all(&self.pool)
        .await?;
        let mut erased = 0;
        for application in applications {
            erased += self.erase_messages(application, chunk).await?;
            erased += self.erase_dead_letters(application, chunk).await?;
            if erased > 0 {
                return Ok(erased);
            }
            self.erase_configuration(application).await?;
        }
        Ok(erased)
    }

    /// What waits is cancelled. What a node has in its memory at that moment may still go out.
    async fn erase_messages(&self, application: Uuid, chunk: i64) -> Result<u64, StoreError> {
        let erased = sqlx::query_scalar!(
            r#"-- erase::messages
            WITH chosen AS MATERIALIZED (
                SELECT m.id, m.event_id FROM message m
                WHERE m.application_id = $1
                  AND (m.payload IS NOT NULL OR m.event_id IS NOT NULL OR m.channels IS NOT NULL OR m.tags IS NOT NULL)
                ORDER BY m.id LIMIT $2
            ), waiting AS MATERIALIZED (
                SELECT p.message_id, p.endpoint_id FROM chosen c
                CROSS JOIN LATERAL (
                    SELECT p.message_id, p.endpoint_id FROM pending p WHERE p.message_id = c.id FOR UPDATE
                ) p
            ), cancelled AS (
                UPDATE delivery d SET state = 'cancelled', settled_at = now() FROM waiting w
                WHERE d.message_id = w.message_id AND d.endpoint_id = w.endpoint_id AND d.state IN ('waiting', 'held')
            ), out_of_queue AS (
                DELETE FROM pending p USING waiting w
                WHERE p.message_id = w.message_id AND p.endpoint_id = w.endpoint_id
            ), answers AS (
                UPDATE attempt a SET response_body = NULL, response_headers = NULL, url = '' FROM chosen c
                WHERE a.message_id = c.id
            ), names AS (
                DELETE FROM message_event_id e USING chosen c
                WHERE e.application_id = $1 AND e.event_id = c.event_id
            ), contents AS (
                UPDATE message m SET payload = NULL, headers = NULL, event_id = NULL, channels = NULL, tags = NULL
                FROM chosen c
                WHERE m.id = c.id
            )
            SELECT count(*) AS "count!" FROM chosen"#,
            application,
            chunk,
        )
        .fetch_one(&self.pool)
        .await?;
        Ok(erased.unsigned_abs())
    }

    async fn erase_dead_letters(&self, application: Uuid, chunk: i64) -> Result<u64, StoreError> {
        let erased = sqlx::query!(
            r#"-- erase::dead_letters
            WITH chosen AS MATERIALIZED (
                SELECT id FROM dead_letter WHERE application_id = $1 ORDER BY id LIMIT $2
            )
            DELETE FROM dead_letter l USING chosen c WHERE l.id = c.id"#,
            application,
            chunk,
        )
        .execute(&self.pool)
        .await?;
        Ok(erased.rows_affected())
    }

    async fn erase_configuration(&self, application: Uuid) -> Result<(), StoreError> {
        sqlx::query!(
            r#"-- erase::configuration
            WITH done AS MATERIALIZED (
                UPDATE application SET erased_at = now(), metadata = '{}'
                WHERE id = $1 AND deleted_at < now() - interval '5 minutes'
                RETURNING id
            ), endpoints AS (
                UPDATE endpoint e SET headers_sealed = NULL, url_credentials_sealed = NULL, metadata = '{}', description = '' FROM done
                WHERE e.application_id = done.id
            )
            DELETE FROM endpoint_secret s USING endpoint e, done
            WHERE s.endpoint_id = e.id AND e.application_id = done.id"#,
            application,
        )
        .execute(&self.pool)
        .await?;
        Ok(())
    }
}
