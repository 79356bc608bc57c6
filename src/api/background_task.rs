//! Background tasks: long operations with their progress.

use axum::Json;
use axum::extract::State;
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::domain::background_task::{TaskKind, TaskState};
use crate::domain::dead_letter::DeadLetterFilter;
use crate::domain::id::TaskId;
use crate::store::BackgroundTask;

use super::auth::Caller;
use super::docs::Errors;
use super::error::ApiError;
use super::extract::{ApiPath, ApiQuery};
use super::page::{ListOut, Ordering, PageQuery};
use super::state::SharedState;

/// A background task.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct BackgroundTaskOut {
    /// Its id.
    #[schema(value_type = String, example = "qtask_01h455vb4pex5vsknk084sn02q")]
    pub id: TaskId,
    /// `running`, `finished` or `failed`.
    #[schema(example = "running")]
    pub status: &'static str,
    /// What it does: `dead_letter.replay` or `dead_letter.discard`.
    #[schema(example = "dead_letter.replay")]
    pub kind: &'static str,
    /// The same in the nearest word that existing client libraries know.
    #[schema(example = "endpoint.bulk-replay")]
    pub task: &'static str,
    /// How far it has come.
    pub progress: ProgressOut,
    /// What was asked for.
    pub data: TaskDataOut,
    /// When it was asked for.
    pub created_at: DateTime<Utc>,
    /// When it last made progress.
    pub updated_at: DateTime<Utc>,
}

/// How far a task has come.
#[derive(Debug, Clone, Copy, Serialize, ToSchema)]
pub struct ProgressOut {
    /// Dead letters that were moved.
    pub done: i64,
    /// Dead letters that matched when it was asked for. Some may be dealt with by others before their turn comes.
    pub total: i64,
}

/// What a task was asked to do.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct TaskDataOut {
    /// Which dead letters.
    #[schema(value_type = Object)]
    pub filter: DeadLetterFilter,
    /// At most this many a second.
    pub rate_per_second: Option<i32>,
    /// Why it failed.
    pub error: Option<String>,
}

impl From<BackgroundTask> for BackgroundTaskOut {
    fn from(task: BackgroundTask) -> Self {
        Self {
            id: task.id,
            status: task.state.name(),
            kind: task.kind.name(),
            task: match task.kind {
                TaskKind::Replay => "endpoint.bulk-replay",
                TaskKind::Discard => "application.purge_content",
            },
            progress: ProgressOut { done: task.progress.done, total: task.progress.total },
            data: TaskDataOut {
                filter: task.filter,
                rate_per_second: task.rate_per_second,
                error: task.error,
            },
            created_at: task.created_at,
            updated_at: task.updated_at,
        }
    }
}

/// The status of a task.
#[derive(Debug, Clone, Copy, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
enum Status {
    Running,
    Finished,
    Failed,
}

/// Which tasks to list.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct ListQuery {
    /// Only those in this state.
    #[param(inline)]
    status: Option<Status>,
}

impl From<Status> for TaskState {
    fn from(status: Status) -> Self {
        match status {
            Status::Running => Self::Running,
            Status::Finished => Self::Finished,
            Status::Failed => Self::Failed,
        }
    }
}

/// List background tasks. A tenant sees those that it asked for.
#[utoipa::path(
    get, path = "/api/v1/background-task", operation_id = "v1.background-task.list", tag = "background task",
    params(PageQuery, ListQuery),
    responses((status = 200, description = "A page of them, newest first.", body = ListOut<BackgroundTaskOut>), Errors)
)]
async fn list(
    State(state): State<SharedState>,
    caller: Caller,
    ApiQuery(page): ApiQuery<PageQuery>,
    ApiQuery(query): ApiQuery<ListQuery>,
) -> Result<Json<ListOut<BackgroundTaskOut>>, ApiError> {
    let page = page.request::<TaskId>(Ordering::Descending)?;
    let status = query.status.map(Into::into);
    let rows = state.store.tasks(caller.environment()?, caller.own_application(), status, &page.scan).await?;
    Ok(Json(page.answer(rows, |task| task.id.to_string(), Into::into)))
}

/// Get a background task with its progress.
#[utoipa::path(
    get, path = "/api/v1/background-task/{task_id}", operation_id = "v1.background-task.get",
    tag = "background task",
    params(("task_id" = String, Path, description = "The task's id.")),
    responses((status = 200, description = "The task.", body = BackgroundTaskOut), Errors)
)]
async fn get(
    State(state): State<SharedState>,
    caller: Caller,
    ApiPath(task_id): ApiPath<String>,
) -> Result<Json<BackgroundTaskOut>, ApiError> {
    let id: TaskId = task_id.parse().map_err(|_| ApiError::NotFound)?;
    let found = state.store.task(caller.environment()?, caller.own_application(), id).await?;
    Ok(Json(found.ok_or(ApiError::NotFound)?.into()))
}

/// The routes of this resource.
pub fn routes() -> OpenApiRouter<SharedState> {
    OpenApiRouter::new().routes(routes!(list)).routes(routes!(get))
}
