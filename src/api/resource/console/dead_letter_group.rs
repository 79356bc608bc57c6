//! Open dead letters by endpoint and reason.

use std::collections::HashSet;

use axum::Json;
use axum::extract::State;
use chrono::{DateTime, Utc};
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::api::conventions::capped::CappedCount;
use crate::api::conventions::extract::ApiQuery;
use crate::api::credential::Caller;
use crate::api::error::ApiError;
use crate::api::openapi::errors::NotFound;
use crate::api::resource::dead_letter::OpenFilterQuery;
use crate::api::state::{ApiState, SharedState};
use crate::domain::background_task::{TaskKind, TaskState};
use crate::domain::delivery::dead_letter::{DeadLetterFilter, DeathReason};
use crate::domain::id::{ApplicationId, EndpointId, EnvironmentId, TaskId};
use crate::domain::page::Scan;
use crate::store::{DeadLetterGroup, FoundGroup, StoreError, TaskFilter};

/// So many groups are shown.
const MOST_SHOWN: usize = 200;
/// All of an environment are counted so far.
const OPEN_COUNTED: i64 = 10_000;
/// Tasks under way that are looked at.
const TASKS_LOOKED_AT: i64 = 100;

/// Groups of open dead letters.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(in crate::api) struct DeadLetterGroupsOut {
    /// All that match: counted up to 10,000, under a filter up to 100,000.
    open: CappedCount,
    /// Those of them that died within the last day.
    open_since_yesterday: CappedCount,
    /// At so many endpoints.
    endpoints: i64,
    /// The largest first; 200 at most.
    data: Vec<DeadLetterGroupOut>,
    /// There are more groups.
    is_capped: bool,
}

/// Open dead letters of one endpoint that died for one reason.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(in crate::api) struct DeadLetterGroupOut {
    /// The endpoint's application.
    #[schema(value_type = String)]
    app_id: ApplicationId,
    /// The application's name.
    app_name: String,
    /// The endpoint that missed them.
    #[schema(value_type = String)]
    endpoint_id: EndpointId,
    /// Where it is.
    url: String,
    /// Why they died.
    reason: DeathReason,
    /// So many, counted up to 100,000.
    count: i64,
    /// There are at least so many.
    is_capped: bool,
    /// When the oldest died.
    oldest_at: DateTime<Utc>,
    /// When the newest died.
    newest_at: DateTime<Utc>,
    /// The last status of the newest.
    #[schema(required)]
    last_status_code: Option<i16>,
    /// What went wrong with the newest.
    #[schema(required)]
    last_failure: Option<String>,
    /// The beginning of the endpoint's last answer that was a failure, or why there was none.
    #[schema(required)]
    last_error: Option<String>,
    /// When the endpoint was deleted.
    #[schema(required)]
    endpoint_deleted_at: Option<DateTime<Utc>>,
    /// A replay or a discard that is under way for this endpoint.
    #[schema(value_type = Option<String>, required)]
    running_task_id: Option<TaskId>,
}

/// Replays and discards under way, each with the endpoint and the application that it is confined to.
struct Running(Vec<(TaskId, DeadLetterFilter)>);

impl Running {
    async fn of(state: &ApiState, environment: &EnvironmentId) -> Result<Self, ApiError> {
        let filter = TaskFilter {
            states: Some(vec![TaskState::Running]),
            kinds: Some(vec![TaskKind::Replay, TaskKind::Discard]),
        };
        let scan = Scan { after: None, ascending: false, limit: TASKS_LOOKED_AT };
        let tasks = state.tasks.tasks(environment, None, &filter, &scan).await?;
        let read = tasks.into_iter().map(|task| Ok((task.id, task.order()?)));
        Ok(Self(read.collect::<Result<_, StoreError>>()?))
    }

    fn at(&self, application: ApplicationId, endpoint: EndpointId) -> Option<TaskId> {
        let concerns = |filter: &DeadLetterFilter| {
            filter.endpoint_id.is_none_or(|id| id == endpoint)
                && filter.application_id.is_none_or(|id| id == application)
        };
        self.0.iter().find(|(_, filter)| concerns(filter)).map(|(id, _)| *id)
    }
}

fn shape(group: DeadLetterGroup, running: &Running, caller: &Caller) -> DeadLetterGroupOut {
    DeadLetterGroupOut {
        running_task_id: running.at(group.named.application_id, group.named.endpoint_id),
        app_id: group.named.application_id,
        app_name: group.named.application_name,
        endpoint_id: group.named.endpoint_id,
        url: caller.shown_url(group.named.url),
        reason: group.reason,
        count: group.count.count,
        is_capped: group.count.is_capped,
        oldest_at: group.oldest_at,
        newest_at: group.newest_at,
        last_status_code: group.last_status,
        last_failure: group.last_failure,
        last_error: group.last_error,
        endpoint_deleted_at: group.endpoint_deleted_at,
    }
}

/// Count open dead letters by endpoint and reason.
#[utoipa::path(
    get, path = "/api/v1/dead-letter/group", operation_id = "v1.dead-letter.groups", tag = "dead letter",
    params(OpenFilterQuery),
    responses((status = 200, description = "The groups.", body = DeadLetterGroupsOut), NotFound)
)]
async fn list(
    State(state): State<SharedState>,
    caller: Caller,
    ApiQuery(query): ApiQuery<OpenFilterQuery>,
) -> Result<Json<DeadLetterGroupsOut>, ApiError> {
    let environment = caller.whole_environment()?;
    let filter = query.filter(&state, environment).await?;
    let is_whole = filter == DeadLetterFilter::default();
    let rollups = &state.rollups;
    let (mut groups, (open, lately)) = if is_whole {
        tokio::try_join!(
            rollups.find_dead_letter_groups(environment),
            rollups.count_open_dead_letters(environment, OPEN_COUNTED),
        )?
    } else {
        tokio::try_join!(
            rollups.filter_dead_letter_groups(environment, &filter),
            rollups.count_dead_letters_of(environment, &filter),
        )?
    };
    let endpoints: HashSet<EndpointId> = groups.iter().map(FoundGroup::endpoint).collect();
    let is_capped = groups.len() > MOST_SHOWN;
    groups.sort_by_key(|group| std::cmp::Reverse(group.count()));
    groups.truncate(MOST_SHOWN);
    let shown = rollups.show_dead_letter_groups(environment, &groups, is_whole).await?;
    let running = Running::of(&state, environment).await?;
    Ok(Json(DeadLetterGroupsOut {
        open: open.into(),
        open_since_yesterday: lately.into(),
        endpoints: i64::try_from(endpoints.len()).unwrap_or(i64::MAX),
        data: shown.into_iter().map(|group| shape(group, &running, &caller)).collect(),
        is_capped,
    }))
}

/// The routes of this part.
pub(super) fn routes() -> OpenApiRouter<SharedState> {
    OpenApiRouter::new().routes(routes!(list))
}
