//! Background tasks: long operations with progress. A task belongs to the node that works on it; a task whose
//! node is gone, or gave it back, is taken up by another where it stopped.

use chrono::{DateTime, Utc};
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::domain::access::actor::Actor;
use crate::domain::background_task::{Progress, TaskKind, TaskState};
use crate::domain::id::{ApplicationId, EnvironmentId, TaskId};
use crate::domain::page::Scan;
use crate::store::access::audit::{Entry, note};
use crate::store::{Span, StoreError};

use super::TaskStore;
use super::chunk::order;

/// What a task is to do.
#[derive(Debug, Clone)]
pub struct NewTask {
    /// In which environment.
    pub environment_id: EnvironmentId,
    /// The tenant who asked; `None` when the environment did.
    pub application_id: Option<ApplicationId>,
    /// What to do.
    pub kind: TaskKind,
    /// To what, in the words of its kind.
    pub filter: Value,
    /// At which pace; `None` for as fast as it goes.
    pub rate_per_second: Option<i32>,
    /// How much there is to do, as far as that is known.
    pub total: i64,
    /// Why, in the words of the one who asked.
    pub note: Option<String>,
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
    /// To what, in the words of its kind.
    pub filter: Value,
    /// At which pace.
    pub rate_per_second: Option<i32>,
    /// How far it has come.
    pub progress: Progress,
    /// Why it was given up.
    pub error: Option<String>,
    /// What the one who asked for it noted.
    pub note: Option<String>,
    /// When it was asked for.
    pub created_at: DateTime<Utc>,
    /// When it last made progress.
    pub updated_at: DateTime<Utc>,
}

impl BackgroundTask {
    /// What was asked for, in the words of its kind.
    ///
    /// # Errors
    /// [`StoreError::Inconsistent`] when it cannot be read.
    pub fn order<T: DeserializeOwned>(&self) -> Result<T, StoreError> {
        order(&self.filter)
    }
}

/// Which tasks are meant.
#[derive(Debug, Clone, Default)]
pub struct TaskFilter {
    /// In one of these states.
    pub states: Option<Vec<TaskState>>,
    /// Of one of these kinds.
    pub kinds: Option<Vec<TaskKind>>,
}

struct Row {
    id: Uuid,
    kind: String,
    state: String,
    filter: Value,
    rate_per_second: Option<i32>,
    total: i64,
    done: i64,
    error: Option<String>,
    note: Option<String>,
    created_at: DateTime<Utc>,
    updated_at: DateTime<Utc>,
}

pub(super) fn kind(name: &str) -> Result<TaskKind, StoreError> {
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
            filter: row.filter,
            rate_per_second: row.rate_per_second,
            progress: Progress { done: row.done, total: row.total },
            error: row.error,
            note: row.note,
            created_at: row.created_at,
            updated_at: row.updated_at,
        })
    }
}

/// Background tasks.
macro_rules! select_tasks {
    ($name:literal, $condition:literal, $($arguments:tt)*) => {
        sqlx::query_as!(
            Row,
            $name + "
            SELECT id, kind, state, filter, rate_per_second, total, done, error, note, created_at, updated_at
            FROM background_task
            " + $condition,
            $($arguments)*
        )
    };
}

impl TaskStore {
    /// Creates a task; the next free node takes it up. What comes to be later is not its business.
    pub async fn create_task(&self, actor: &Actor, new: &NewTask) -> Result<BackgroundTask, StoreError> {
        self.create_task_told(actor, new, new.filter.clone()).await
    }

