//! Background tasks: long operations with their progress.

use axum::Json;
use axum::extract::State;
use chrono::{DateTime, Utc};
use http::StatusCode;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::api::conventions::extract::ApiQuery;
use crate::api::conventions::page::{ListOut, Ordering, PageQuery};
use crate::api::conventions::path::{PathObject, PathParameter, PathValues, path_extractors};
use crate::api::credential::Caller;
use crate::api::error::ApiError;
use crate::api::state::{ApiState, SharedState};
use crate::domain::background_task::{TaskKind, TaskState};
use crate::domain::id::TaskId;
use crate::store::{BackgroundTask, Change, NewTask, TaskFilter};

/// A background task.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct BackgroundTaskOut {
    /// Its id.
    #[schema(value_type = String, example = "qtask_01h455vb4pex5vsknk084sn02q")]
    pub id: TaskId,
    /// `running`, `finished` or `failed`. One that was called off has failed, in the words that client libraries
    /// know; `canceled` tells.
    #[schema(example = "running")]
    pub status: &'static str,
    /// Whether it was called off.
    pub canceled: bool,
    /// What it does: `dead_letter.replay`, `dead_letter.discard`, `endpoint.recover`, `endpoint.replay_missing`,
    /// `endpoint.bulk_replay`, `endpoint.cancel_waiting`, `application.purge_content`, `application.usage` or `event_type.usage`.
    #[schema(example = "dead_letter.replay")]
    pub kind: &'static str,
    /// The same in the nearest word that existing client libraries know.
    #[schema(example = "endpoint.bulk-replay")]
    pub task: &'static str,
    /// How far it has come.
    pub progress: ProgressOut,
    /// What was asked for.
    pub data: TaskDataOut,
    /// Who asked for it: the name of a key or a person, or what the audit log has.
    #[schema(required)]
    pub created_by: Option<String>,
    /// What they noted.
    #[schema(required)]
    pub note: Option<String>,
    /// When it was asked for.
    pub created_at: DateTime<Utc>,
    /// When it last made progress.
    pub updated_at: DateTime<Utc>,
}

/// How far a task has come.
#[derive(Debug, Clone, Copy, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct ProgressOut {
    /// What it has moved, emptied or listed.
    pub done: i64,
    /// How much matched when it was asked for, as far as that was known; never less than `done`. Some may be dealt
    /// with by others before their turn comes.
    pub total: i64,
    /// Of a replay: so many of them were delivered since; `null` for other tasks.
    #[schema(required)]
    pub delivered: Option<i64>,
    /// Of a replay: so many of them are dead letters again, or have failed and wait to be tried once more. Both are looked up
    /// when the task is asked for, 4,000 deliveries at a time; the list has them as of the last look.
    #[schema(required)]
    pub failed_again: Option<i64>,
}

/// What a task was asked to do, and what came of it.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct TaskDataOut {
    /// To what it was to be done, in the words of its kind.
    #[schema(value_type = Object)]
    pub filter: Value,
    /// At most this many a second.
    pub rate_per_second: Option<i32>,
    /// Why it failed.
    pub error: Option<String>,
    /// Of the replays to an endpoint: so many messages went back to work.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub messages_sent: Option<i64>,
    /// Of `application.purge_content`: so many payloads were taken away.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub messages_purged: Option<i64>,
    /// Of `application.usage`, only where one task is shown: what each application posted.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Vec<Object>>)]
    pub app_stats: Option<Vec<Value>>,
    /// Of `event_type.usage`, only where one task is shown: what each application asks for.
    #[serde(rename = "event_types", skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Vec<Object>>)]
    pub event_types: Option<Vec<Value>>,
}

const CANCELLED: &str = "It was called off.";

const fn shown(state: TaskState) -> &'static str {
    match state {
        TaskState::Running => "running",
        TaskState::Finished => "finished",
        TaskState::Failed | TaskState::Cancelled => "failed",
    }
}

