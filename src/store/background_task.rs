//! Background tasks: long operations with progress. A task belongs to the node that works on it; a task whose
//! node is gone, or gave it back, is taken up by another where it stopped.

use chrono::{DateTime, Utc};
use serde_json::json;
use sqlx::PgConnection;
use sqlx::types::Json;
use uuid::Uuid;

use crate::domain::actor::Actor;
use crate::domain::background_task::{Progress, TaskKind, TaskState};
use crate::domain::dead_letter::DeadLetterFilter;
use crate::domain::id::{ApplicationId, EnvironmentId, TaskId};
use crate::domain::page::Scan;

use super::audit::{Entry, note};
use super::{Span, Store, StoreError};

/// What a task is to do.
#[derive(Debug, Clone)]
pub struct NewTask {
    /// In which environment.
    pub environment_id: EnvironmentId,
    /// The tenant who asked; `None` when the environment did.
    pub application_id: Option<ApplicationId>,
    /// What to do.
    pub kind: TaskKind,
    /// To which dead letters.
    pub filter: DeadLetterFilter,
    /// At which pace; `None` for as fast as it goes.
    pub rate_per_second: Option<i32>,
}

/// A task as it is shown.
#[derive(Debug, Clone)]
pub struct BackgroundTask {
    /// Its id.
    pub id: TaskId,
    /// What it does.
    pub kind: TaskKind,
    /// Where it stands.
    pub state: TaskState,
    /// To which dead letters.
    pub filter: DeadLetterFilter,
    /// At which pace.
    pub rate_per_second: Option<i32>,
    /// How far it has come.
    pub progress: Progress,
    /// Why it was given up.
    pub error: Option<String>,
    /// When it was asked for.
    pub created_at: DateTime<Utc>,
    /// When it last made progress.
    pub updated_at: DateTime<Utc>,
}

struct Row {
    id: Uuid,
    kind: String,
    state: String,
    filter: Json<DeadLetterFilter>,
    rate_per_second: Option<i32>,
    total: i64,
    done: i64,
    error: Option<String>,
    created_at: DateTime<Utc>,
    updated_at: DateTime<Utc>,
}

fn kind(name: &str) -> Result<TaskKind, StoreError> {
    TaskKind::from_name(name)
        .ok_or_else(|| StoreError::Inconsistent(format!("a background task of kind {name}")))
}

fn state(name: &str) -> Result<TaskState, StoreError> {
    TaskState::from_name(name)
        .ok_or_else(|| StoreError::Inconsistent(format!("a background task in state {name}")))
}

impl TryFrom<Row> for BackgroundTask {
    type Error = StoreError;

    fn try_from(row: Row) -> Result<Self, StoreError> {
        Ok(Self {
            id: row.id.into(),
            kind: kind(&row.kind)?,
            state: state(&row.state)?,
            filter: row.filter.0,
            rate_per_second: row.rate_per_second,
            progress: Progress { done: row.done, total: row.total },
            error: row.error,
            created_at: row.created_at,
            updated_at: row.updated_at,
        })
    }
}

impl Store {
    /// Creates a task; the next free node takes it up. Dead letters that die later are not its business.
    pub async fn create_task(&self, actor: &Actor, new: &NewTask) -> Result<BackgroundTask, StoreError> {
        let mut tx = self.api.begin().await?;
        let total =
            super::dead_letter_read::count(&mut tx, &new.environment_id, new.kind, &new.filter).await?;
        let row = sqlx::query_as!(
            Row,
            r#"-- background_task::create
            INSERT INTO background_task (id, environment_id, application_id, kind, filter, rate_per_second, total)
            VALUES ($1, $2, $3, $4, $5, $6, $7)
            RETURNING id, kind, state, filter AS "filter: Json<DeadLetterFilter>", rate_per_second, total, done,
                      error, created_at, updated_at"#,
            TaskId::generate().uuid(),
            new.environment_id.as_str(),
            new.application_id.map(ApplicationId::uuid),
            new.kind.name(),
            Json(&new.filter) as _,
            new.rate_per_second,
            total,
        )
        .fetch_one(&mut *tx)
        .await?;
        let task = TaskId::from(row.id);
        let entry = Entry::of(Some(&new.environment_id), new.application_id, "background_task.created", task);
        let details = json!({ "kind": new.kind.name(), "filter": new.filter, "total": total });
        note(&mut tx, actor, entry.details(details)).await?;
        tx.commit().await?;
        row.try_into()
    }

