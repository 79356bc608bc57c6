//! Which node alone sends to a lane whose limits hold for all nodes together.
//!
//! A home is taken by a node with a fresh heartbeat, and is that node's until it gives it up, leaves, or has written no
//! heartbeat for [`HOME_KEPT_FOR`]. A node that has not heard its own heartbeat for `NOTICES_VALID_FOR` sends nothing, so by
//! then it has stopped. One that comes back hears that its home was freed before it hears its own heartbeat, because
//! freeing locks the row that a heartbeat writes and notices come in the order of commits.

use std::collections::HashMap;
use std::time::Duration;

use uuid::Uuid;

use crate::store::StoreError;
use crate::store::database::interval::interval;

use super::QueueStore;

/// A node whose last heartbeat is older takes no home.
const FRESH_HEARTBEAT: Duration = Duration::from_secs(3);
/// A node whose last heartbeat is older than this has lost its homes. It is longer than [`FRESH_HEARTBEAT`] and the time for
/// which a node sends without having heard its own heartbeat, together.
const HOME_KEPT_FOR: Duration = Duration::from_secs(8);

impl QueueStore {
    /// Takes those of these homes that nobody has. Returns for each whose home is known whether it is this node's.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`].
    pub async fn take_homes(&self, epoch: i64, subjects: &[Uuid]) -> Result<HashMap<Uuid, bool>, StoreError> {
        sqlx::query!(
            r#"-- lane_home::take
            INSERT INTO lane_home (subject, epoch)
            SELECT a.subject, $1 FROM unnest($2::uuid[]) AS a(subject)
            WHERE EXISTS (SELECT FROM node n WHERE n.epoch = $1 AND n.beat_at > now() - $3::interval)
            ORDER BY a.subject
            ON CONFLICT (subject) DO NOTHING"#,
            epoch,
            subjects,
            interval(FRESH_HEARTBEAT),
        )
        .execute(&self.claims)
        .await?;
        let rows = sqlx::query!(
            r#"-- lane_home::list
            SELECT h.subject, h.epoch = $1 AS "is_here!" FROM lane_home h
            WHERE h.subject = ANY ($2)
              AND (h.epoch <> $1
                   OR EXISTS (SELECT FROM node n WHERE n.epoch = $1 AND n.beat_at > now() - $3::interval))"#,
            epoch,
            subjects,
            interval(FRESH_HEARTBEAT),
        )
        .fetch_all(&self.claims)
        .await?;
        Ok(rows.into_iter().map(|row| (row.subject, row.is_here)).collect())
    }

    /// Gives up homes of this node that it does not need any more.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`].
    pub async fn release_homes(&self, epoch: i64, subjects: &[Uuid]) -> Result<(), StoreError> {
        sqlx::query!(
            r#"-- lane_home::release
            WITH freed AS (DELETE FROM lane_home WHERE subject = ANY ($2) AND epoch = $1 RETURNING subject)
            SELECT pg_notify('postrider_pace' || current_setting('postrider.cell'), CASE
                WHEN count(*) > 200 THEN 'freed' ELSE 'freed ' || string_agg(subject::text, ',') END) AS told
            FROM freed HAVING count(*) > 0"#,
            epoch,
            subjects,
        )
        .fetch_optional(&self.claims)
        .await?;
        Ok(())
    }

    /// Frees the homes of nodes that have written no heartbeat for too long, and of those that are not known at all: one that
    /// was taken while its node was forgotten, or that came with a restored database.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`].
    pub async fn free_homes_of_silent_nodes(&self) -> Result<(), StoreError> {
        sqlx::query!(
            r#"-- lane_home::free_silent
            WITH RECURSIVE silent AS MATERIALIZED (
                SELECT epoch FROM node WHERE beat_at < now() - $1::interval FOR UPDATE SKIP LOCKED
            ), holder AS (
                -- From one epoch to the next along the index.
                (SELECT h.epoch FROM lane_home h WHERE h.epoch > -1 ORDER BY h.epoch LIMIT 1)
                UNION ALL
                SELECT next.epoch FROM holder o CROSS JOIN LATERAL (
                    SELECT h.epoch FROM lane_home h WHERE h.epoch > o.epoch ORDER BY h.epoch LIMIT 1
                ) next
            ), unknown AS MATERIALIZED (
                SELECT o.epoch FROM holder o WHERE (SELECT true FROM node n WHERE n.epoch = o.epoch) IS NULL
            ), freed AS (
                DELETE FROM lane_home
                WHERE epoch = ANY (ARRAY(SELECT epoch FROM silent UNION ALL SELECT epoch FROM unknown)) RETURNING subject
            )
            SELECT pg_notify('postrider_pace' || current_setting('postrider.cell'), CASE
                WHEN count(*) > 200 THEN 'freed' ELSE 'freed ' || string_agg(subject::text, ',') END) AS told
            FROM freed HAVING count(*) > 0"#,
            interval(HOME_KEPT_FOR),
        )
        .fetch_optional(&self.claims)
        .await?;
        Ok(())
    }

    /// Frees the homes of a node that is gone.
    pub(super) async fn free_homes(&self, epoch: i64) -> Result<(), StoreError> {
        sqlx::query!(
            r#"-- lane_home::free
            WITH freed AS (DELETE FROM lane_home WHERE epoch = $1 RETURNING subject)
            SELECT pg_notify('postrider_pace' || current_setting('postrider.cell'), CASE
                WHEN count(*) > 200 THEN 'freed' ELSE 'freed ' || string_agg(subject::text, ',') END) AS told
            FROM freed HAVING count(*) > 0"#,
            epoch,
        )
        .fetch_optional(&self.claims)
        .await?;
        Ok(())
    }
}