impl From<BackgroundTask> for BackgroundTaskOut {
    fn from(task: BackgroundTask) -> Self {
        let canceled = task.state == TaskState::Cancelled;
        let replays = matches!(task.kind, TaskKind::Recover | TaskKind::ReplayMissing | TaskKind::BulkReplay);
        let purges = task.kind == TaskKind::PurgeContent;
        Self {
            id: task.id,
            status: shown(task.state),
            canceled,
            kind: task.kind.name(),
            task: task.kind.client_name(),
            progress: ProgressOut {
                done: task.progress.done,
                total: task.progress.total,
                delivered: task.kind.replays().then_some(0),
                failed_again: task.kind.replays().then_some(0),
            },
            data: TaskDataOut {
                filter: task.filter,
                rate_per_second: task.rate_per_second,
                error: task.error.or_else(|| canceled.then(|| CANCELLED.to_owned())),
                messages_sent: replays.then_some(task.progress.done),
                messages_purged: purges.then_some(task.progress.done),
                app_stats: None,
                event_types: None,
            },
            created_by: None,
            note: task.note,
            created_at: task.created_at,
            updated_at: task.updated_at,
        }
    }
}

/// Starts a task; this node takes it up at once, if it may.
pub(in crate::api) async fn start_task(
    state: &SharedState,
    caller: &Caller,
    new: &NewTask,
) -> Result<(StatusCode, Json<BackgroundTaskOut>), ApiError> {
    let task = state.tasks.create_task(caller.actor(), new).await?;
    state.replay.wake();
    let mut out = [BackgroundTaskOut::from(task)];
    name_creators(state, &mut out).await?;
    let [out] = out;
    Ok((StatusCode::ACCEPTED, Json(out)))
}

/// Says of each task who asked for it.
async fn name_creators(state: &SharedState, tasks: &mut [BackgroundTaskOut]) -> Result<(), ApiError> {
    let creation = |task: &BackgroundTaskOut| (task.id.to_string(), task.created_at);
    let creations: Vec<Change> = tasks.iter().map(creation).collect();
    let mut who = state.rollups.who_changed_each(&creations).await?;
    for task in tasks {
        task.created_by = who.remove(&creation(task));
    }
    Ok(())
}

/// Says of each replay what became of what it put back to work, as of the last look.
async fn tell_outcomes(state: &SharedState, tasks: &mut [BackgroundTaskOut]) -> Result<(), ApiError> {
    let replays: Vec<TaskId> =
        tasks.iter().filter(|task| task.progress.delivered.is_some()).map(|task| task.id).collect();
    if replays.is_empty() {
        return Ok(());
    }
    let outcomes = state.tasks.replay_outcomes(&replays).await?;
    for task in tasks {
        if let Some(outcomes) = outcomes.get(&task.id) {
            task.progress.delivered = Some(outcomes.delivered);
            task.progress.failed_again = Some(outcomes.failed_again);
        }
    }
    Ok(())
}

/// The task with what it found out.
async fn with_findings(state: &SharedState, task: BackgroundTask) -> Result<BackgroundTaskOut, ApiError> {
    let (kind, id) = (task.kind, task.id);
    let mut out = BackgroundTaskOut::from(task);
    match kind {
        TaskKind::ApplicationUsage => out.data.app_stats = Some(state.tasks.task_findings(id).await?),
        TaskKind::EventTypeUsage => out.data.event_types = Some(state.tasks.task_findings(id).await?),
        kind if kind.replays() => {
            state.tasks.look_at_replayed(id).await?;
            tell_outcomes(state, std::slice::from_mut(&mut out)).await?;
        }
        _ => {}
    }
    name_creators(state, std::slice::from_mut(&mut out)).await?;
    Ok(out)
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
    /// Only those that client libraries call so: `endpoint.recover`, `endpoint.replay`, `endpoint.bulk-replay`,
    /// `application.purge_content`, `application.stats` or `event-type.aggregate`.
    task: Option<String>,
    /// Only those of this kind.
    kind: Option<String>,
}