    /// One task; with `application`, only when that tenant asked for it.
    pub async fn task(
        &self,
        environment: &EnvironmentId,
        application: Option<ApplicationId>,
        id: TaskId,
    ) -> Result<Option<BackgroundTask>, StoreError> {
        sqlx::query_as!(
            Row,
            r#"-- background_task::get
            SELECT id, kind, state, filter AS "filter: Json<DeadLetterFilter>", rate_per_second, total, done,
                   error, created_at, updated_at
            FROM background_task
            WHERE id = $1 AND environment_id = $2 AND ($3::uuid IS NULL OR application_id = $3)"#,
            id.uuid(),
            environment.as_str(),
            application.map(ApplicationId::uuid),
        )
        .fetch_optional(&self.api)
        .await?
        .map(TryInto::try_into)
        .transpose()
    }

    /// Tasks by id; with `application`, only those that this tenant asked for.
    pub async fn tasks(
        &self,
        environment: &EnvironmentId,
        application: Option<ApplicationId>,
        state: Option<TaskState>,
        scan: &Scan<TaskId>,
    ) -> Result<Vec<BackgroundTask>, StoreError> {
        let span = Span::of(scan);
        sqlx::query_as!(
            Row,
            r#"-- background_task::list
            SELECT id, kind, state, filter AS "filter: Json<DeadLetterFilter>", rate_per_second, total, done,
                   error, created_at, updated_at
            FROM background_task
            WHERE environment_id = $1 AND ($2::uuid IS NULL OR application_id = $2)
              AND ($3::text IS NULL OR state = $3)
              AND id > $4 AND id < $5
            ORDER BY CASE WHEN $6 THEN id END, CASE WHEN NOT $6 THEN id END DESC
            LIMIT $7"#,
            environment.as_str(),
            application.map(ApplicationId::uuid),
            state.map(TaskState::name),
            span.above,
            span.below,
            span.ascending,
            span.limit,
        )
        .fetch_all(&self.api)
        .await?
        .into_iter()
        .map(TryInto::try_into)
        .collect()
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
        .fetch_optional(&self.queue)
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
        .execute(&self.queue)
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
        .execute(&self.queue)
        .await?;
        Ok(())
    }
}

/// A task that is locked to the end of the transaction.
pub(super) struct LockedTask {
    id: Uuid,
    pub(super) environment_id: String,
    pub(super) kind: TaskKind,
    pub(super) filter: DeadLetterFilter,
    pub(super) position: Option<Uuid>,
    pub(super) created_at: DateTime<Utc>,
}

/// Locks a task that is still this node's.
pub(super) async fn lock_task(
    tx: &mut PgConnection,
    id: TaskId,
    epoch: i64,
) -> Result<LockedTask, StoreError> {
    let row = sqlx::query!(
        r#"-- background_task::lock
        SELECT id, environment_id, kind, filter AS "filter: Json<DeadLetterFilter>", position, created_at
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
        filter: row.filter.0,
        position: row.position,
        created_at: row.created_at,
    })
}

impl LockedTask {
    /// Notes that `moved` dead letters moved and that everything up to `position` is dealt with.
    pub(super) async fn advance(
        &self,
        tx: &mut PgConnection,
        moved: u64,
        position: Uuid,
    ) -> Result<(), StoreError> {
        sqlx::query!(
            r#"-- background_task::advance
            UPDATE background_task
            SET done = done + $2, total = greatest(total, done + $2), position = $3, updated_at = now()
            WHERE id = $1"#,
            self.id,
            moved.cast_signed(),
            position,
        )
        .execute(tx)
        .await?;
        Ok(())
    }

    /// Notes that nothing is left to do.
    pub(super) async fn finish(&self, tx: &mut PgConnection) -> Result<(), StoreError> {
        sqlx::query!(
            r#"-- background_task::finish
            UPDATE background_task SET state = 'finished', owner = NULL, updated_at = now() WHERE id = $1"#,
            self.id,
        )
        .execute(tx)
        .await?;
        Ok(())
    }
}
