//! Whether a message would go anywhere.

use axum::Json;
use axum::extract::State;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::api::conventions::error::ApiError;
use crate::api::conventions::extract::{ApiPath, JsonBody};
use crate::api::conventions::validate::Findings;
use crate::api::credential::Caller;
use crate::api::openapi::docs::BodyErrors;
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
    post, path = "/api/v1/app/{app_id}/msg/precheck/active", operation_id = "v1.message.precheck", tag = "message",
    params(
        ("app_id" = String, Path, description = "The application's id or `uid`."),
        ("idempotency-key" = Option<String>, Header, description = "Repeats are answered as at first.")
    ),
    request_body = PrecheckIn,
    responses((status = 200, description = "The answer.", body = PrecheckOut), BodyErrors)
)]
async fn precheck(
    State(state): State<SharedState>,
    caller: Caller,
    ApiPath(app_id): ApiPath<String>,
    JsonBody(input): JsonBody<PrecheckIn>,
) -> Result<Json<PrecheckOut>, ApiError> {
    caller.whole_environment()?;
    let application = caller.application(&state.configuration, &app_id).await?;
    let channels = input.channels.unwrap_or_default();
    let mut findings = Findings::of_body();
    findings.event_type("eventType", &input.event_type);
    findings.channels("channels", &channels, MAX_CHANNELS);
    findings.finish()?;
    let active = state.configuration.is_wanted(application, &input.event_type, &channels).await?;
    Ok(Json(PrecheckOut { active }))
}

/// The routes of this part.
pub(in crate::api::resource::message) fn routes() -> OpenApiRouter<SharedState> {
    OpenApiRouter::new().routes(routes!(precheck))
}
