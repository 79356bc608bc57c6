//! Whether a message would go anywhere.

use axum::Json;
use axum::extract::State;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::api::conventions::extract::JsonBody;
use crate::api::conventions::validate::Findings;
use crate::api::credential::Caller;
use crate::api::error::ApiError;
use crate::api::resource::path::ApplicationPath;
use crate::api::state::SharedState;

use super::input::MAX_CHANNELS;

/// A message that might be posted.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct PrecheckIn {
    /// Its event type.
    #[schema(min_length = 1, max_length = 256, pattern = "^[a-zA-Z0-9\\-_.]+$", example = "invoice.paid")]
    event_type: String,
    /// Its channels.
    #[schema(max_items = 5)]
    channels: Option<Vec<String>>,
}

/// Whether it would go anywhere.
#[derive(Debug, Serialize, ToSchema)]
struct PrecheckOut {
    /// Whether an endpoint that is not disabled would get it.
    active: bool,
}

/// Ask whether a message would go anywhere.
///
/// Posting one that goes nowhere costs little; this is for producers to whom making it costs much.
#[utoipa::path(
    post, path = "/api/v1/app/{app_id}/msg/precheck/active", operation_id = "v1.message.precheck",
    tag = "message",
    params(ApplicationPath),
    request_body = PrecheckIn,
    responses((status = 200, description = "The answer.", body = PrecheckOut))
)]
async fn precheck(
    State(state): State<SharedState>,
    caller: Caller,
    path: ApplicationPath,
    JsonBody(input): JsonBody<PrecheckIn>,
) -> Result<Json<PrecheckOut>, ApiError> {
    caller.whole_environment()?;
    let channels = input.channels.unwrap_or_default();
    let mut findings = Findings::of_body();
    findings.event_type("eventType", &input.event_type);
    findings.channels("channels", &channels, MAX_CHANNELS);
    findings.finish()?;
    let active = state.configuration.is_wanted(path.application, &input.event_type, &channels).await?;
    Ok(Json(PrecheckOut { active }))
}

/// The routes of this part.
pub(super) fn routes() -> OpenApiRouter<SharedState> {
    OpenApiRouter::new().routes(routes!(precheck))
}
