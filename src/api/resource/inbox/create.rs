//! Making an inbox.

use axum::Json;
use axum::extract::State;
use http::StatusCode;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::api::conventions::extract::JsonBody;
use crate::api::credential::Caller;
use crate::api::error::ApiError;
use crate::api::openapi::errors::NotFound;
use crate::api::state::{ApiState, SharedState};
use crate::domain::id::ApplicationId;

use super::shape::{InboxIn, InboxOut};

const DEFAULT_STATUS: u16 = 204;

/// Make a test inbox, a URL on Postrider itself that keeps what it gets for a day.
///
/// It takes any method and 64 KiB of a body, keeps the last hundred requests and 1 MiB of bodies, and answers with
/// `answerStatus`. Where an endpoint has its URL, what is not signed by that endpoint's secrets or is more than five minutes
/// old is kept as well, and answered 401, as a receiver should. An application may have 20 that are alive, an environment
/// 200 with those of its applications.
#[utoipa::path(
    post, path = "/api/v1/inbox", operation_id = "v1.inbox.create", tag = "test inbox",
    request_body = InboxIn,
    responses((status = 201, description = "The inbox.", body = InboxOut), NotFound)
)]
async fn create(
    State(state): State<SharedState>,
    caller: Caller,
    JsonBody(input): JsonBody<InboxIn>,
) -> Result<(StatusCode, Json<InboxOut>), ApiError> {
    let environment = caller.environment()?;
    let application = owner(&state, &caller, input.app_id.as_deref()).await?;
    let status = input.answer_status.unwrap_or(DEFAULT_STATUS);
    let made = state.portal.create_inbox(caller.actor(), environment, application, status).await?;
    let inbox = made.ok_or(ApiError::Conflict {
        code: "too_many_inboxes",
        detail: "There are as many test inboxes as there may be; delete one, or wait until one ends.",
    })?;
    Ok((StatusCode::CREATED, Json(InboxOut::of(&state, &inbox, Vec::new()))))
}

/// Whose it will be.
async fn owner(
    state: &ApiState,
    caller: &Caller,
    named: Option<&str>,
) -> Result<Option<ApplicationId>, ApiError> {
    match named {
        Some(named) => caller.application(&state.configuration, named).await.map(Some),
        None => Ok(caller.own_application()),
    }
}

/// The routes of this part.
pub(super) fn routes() -> OpenApiRouter<SharedState> {
    OpenApiRouter::new().routes(routes!(create))
}
