//! What became of the deliveries that a replay put back to work. It is looked up by their keys when somebody asks for the
//! task, so many at a time; what has ended is counted for good, and not looked at again.

use std::collections::HashMap;

use uuid::Uuid;

use crate::domain::id::{EndpointId, TaskId};
use crate::store::StoreError;
use crate::store::database::connection::Connection;

use super::TaskStore;
use super::indexes::stay_with_indexes;

/// So many steps of a task are looked at at a time, five hundred deliveries each at most: those first that were looked at
/// least lately.
const PARTS_AT_A_TIME: i64 = 8;

/// Deliveries that were put back to work: each message with the endpoint at the same place.
#[derive(Debug, Default)]
pub(super) struct Replayed {
    pub(super) messages: Vec<Uuid>,
    pub(super) endpoints: Vec<Uuid>,
}

/// What became of them, as far as it was looked at.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct ReplayOutcomes {
    /// So many were delivered.
    pub delivered: i64,
    /// So many are dead letters again, or have failed and wait to be tried once more.
    pub failed_again: i64,
}

impl Replayed {
    /// Of these messages, all to one endpoint.
    pub(super) fn to(endpoint: EndpointId, messages: Vec<Uuid>) -> Self {
        let endpoints = vec![endpoint.uuid(); messages.len()];
        Self { messages, endpoints }
    }

    /// How many there are.
    pub(super) fn count(&self) -> u64 {
        u64::try_from(self.messages.len()).unwrap_or(u64::MAX)
    }

    /// Keeps them with the task, in the transaction that put them back to work.
    pub(super) async fn keep(&self, tx: &mut Connection, task: Uuid) -> Result<(), StoreError> {
        if self.messages.is_empty() {
            return Ok(());
        }
        sqlx::query!(
            r#"-- replay_part::keep
            INSERT INTO replay_part (task_id, messages, endpoints) VALUES ($1, $2, $3)"#,
            task,
            &self.messages,
            &self.endpoints,
        )
        .execute(tx)
        .await?;
        Ok(())
    }
}

impl TaskStore {
    /// Looks at what a replay put back to work and has not ended, as far as one look goes.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`].
    pub async fn look_at_replayed(&self, task: TaskId) -> Result<(), StoreError> {
        let mut tx = self.pool.begin().await?;
        stay_with_indexes(&mut tx).await?;
        let parts = sqlx::query_scalar!(
            r#"-- replay_part::take
            SELECT number FROM replay_part WHERE task_id = $1 AND messages <> '{}'
            ORDER BY looked_at LIMIT $2 FOR UPDATE SKIP LOCKED"#,
            task.uuid(),
            PARTS_AT_A_TIME,
        )
        .fetch_all(&mut *tx)
        .await?;
        for part in parts {
            sqlx::query!(
                r#"-- replay_part::look
                WITH seen AS MATERIALIZED (
                    SELECT c.message_id, c.endpoint_id, d.state, d.attempts,
                           coalesce(d.state IN ('in_flight', 'waiting', 'held'), false) AS unended
                    FROM replay_part p CROSS JOIN LATERAL unnest(p.messages, p.endpoints) AS c(message_id, endpoint_id)
                    LEFT JOIN LATERAL (
                        SELECT d.state, d.attempts FROM delivery d
                        WHERE d.message_id = c.message_id AND d.endpoint_id = c.endpoint_id OFFSET 0
                    ) d ON true
                    WHERE p.task_id = $1 AND p.number = $2
                ), counted AS (
                    SELECT coalesce(array_agg(message_id) FILTER (WHERE unended), '{}') AS messages,
                           coalesce(array_agg(endpoint_id) FILTER (WHERE unended), '{}') AS endpoints,
                           count(*) FILTER (WHERE state = 'delivered') AS delivered,
                           count(*) FILTER (WHERE state = 'dead') AS died,
                           count(*) FILTER (WHERE unended AND attempts > 0) AS failing
                    FROM seen
                )
                UPDATE replay_part p
                SET messages = c.messages, endpoints = c.endpoints, delivered = p.delivered + c.delivered,
                    died = p.died + c.died, failing = c.failing, looked_at = clock_timestamp()
                FROM counted c WHERE p.task_id = $1 AND p.number = $2"#,
                task.uuid(),
                part,
            )
            .execute(&mut *tx)
            .await?;
        }
        tx.commit().await?;
        Ok(())
    }

    /// What became of what these tasks put back to work, as of the last look.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`].
    pub async fn replay_outcomes(
        &self,
        tasks: &[TaskId],
    ) -> Result<HashMap<TaskId, ReplayOutcomes>, StoreError> {
        let ids: Vec<Uuid> = tasks.iter().map(|id| id.uuid()).collect();
        let rows = sqlx::query!(
            r#"-- replay_part::outcomes
            SELECT task_id, sum(delivered) AS "delivered!", sum(died + failing) AS "failed_again!"
            FROM replay_part WHERE task_id = ANY($1) GROUP BY task_id"#,
            &ids,
        )
        .fetch_all(&self.pool)
        .await?;
        let outcomes = rows.into_iter().map(|row| {
            let outcomes = ReplayOutcomes { delivered: row.delivered, failed_again: row.failed_again };
            (TaskId::from(row.task_id), outcomes)
        });
        Ok(outcomes.collect())
    }
}
