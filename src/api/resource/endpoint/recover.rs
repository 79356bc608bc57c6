//! Sending an endpoint what failed for good or waits to be tried again: a background task, or what it would send.

use axum::Json;
use axum::extract::State;
use axum::response::{IntoResponse as _, Response};
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::api::conventions::capped::CappedCount;
use crate::api::conventions::extract::JsonBody;
use crate::api::credential::Caller;
use crate::api::error::ApiError;
use crate::api::resource::background_task::BackgroundTaskOut;
use crate::api::resource::path::EndpointPath;
use crate::api::state::SharedState;
use crate::domain::background_task::TaskKind;
use crate::store::TimeBounds;

use super::replay::{BulkReplayIn, start};

/// From which time messages are sent, and at which pace; or how many these are.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct RecoverIn {
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

/// What a recovery would send now.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct RecoverPreviewOut {
    /// Always true: nothing was changed.
    dry_run: bool,
    /// Open dead letters of the messages of that time.
    dead_letters: CappedCount,
    /// What was tried and waits to be tried again, of the messages of that time.
    waiting: CappedCount,
}

/// Recover an endpoint: send what failed.
///
/// These are its open dead letters of the messages of that time, and what was tried and waits to be tried again; each begins
/// the schedule anew. Discarded dead letters are left alone.
#[utoipa::path(
    post, path = "/api/v1/app/{app_id}/endpoint/{endpoint_id}/recover", operation_id = "v1.endpoint.recover",
    tag = "endpoint",
    params(EndpointPath),
    request_body = RecoverIn,
    responses(
        (status = 200, description = "What it would do (`dryRun`).", body = RecoverPreviewOut),
        (status = 202, description = "A background task does it.", body = BackgroundTaskOut)
    )
)]
pub(super) async fn recover(
    State(state): State<SharedState>,
    caller: Caller,
    path: EndpointPath,
    JsonBody(input): JsonBody<RecoverIn>,
) -> Result<Response, ApiError> {
    let RecoverIn { since, until, rate_per_second, dry_run } = input;
    let order = BulkReplayIn::all(since, until, rate_per_second);
    if !dry_run {
        return Ok(start(&state, &caller, &path, TaskKind::Recover, order).await?.into_response());
    }
    order.check()?;
    let time = TimeBounds { since: Some(since), until };
    let found = state.rollups.recover_preview(caller.environment()?, path.endpoint, time).await?;
    let out = RecoverPreviewOut {
        dry_run: true,
        dead_letters: found.dead_letters.into(),
        waiting: found.waiting.into(),
    };
    Ok(Json(out).into_response())
}