impl ListQuery {
    fn filter(&self) -> TaskFilter {
        let states = self.status.map(|status| match status {
            Status::Running => vec![TaskState::Running],
            Status::Finished => vec![TaskState::Finished],
            Status::Failed => vec![TaskState::Failed, TaskState::Cancelled],
        });
        let means = |kind: &TaskKind| {
            self.task.as_deref().is_none_or(|task| task == kind.client_name())
                && self.kind.as_deref().is_none_or(|name| name == kind.name())
        };
        let narrows = self.task.is_some() || self.kind.is_some();
        TaskFilter { states, kinds: narrows.then(|| TaskKind::ALL.into_iter().filter(means).collect()) }
    }
}

const TASK: PathParameter = PathParameter::new("task_id", "The background task's id.");

/// A background task. That it is there is not looked up.
struct TaskPath {
    task: TaskId,
}

impl PathObject for TaskPath {
    const PARAMETERS: &[PathParameter] = &[TASK];

    async fn find(values: &PathValues, _: &Caller, _: &ApiState) -> Result<Self, ApiError> {
        Ok(Self { task: values.id(&TASK)? })
    }
}

path_extractors!(TaskPath);

/// List background tasks. A tenant sees those that it asked for.
#[utoipa::path(
    get, path = "/api/v1/background-task", operation_id = "v1.background-task.list", tag = "background task",
    params(PageQuery, ListQuery),
    responses((status = 200, description = "A page of them, newest first.", body = ListOut<BackgroundTaskOut>))
)]
async fn list(
    State(state): State<SharedState>,
    caller: Caller,
    ApiQuery(page): ApiQuery<PageQuery>,
    ApiQuery(query): ApiQuery<ListQuery>,
) -> Result<Json<ListOut<BackgroundTaskOut>>, ApiError> {
    let page = page.request::<TaskId>(Ordering::Descending)?;
    let filter = query.filter();
    let rows =
        state.tasks.tasks(caller.environment()?, caller.own_application(), &filter, &page.scan).await?;
    let mut list: ListOut<BackgroundTaskOut> = page.answer(rows, |task| task.id.to_string(), Into::into);
    name_creators(&state, &mut list.data).await?;
    tell_outcomes(&state, &mut list.data).await?;
    Ok(Json(list))
}

/// Get a background task with its progress.
#[utoipa::path(
    get, path = "/api/v1/background-task/{task_id}", operation_id = "v1.background-task.get",
    tag = "background task",
    params(TaskPath),
    responses((status = 200, description = "The task.", body = BackgroundTaskOut))
)]
async fn get(
    State(state): State<SharedState>,
    caller: Caller,
    path: TaskPath,
) -> Result<Json<BackgroundTaskOut>, ApiError> {
    let found = state.tasks.task(caller.environment()?, caller.own_application(), path.task).await?;
    Ok(Json(with_findings(&state, found.ok_or(ApiError::NoSuch("background task"))?).await?))
}

/// Cancel a background task.
///
/// What it has done by then stays done. One that has ended stays as it is.
#[utoipa::path(
    post, path = "/api/v1/background-task/{task_id}/cancel", operation_id = "v1.background-task.cancel",
    tag = "background task",
    params(TaskPath),
    responses((status = 200, description = "The task as it is now.", body = BackgroundTaskOut))
)]
async fn cancel(
    State(state): State<SharedState>,
    caller: Caller,
    path: TaskPath,
) -> Result<Json<BackgroundTaskOut>, ApiError> {
    let (environment, own) = (caller.environment()?, caller.own_application());
    let found = state.tasks.cancel_task(caller.actor(), environment, own, path.task).await?;
    Ok(Json(with_findings(&state, found.ok_or(ApiError::NoSuch("background task"))?).await?))
}

/// The routes of this resource.
pub(super) fn routes() -> OpenApiRouter<SharedState> {
    OpenApiRouter::new().routes(routes!(list)).routes(routes!(get)).routes(routes!(cancel))
}
