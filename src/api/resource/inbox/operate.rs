//! Looking into an inbox, and deleting it.

use axum::Json;
use axum::extract::State;
use http::StatusCode;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::api::credential::Caller;
use crate::api::error::ApiError;
use crate::api::intake::answer::HeldAnswer;
use crate::api::state::SharedState;

use super::path::InboxPath;
use super::shape::InboxOut;

/// Show an inbox and the requests that it got.
#[utoipa::path(
    get, path = "/api/v1/inbox/{inbox_id}", operation_id = "v1.inbox.get", tag = "test inbox",
    params(InboxPath),
    responses((status = 200, description = "The inbox, the newest request first.", body = InboxOut))
)]
async fn get(
    State(state): State<SharedState>,
    InboxPath { inbox }: InboxPath,
) -> Result<HeldAnswer<Json<InboxOut>>, ApiError> {
    let room = state.room_for_page().await?;
    let requests = state.portal.inbox_requests(inbox.id).await?;
    let body = Json(InboxOut::of(&state, &inbox, requests));
    Ok(HeldAnswer { body, room: Some(room) })
}

/// Delete an inbox and what it got.
#[utoipa::path(
    delete, path = "/api/v1/inbox/{inbox_id}", operation_id = "v1.inbox.delete", tag = "test inbox",
    params(InboxPath),
    responses((status = 204, description = "It is gone."))
)]
async fn delete(
    State(state): State<SharedState>,
    caller: Caller,
    InboxPath { inbox }: InboxPath,
) -> Result<StatusCode, ApiError> {
    if state.portal.delete_inbox(caller.actor(), &inbox).await? {
        Ok(StatusCode::NO_CONTENT)
    } else {
        Err(ApiError::NoSuch("inbox"))
    }
}

/// The routes of this part.
pub(super) fn routes() -> OpenApiRouter<SharedState> {
    OpenApiRouter::new().routes(routes!(get, delete))
}