    /// The same; `told` is what the audit log has of it.
    pub(super) async fn create_task_told(
        &self,
        actor: &Actor,
        new: &NewTask,
        told: Value,
    ) -> Result<BackgroundTask, StoreError> {
        let mut tx = self.pool.begin().await?;
        let row = sqlx::query_as!(
            Row,
            r#"-- background_task::create
            INSERT INTO background_task (id, environment_id, application_id, kind, filter, rate_per_second, total, note)
            VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
            RETURNING id, kind, state, filter, rate_per_second, total, done,
                      error, note, created_at, updated_at"#,
            TaskId::generate().uuid(),
            new.environment_id.as_str(),
            new.application_id.map(ApplicationId::uuid),
            new.kind.name(),
            new.filter,
            new.rate_per_second,
            new.total,
            new.note,
        )
        .fetch_one(&mut *tx)
        .await?;
        let task = TaskId::from(row.id);
        let entry = Entry::of(Some(&new.environment_id), new.application_id, "background_task.created", task);
        let mut details = json!({ "kind": new.kind.name(), "filter": told, "total": new.total });
        if let (Some(details), Some(note)) = (details.as_object_mut(), &new.note) {
            details.insert("note".to_owned(), json!(note));
        }
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
        select_tasks!(
            "-- background_task::get",
            r#"WHERE id = $1 AND environment_id = $2 AND ($3::uuid IS NULL OR application_id = $3)"#,
            id.uuid(),
            environment.as_str(),
            application.map(ApplicationId::uuid),
        )
        .fetch_optional(&self.pool)
        .await?
        .map(TryInto::try_into)
        .transpose()
    }

    /// Tasks by id; with `application`, only those that this tenant asked for.
    pub async fn tasks(
        &self,
        environment: &EnvironmentId,
        application: Option<ApplicationId>,
        filter: &TaskFilter,
        scan: &Scan<TaskId>,
    ) -> Result<Vec<BackgroundTask>, StoreError> {
        let span = Span::of(scan);
        let states: Option<Vec<String>> =
            filter.states.as_ref().map(|states| states.iter().map(|one| one.name().to_owned()).collect());
        let kinds: Option<Vec<String>> =
            filter.kinds.as_ref().map(|kinds| kinds.iter().map(|one| one.name().to_owned()).collect());
        select_tasks!(
            "-- background_task::list",
            r#"WHERE environment_id = $1 AND ($2::uuid IS NULL OR application_id = $2)
              AND ($3::text[] IS NULL OR state = ANY($3))
              AND ($4::text[] IS NULL OR kind = ANY($4))
              AND id > $5 AND id < $6
            ORDER BY CASE WHEN $7 THEN id END, CASE WHEN NOT $7 THEN id END DESC
            LIMIT $8"#,
            environment.as_str(),
            application.map(ApplicationId::uuid),
            states.as_deref(),
            kinds.as_deref(),
            span.above,
            span.below,
            span.ascending,
            span.limit,
        )
        .fetch_all(&self.pool)
        .await?
        .into_iter()
        .map(TryInto::try_into)
        .collect()
    }

    /// What a task has found out so far, in the order in which it did.
    pub async fn task_findings(&self, id: TaskId) -> Result<Vec<Value>, StoreError> {
        let parts = sqlx::query_scalar!(
            r#"-- background_task::findings
            SELECT items FROM background_task_part WHERE task_id = $1 ORDER BY number"#,
            id.uuid(),
        )
        .fetch_all(&self.pool)
        .await?;
        let items = parts.into_iter().flat_map(|part| match part {
            Value::Array(items) => items,
            single => vec![single],
        });
        Ok(items.collect())
    }

    /// Calls a task off, if it is still under way; what it has done stays done. `None` when there is no such task;
    /// with `application`, only one that this tenant asked for.
    pub async fn cancel_task(
        &self,
        actor: &Actor,
        environment: &EnvironmentId,
        application: Option<ApplicationId>,
        id: TaskId,
    ) -> Result<Option<BackgroundTask>, StoreError> {
        let mut tx = self.pool.begin().await?;
        let cancelled = sqlx::query!(
            r#"-- background_task::cancel
            UPDATE background_task SET state = 'cancelled', owner = NULL, updated_at = now(),
                   filter = CASE WHEN kind = 'tag.erase' THEN filter - 'tag' ELSE filter END
            WHERE id = $1 AND environment_id = $2 AND ($3::uuid IS NULL OR application_id = $3)
              AND state = 'running'"#,
            id.uuid(),
            environment.as_str(),
            application.map(ApplicationId::uuid),
        )
        .execute(&mut *tx)
        .await?;
        if cancelled.rows_affected() > 0 {
            let entry = Entry::of(Some(environment), application, "background_task.cancelled", id);
            note(&mut tx, actor, entry).await?;
        }
        tx.commit().await?;
        self.task(environment, application, id).await
    }
}
