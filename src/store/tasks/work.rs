//! Working on background tasks: taking them up, moving them on a chunk at a time, giving them back. What a chunk
//! does, and how far its task has come by it, are one commit; a task that was called off moves no further.

use serde_json::Value;

use crate::domain::background_task::TaskKind;
use crate::domain::id::TaskId;
use crate::store::StoreError;
use crate::store::database::connection::Connection;

use super::background_task::kind;
use super::chunk::{Chunk, LockedTask};
use super::indexes::stay_with_indexes;
use super::{TaskStore, cancel, endpoint_replay, expunge, oldest_first, replay, usage};

/// How far a chunk brought its background task.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// So many moved, and there may be more.
    Moved(u64),
    /// It waits for something that is not there yet, such as an answer.
    Waits,
    /// Nothing is left to do; the task is finished.
    Finished,
}

impl TaskStore {
    /// Works on the next chunk of a background task that this node owns.
    ///
    /// # Errors
    /// [`StoreError::LeaseLost`] when the task is no longer this node's, or was called off.
    pub async fn advance_task(&self, task: TaskId, epoch: i64, chunk: i64) -> Result<Step, StoreError> {
        let mut tx = self.pool.begin().await?;
        stay_with_indexes(&mut tx).await?;
        let task = lock_task(&mut tx, task, epoch).await?;
        let chunk = match task.kind {
            TaskKind::Replay => oldest_first::advance(&mut tx, &task, chunk).await?,
            TaskKind::Discard => replay::advance(&mut tx, &task, chunk).await?,
            TaskKind::Recover => endpoint_replay::recover(&mut tx, &task, chunk).await?,
            TaskKind::ReplayMissing => endpoint_replay::replay_missing(&mut tx, &task, chunk).await?,
            TaskKind::BulkReplay => endpoint_replay::bulk_replay(&mut tx, &task, chunk).await?,
            TaskKind::CancelWaiting => cancel::advance(&mut tx, &task, chunk).await?,
            TaskKind::PurgeContent => expunge::purge(&mut tx, &task, chunk).await?,
            TaskKind::ApplicationUsage => usage::count_messages(&mut tx, &task, chunk).await?,
            TaskKind::EventTypeUsage => usage::list_event_types(&mut tx, &task).await?,
        };
        if chunk.waits {
            return Ok(Step::Waits);
        }
        task.advance(&mut tx, &chunk).await?;
        tx.commit().await?;
        Ok(if chunk.finished { Step::Finished } else { Step::Moved(chunk.done) })
    }

    /// Takes up a task that no living node works on, and says at which pace it goes.
    pub async fn claim_task(&self, epoch: i64) -> Result<Option<(TaskId, Option<i32>)>, StoreError> {
        let claimed = sqlx::query!(
            r#"-- background_task::claim
            WITH free AS MATERIALIZED (
                SELECT t.id FROM background_task t
                WHERE t.state = 'running'
                  AND (t.owner IS NULL OR NOT EXISTS (SELECT FROM node_fence f WHERE f.epoch = t.owner))
                ORDER BY t.id LIMIT 1 FOR UPDATE SKIP LOCKED
            )
            UPDATE background_task t SET owner = $1 FROM free WHERE t.id = free.id
            RETURNING t.id, t.rate_per_second"#,
            epoch,
        )
        .fetch_optional(&self.pool)
        .await?;
        Ok(claimed.map(|row| (row.id.into(), row.rate_per_second)))
    }

    /// Gives a task back unfinished, for any node to take up.
    pub async fn release_task(&self, id: TaskId, epoch: i64) -> Result<(), StoreError> {
        sqlx::query!(
            r#"-- background_task::release
            UPDATE background_task SET owner = NULL WHERE id = $1 AND owner = $2 AND state = 'running'"#,
            id.uuid(),
            epoch,
        )
        .execute(&self.pool)
        .await?;
        Ok(())
    }

    /// Gives a task up, with a sentence on why.
    pub async fn fail_task(&self, id: TaskId, epoch: i64, error: &str) -> Result<(), StoreError> {
        sqlx::query!(
            r#"-- background_task::fail
            UPDATE background_task SET state = 'failed', error = $3, owner = NULL, updated_at = now()
            WHERE id = $1 AND owner = $2 AND state = 'running'"#,
            id.uuid(),
            epoch,
            error,
        )
        .execute(&self.pool)
        .await?;
        Ok(())
    }
}

/// Locks a task that is still this node's.
async fn lock_task(tx: &mut Connection, id: TaskId, epoch: i64) -> Result<LockedTask, StoreError> {
    let row = sqlx::query!(
        r#"-- background_task::lock
        SELECT id, environment_id, kind, filter, position, place, created_at
        FROM background_task WHERE id = $1 AND owner = $2 AND state = 'running' FOR UPDATE"#,
        id.uuid(),
        epoch,
    )
    .fetch_optional(tx)
    .await?
    .ok_or(StoreError::LeaseLost)?;
    Ok(LockedTask {
        id: row.id,
        environment_id: row.environment_id,
        kind: kind(&row.kind)?,
        filter: row.filter,
        place: row.place,
        position: row.position,
        created_at: row.created_at,
    })
}

impl LockedTask {
    /// Notes what a chunk did.
    async fn advance(&self, tx: &mut Connection, chunk: &Chunk) -> Result<(), StoreError> {
        sqlx::query!(
            r#"-- background_task::advance
            UPDATE background_task
            SET done = done + $2, total = greatest(total, done + $2), position = coalesce($3, position),
                place = coalesce($4, place), updated_at = now(),
                state = CASE WHEN $6::text IS NOT NULL THEN 'failed' WHEN $5 THEN 'finished' ELSE state END,
                error = $6, owner = CASE WHEN NOT $5 THEN owner END
            WHERE id = $1"#,
            self.id,
            chunk.done.cast_signed(),
            chunk.position,
            chunk.place,
            chunk.finished,
            chunk.error,
        )
        .execute(&mut *tx)
        .await?;
        chunk.replayed.keep(&mut *tx, self.id).await?;
        if !chunk.items.is_empty() {
            sqlx::query!(
                r#"-- background_task::note_findings
                INSERT INTO background_task_part (task_id, items) VALUES ($1, $2)"#,
                self.id,
                Value::Array(chunk.items.clone()),
            )
            .execute(tx)
            .await?;
        }
        Ok(())
    }
}
