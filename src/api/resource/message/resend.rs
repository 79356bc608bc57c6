//! Resend: puts a message back to work for one endpoint.

use axum::Json;
use axum::extract::State;
use http::StatusCode;
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::api::credential::Caller;
use crate::api::error::{ApiError, ErrorOut};
use crate::api::resource::path::MessageEndpointPath;
use crate::api::state::SharedState;
use crate::store::ResendOutcome;

/// What became of a resend.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct ResendOut {
    /// `started`: it is due now. `under_way`: an attempt was being made at that moment, and was left alone.
    #[schema(example = "started")]
    pub outcome: &'static str,
}

/// Resend a message to an endpoint.
///
/// Whatever became of it there before, the message is due now for this endpoint and for no other, and the schedule
/// begins anew. A dead letter of it counts as replayed. If the endpoint is disabled, it waits there.
#[utoipa::path(
    post, path = "/api/v1/app/{app_id}/msg/{msg_id}/endpoint/{endpoint_id}/resend",
    operation_id = "v1.message-attempt.resend", tag = "attempt",
    params(MessageEndpointPath),
    responses(
        (status = 202, description = "It is on its way.", body = ResendOut),
        (status = 409, description = "Its content was expunged.", body = ErrorOut)
    )
)]
async fn resend(
    State(state): State<SharedState>,
    caller: Caller,
    path: MessageEndpointPath,
) -> Result<(StatusCode, Json<ResendOut>), ApiError> {
    let outcome =
        match state.tasks.resend(caller.actor(), path.application, path.message, path.endpoint).await? {
            ResendOutcome::Started => "started",
            ResendOutcome::UnderWay => "under_way",
            ResendOutcome::NotFound => return Err(ApiError::NoSuch("message")),
            ResendOutcome::ContentGone => return Err(content_gone()),
        };
    Ok((StatusCode::ACCEPTED, Json(ResendOut { outcome })))
}

/// There is nothing left to send.
pub(in crate::api) const fn content_gone() -> ApiError {
    ApiError::Conflict { code: "content_expunged", detail: "The message's content was expunged." }
}

/// The routes of this resource.
pub(super) fn routes() -> OpenApiRouter<SharedState> {
    OpenApiRouter::new().routes(routes!(resend))
}
