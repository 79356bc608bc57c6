//! Calling off what waits of a message.

use axum::Json;
use axum::extract::State;
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::api::credential::Caller;
use crate::api::error::ApiError;
use crate::api::resource::path::{MessageEndpointPath, MessagePath};
use crate::api::state::SharedState;
use crate::domain::id::{ApplicationId, EndpointId, MessageId};

/// What became of the deliveries.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct CancelOut {
    /// So many waited, and are not tried any more.
    canceled: i64,
    /// So many are being sent at that moment, and go on.
    under_way: i64,
}

/// Call off what waits of a message.
///
/// Its deliveries that wait for an attempt, at whichever endpoint, are not tried any more: they end as canceled. A resend
/// brings one back.
#[utoipa::path(
    post, path = "/api/v1/app/{app_id}/msg/{msg_id}/cancel", operation_id = "v1.message.cancel", tag = "message",
    params(MessagePath),
    responses((status = 200, description = "What became of them.", body = CancelOut))
)]
async fn everywhere(
    State(state): State<SharedState>,
    caller: Caller,
    path: MessagePath,
) -> Result<Json<CancelOut>, ApiError> {
    cancel(&state, &caller, path.application, path.message, None).await
}

/// Call off what waits of a message at one endpoint.
#[utoipa::path(
    post, path = "/api/v1/app/{app_id}/msg/{msg_id}/endpoint/{endpoint_id}/cancel",
    operation_id = "v1.message-attempt.cancel", tag = "attempt",
    params(MessageEndpointPath),
    responses((status = 200, description = "What became of it.", body = CancelOut))
)]
async fn at_endpoint(
    State(state): State<SharedState>,
    caller: Caller,
    path: MessageEndpointPath,
) -> Result<Json<CancelOut>, ApiError> {
    cancel(&state, &caller, path.application, path.message, Some(path.endpoint)).await
}

async fn cancel(
    state: &SharedState,
    caller: &Caller,
    application: ApplicationId,
    message: MessageId,
    endpoint: Option<EndpointId>,
) -> Result<Json<CancelOut>, ApiError> {
    let outcome = state.tasks.cancel_message(caller.actor(), application, message, endpoint).await?;
    Ok(Json(CancelOut { canceled: outcome.cancelled, under_way: outcome.under_way }))
}

/// The routes of this part.
pub(super) fn routes() -> OpenApiRouter<SharedState> {
    OpenApiRouter::new().routes(routes!(everywhere)).routes(routes!(at_endpoint))
}
