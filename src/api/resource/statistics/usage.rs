//! How an environment is used: what its applications post, and which event types they ask for. Both are counted by
//! background tasks.

use axum::Json;
use axum::extract::State;
use chrono::{DateTime, Utc};
use http::StatusCode;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::api::conventions::extract::JsonBody;
use crate::api::conventions::moment::is_usual;
use crate::api::credential::Caller;
use crate::api::error::ApiError;
use crate::api::resource::background_task::{BackgroundTaskOut, start_task};
use crate::api::state::SharedState;
use crate::domain::background_task::{TaskKind, UsageOrder};
use crate::domain::id::EnvironmentId;
use crate::domain::id::reference::Reference;
use crate::store::NewTask;

/// So many applications can be named at once.
const MAX_APPLICATIONS: usize = 500;

/// Whose messages to count.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct UsageIn {
    /// Accepted then or later.
    since: DateTime<Utc>,
    /// Accepted before.
    until: DateTime<Utc>,
    /// Of these applications, by id or `uid`, 500 at most; absent for all.
    #[schema(max_items = 500)]
    app_ids: Option<Vec<String>>,
}

/// The background task that counts.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct UsageTaskOut {
    /// The task. When it has finished, its `data` has `appStats`.
    #[serde(flatten)]
    task: BackgroundTaskOut,
    /// Named applications that are not there.
    unresolved_app_ids: Vec<String>,
}

fn refused(field: &str, msg: &str) -> ApiError {
    ApiError::invalid(&["body", field], msg, "value_error")
}

fn new(environment: &EnvironmentId, kind: TaskKind, filter: serde_json::Value) -> NewTask {
    NewTask {
        environment_id: environment.clone(),
        application_id: None,
        kind,
        filter,
        rate_per_second: None,
        total: 0,
        note: None,
    }
}

/// Count the messages of applications.
///
/// A background task counts, for each application, the messages of that time and their deliveries
/// (`messageDestinations`), as far as they are retained.
#[utoipa::path(
    post, path = "/api/v1/stats/usage/app", operation_id = "v1.statistics.aggregate-app-stats",
    tag = "statistics",
    request_body = UsageIn,
    responses((status = 202, description = "A background task counts.", body = UsageTaskOut))
)]
async fn applications(
    State(state): State<SharedState>,
    caller: Caller,
    JsonBody(input): JsonBody<UsageIn>,
) -> Result<(StatusCode, Json<UsageTaskOut>), ApiError> {
    let environment = caller.whole_environment()?;
    if !is_usual(&input.since) || !is_usual(&input.until) {
        return Err(refused("since", "must be a time as in RFC 3339"));
    }
    if input.since >= input.until {
        return Err(refused("until", "must be later than `since`"));
    }
    let mut unresolved = Vec::new();
    let mut named = Vec::new();
    let asked = input.app_ids.as_deref().unwrap_or_default();
    if asked.len() > MAX_APPLICATIONS || asked.iter().any(|id| id.contains('\0')) {
        return Err(refused("appIds", "may have 500 ids or `uid`s at most"));
    }
    for id in asked {
        match state.configuration.application_id(environment, &Reference::parse(id)).await? {
            Some(found) => named.push(found),
            None => unresolved.push(id.clone()),
        }
    }
    if named.is_empty() && !unresolved.is_empty() {
        return Err(refused("appIds", "none of these applications is there"));
    }
    let application_ids = input.app_ids.filter(|ids| !ids.is_empty()).map(|_| named);
    let order = UsageOrder { since: input.since, until: input.until, application_ids };
    let filter = serde_json::to_value(&order).map_err(|_| ApiError::Internal)?;
    let new = new(environment, TaskKind::ApplicationUsage, filter);
    let (status, Json(task)) = start_task(&state, &caller, &new).await?;
    Ok((status, Json(UsageTaskOut { task, unresolved_app_ids: unresolved })))
}

/// List the event types that applications ask for.
///
/// A background task lists, for each application, the event types that its endpoints name, and whether one of them
/// wants everything. When it has finished, its `data` has `event_types`.
#[utoipa::path(
    put, path = "/api/v1/stats/usage/event-types", operation_id = "v1.statistics.aggregate-event-types",
    tag = "statistics",
    responses((status = 202, description = "A background task lists them.", body = BackgroundTaskOut))
)]
async fn event_types(
    State(state): State<SharedState>,
    caller: Caller,
) -> Result<(StatusCode, Json<BackgroundTaskOut>), ApiError> {
    let environment = caller.whole_environment()?;
    let new = new(environment, TaskKind::EventTypeUsage, serde_json::json!({}));
    start_task(&state, &caller, &new).await
}

/// The routes of this part.
pub(super) fn routes() -> OpenApiRouter<SharedState> {
    OpenApiRouter::new().routes(routes!(applications)).routes(routes!(event_types))
}
