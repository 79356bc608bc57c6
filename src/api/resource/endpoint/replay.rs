//! Sending an endpoint many messages: what it was never to get, or what it got. Each is a background task; `recover.rs` has
//! the one for what failed.

use axum::Json;
use axum::extract::State;
use axum::response::{IntoResponse as _, Response};
use chrono::{DateTime, Utc};
use http::StatusCode;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::api::conventions::capped::CappedCount;
use crate::api::conventions::extract::JsonBody;
use crate::api::conventions::validate::{Findings, stored_count};
use crate::api::credential::Caller;
use crate::api::error::ApiError;
use crate::api::resource::background_task::{BackgroundTaskOut, start_task};
use crate::api::resource::path::EndpointPath;
use crate::api::state::SharedState;
use crate::domain::background_task::{EndpointReplay, TaskKind};
use crate::domain::delivery::Standing;
use crate::store::{NewTask, TimeBounds};

/// A higher limit would never be reached.
const MAX_RATE_PER_SECOND: u32 = 100_000;
/// The pace where none is asked for: a million in ten minutes.
const DEFAULT_RATE_PER_SECOND: u32 = 2_000;

/// From which time messages are sent, and at which pace; or how many these are.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct ReplayIn {
    /// Accepted then or later.
    since: DateTime<Utc>,
    /// Accepted before.
    until: Option<DateTime<Utc>>,
    /// At most this many a second; 2,000 when absent.
    #[schema(minimum = 1, maximum = 100000)]
    rate_per_second: Option<u32>,
    /// Only tell how many would be sent.
    #[serde(default)]
    #[schema(default = false)]
    dry_run: bool,
}

/// What would be sent that the endpoint was never to get.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct ReplayMissingPreviewOut {
    /// Always true: nothing was changed.
    dry_run: bool,
    /// Messages of that time, counted among the first 2,000.
    messages: CappedCount,
}

/// Which messages are sent once more.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct BulkReplayIn {
    /// Accepted then or later.
    since: DateTime<Utc>,
    /// Accepted before.
    until: Option<DateTime<Utc>>,
    /// Of these event types; absent or empty for all.
    event_types: Option<Vec<String>>,
    /// In this channel.
    channel: Option<String>,
    /// With this tag.
    tag: Option<String>,
    /// Whose delivery stands there: 0 delivered, 1 waiting for its first attempt, 2 failed for good, 3 waiting to be tried
    /// again, 4 canceled. Absent: all that have ended.
    #[schema(minimum = 0, maximum = 4)]
    status: Option<i16>,
    /// Whose last answer was of this class: 100, 200, 300, 400 or 500; 0 for none.
    status_code_class: Option<i16>,
    /// At most this many a second; 2,000 when absent.
    #[schema(minimum = 1, maximum = 100000)]
    rate_per_second: Option<u32>,
}

impl BulkReplayIn {
    /// All messages of that time.
    pub(super) fn all(
        since: DateTime<Utc>,
        until: Option<DateTime<Utc>>,
        rate_per_second: Option<u32>,
    ) -> Self {
        Self {
            since,
            until,
            event_types: None,
            channel: None,
            tag: None,
            status: None,
            status_code_class: None,
            rate_per_second,
        }
    }

    pub(super) fn check(&self) -> Result<(), ApiError> {
        let mut findings = Findings::of_body();
        if self.until.is_some_and(|until| until <= self.since) {
            findings.add("until", "must be later than `since`");
        }
        findings.event_types("eventTypes", self.event_types.as_deref().unwrap_or_default());
        findings.channels("channel", self.channel.as_slice(), 1);
        findings.channels("tag", self.tag.as_slice(), 1);
        if self.status.is_some_and(|status| Standing::from_code(status).is_none()) {
            findings.add("status", "is no status");
        }
        if self.status_code_class.is_some_and(|class| !matches!(class, 0 | 100 | 200 | 300 | 400 | 500)) {
            findings.add("statusCodeClass", "is no class of status codes");
        }
        if self.rate_per_second.is_some_and(|rate| !(1..=MAX_RATE_PER_SECOND).contains(&rate)) {
            findings.add("ratePerSecond", format!("must be between 1 and {MAX_RATE_PER_SECOND}"));
        }
        findings.finish()
    }
}

pub(super) async fn start(
    state: &SharedState,
    caller: &Caller,
    path: &EndpointPath,
    kind: TaskKind,
    input: BulkReplayIn,
) -> Result<(StatusCode, Json<BackgroundTaskOut>), ApiError> {
    input.check()?;
    let order = EndpointReplay {
        application_id: path.application,
        endpoint_id: path.endpoint,
        since: input.since,
        until: input.until,
        event_types: input.event_types.unwrap_or_default(),
        channel: input.channel,
        tag: input.tag,
        status: input.status,
        status_code_class: input.status_code_class,
    };
    let new = NewTask {
        environment_id: caller.environment()?.clone(),
        application_id: caller.own_application(),
        kind,
        filter: serde_json::to_value(&order).map_err(|_| ApiError::Internal)?,
        rate_per_second: Some(stored_count(input.rate_per_second.unwrap_or(DEFAULT_RATE_PER_SECOND))),
        total: 0,
        note: None,
    };
    start_task(state, caller, &new).await
}

/// Send an endpoint the messages that it was never to get.
///
/// These are the messages of that time that it would get today, and did not get because it was not there yet or did
/// not listen to them. What was ever to go to it is left alone, whatever became of it.
#[utoipa::path(
    post, path = "/api/v1/app/{app_id}/endpoint/{endpoint_id}/replay-missing",
    operation_id = "v1.endpoint.replay-missing", tag = "endpoint",
    params(EndpointPath),
    request_body = ReplayIn,
    responses(
        (status = 200, description = "What it would do (`dryRun`).", body = ReplayMissingPreviewOut),
        (status = 202, description = "A background task does it.", body = BackgroundTaskOut)
    )
)]
async fn replay_missing(
    State(state): State<SharedState>,
    caller: Caller,
    path: EndpointPath,
    JsonBody(input): JsonBody<ReplayIn>,
) -> Result<Response, ApiError> {
    let ReplayIn { since, until, rate_per_second, dry_run } = input;
    let order = BulkReplayIn::all(since, until, rate_per_second);
    if !dry_run {
        return Ok(start(&state, &caller, &path, TaskKind::ReplayMissing, order).await?.into_response());
    }
    order.check()?;
    let time = TimeBounds { since: Some(since), until };
    let found = state.rollups.missing_preview(path.application, path.endpoint, time).await?;
    Ok(Json(ReplayMissingPreviewOut { dry_run: true, messages: found.into() }).into_response())
}

/// Send an endpoint once more what it got, or failed to get.
///
/// Discarded dead letters are left alone.
#[utoipa::path(
    post, path = "/api/v1/app/{app_id}/endpoint/{endpoint_id}/bulk-replay",
    operation_id = "v1.endpoint.bulk-replay", tag = "endpoint",
    params(EndpointPath),
    request_body = BulkReplayIn,
    responses((status = 202, description = "A background task does it.", body = BackgroundTaskOut))
)]
async fn bulk_replay(
    State(state): State<SharedState>,
    caller: Caller,
    path: EndpointPath,
    JsonBody(input): JsonBody<BulkReplayIn>,
) -> Result<(StatusCode, Json<BackgroundTaskOut>), ApiError> {
    start(&state, &caller, &path, TaskKind::BulkReplay, input).await
}

/// The routes of this part.
pub(super) fn routes() -> OpenApiRouter<SharedState> {
    OpenApiRouter::new().routes(routes!(replay_missing)).routes(routes!(bulk_replay))
}
