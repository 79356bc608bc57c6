//! Calling off what waits at an endpoint, by filter.

use axum::Json;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::api::conventions::extract::JsonBody;
use crate::api::conventions::validate::{Findings, stored_count};
use crate::api::credential::Caller;
use crate::api::error::ApiError;
use crate::api::resource::background_task::{BackgroundTaskOut, start_task};
use crate::api::resource::path::EndpointPath;
use crate::api::state::SharedState;
use crate::domain::background_task::{TaskKind, WaitingFilter};
use crate::store::{Capped, NewTask};

/// A higher limit would never be reached.
const MAX_RATE_PER_SECOND: u32 = 100_000;

/// Which deliveries are called off. Without any of it, all that wait.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct CancelIn {
    /// Of messages that were accepted then or later.
    since: Option<DateTime<Utc>>,
    /// Of messages that were accepted before.
    until: Option<DateTime<Utc>>,
    /// Of messages of these event types; absent or empty for all.
    event_types: Option<Vec<String>>,
    /// Of messages in this channel.
    channel: Option<String>,
    /// Of messages with this tag.
    tag: Option<String>,
    /// Only count.
    #[serde(default)]
    #[schema(default = false)]
    dry_run: bool,
    /// At most this many a second; as fast as it goes when absent.
    #[schema(minimum = 1, maximum = 100000)]
    rate_per_second: Option<u32>,
}

/// What it would call off.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct CancelPreviewOut {
    /// Always true: nothing was changed.
    dry_run: bool,
    /// So many deliveries wait that match.
    count: i64,
    /// Whether there may be more: a hundred thousand that wait were looked at, and no further.
    is_capped: bool,
}

impl CancelIn {
    fn check(&self) -> Result<(), ApiError> {
        let mut findings = Findings::of_body();
        if self.since.zip(self.until).is_some_and(|(since, until)| until <= since) {
            findings.add("until", "must be later than `since`");
        }
        findings.event_types("eventTypes", self.event_types.as_deref().unwrap_or_default());
        findings.channels("channel", self.channel.as_slice(), 1);
        findings.channels("tag", self.tag.as_slice(), 1);
        if self.rate_per_second.is_some_and(|rate| !(1..=MAX_RATE_PER_SECOND).contains(&rate)) {
            findings.add("ratePerSecond", format!("must be between 1 and {MAX_RATE_PER_SECOND}"));
        }
        findings.finish()
    }
}

/// Call off what waits at an endpoint.
///
/// The deliveries that match, wait for an attempt and are in no node's hands are not tried any more: they end as canceled.
/// A resend or a bulk replay brings them back.
#[utoipa::path(
    post, path = "/api/v1/app/{app_id}/endpoint/{endpoint_id}/cancel", operation_id = "v1.endpoint.cancel",
    tag = "endpoint",
    params(EndpointPath),
    request_body = CancelIn,
    responses(
        (status = 200, description = "What it would do (`dryRun`).", body = CancelPreviewOut),
        (status = 202, description = "A background task does it.", body = BackgroundTaskOut)
    )
)]
async fn cancel(
    State(state): State<SharedState>,
    caller: Caller,
    path: EndpointPath,
    JsonBody(input): JsonBody<CancelIn>,
) -> Result<Response, ApiError> {
    input.check()?;
    let filter = WaitingFilter {
        application_id: path.application,
        endpoint_id: path.endpoint,
        since: input.since,
        until: input.until,
        event_types: input.event_types.unwrap_or_default(),
        channel: input.channel,
        tag: input.tag,
    };
    let Capped { count, is_capped } = state.tasks.count_waiting(&filter).await?;
    if input.dry_run {
        return Ok(Json(CancelPreviewOut { dry_run: true, count, is_capped }).into_response());
    }
    let new = NewTask {
        environment_id: caller.environment()?.clone(),
        application_id: caller.own_application(),
        kind: TaskKind::CancelWaiting,
        filter: serde_json::to_value(&filter).map_err(|_| ApiError::Internal)?,
        rate_per_second: input.rate_per_second.map(stored_count),
        total: count,
        note: None,
    };
    Ok(start_task(&state, &caller, &new).await?.into_response())
}

/// The routes of this part.
pub(super) fn routes() -> OpenApiRouter<SharedState> {
    OpenApiRouter::new().routes(routes!(cancel))
}
