//! Resend: puts a message back to work for one endpoint.

use axum::Json;
use axum::extract::State;
use http::StatusCode;
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::api::conventions::error::ApiError;
use crate::api::conventions::extract::ApiPath;
use crate::api::credential::Caller;
use crate::api::openapi::docs::Errors;
use crate::api::resource::named::{named_endpoint, named_message};
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
    params(
        ("app_id" = String, Path, description = "The application's id or `uid`."),
        ("msg_id" = String, Path, description = "The message's id or `eventId`."),
        ("endpoint_id" = String, Path, description = "The endpoint's id or `uid`."),
        ("idempotency-key" = Option<String>, Header, description = "Repeats are answered as at first.")
    ),
    responses(
        (status = 202, description = "It is on its way.", body = ResendOut),
        (status = 409, description = "Its content was expunged.", body = crate::api::conventions::error::ErrorOut),
        Errors
    )
)]
async fn resend(
    State(state): State<SharedState>,
    caller: Caller,
    ApiPath((app_id, msg_id, endpoint_id)): ApiPath<(String, String, String)>,
) -> Result<(StatusCode, Json<ResendOut>), ApiError> {
    let application = caller.application(&state.configuration, &app_id).await?;
    let message = named_message(&state, application, &msg_id).await?;
    let endpoint = named_endpoint(&state, application, &endpoint_id).await?;
    let outcome = match state.tasks.resend(caller.actor(), application, message, endpoint).await? {
        ResendOutcome::Started => "started",
        ResendOutcome::UnderWay => "under_way",
        ResendOutcome::NotFound => return Err(ApiError::NotFound),
        ResendOutcome::ContentGone => return Err(content_gone()),
    };
    Ok((StatusCode::ACCEPTED, Json(ResendOut { outcome })))
}

/// There is nothing left to send.
pub(in crate::api) const fn content_gone() -> ApiError {
    ApiError::Conflict { code: "content_expunged", detail: "The message's content was expunged." }
}

/// The routes of this resource.
pub fn routes() -> OpenApiRouter<SharedState> {
    OpenApiRouter::new().routes(routes!(resend))
}
