//! The inbox that an endpoint leads to.

use axum::Json;
use axum::extract::State;
use url::Url;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::api::credential::Caller;
use crate::api::error::ApiError;
use crate::api::intake::answer::HeldAnswer;
use crate::api::resource::path::EndpointPath;
use crate::api::state::SharedState;

use super::path::is_of;
use super::shape::InboxOut;

/// Show the test inbox that an endpoint leads to, and the requests that it got.
///
/// It is not found when the endpoint's URL is no test inbox, when that has ended, or when it is somebody else's.
#[utoipa::path(
    get, path = "/api/v1/app/{app_id}/endpoint/{endpoint_id}/inbox", operation_id = "v1.endpoint.get-inbox",
    tag = "test inbox",
    params(EndpointPath),
    responses((status = 200, description = "The inbox, the newest request first.", body = InboxOut))
)]
async fn get(
    State(state): State<SharedState>,
    caller: Caller,
    path: EndpointPath,
) -> Result<HeldAnswer<Json<InboxOut>>, ApiError> {
    const NO_INBOX: ApiError = ApiError::NoSuch("inbox");
    let endpoint = state.configuration.endpoint(path.application, path.endpoint).await?;
    let endpoint = endpoint.ok_or(ApiError::NoSuch("endpoint"))?;
    let url = Url::parse(&endpoint.settings.url).map_err(|_| ApiError::Internal)?;
    let name = state.inboxes.name_in(&url).ok_or(NO_INBOX)?;
    let inbox = state.portal.inbox_named(&name).await?;
    let environment = caller.environment()?;
    // Whoever knows an inbox's URL may post to it, and no more.
    let inbox = inbox.filter(|inbox| is_of(inbox, environment, caller.own_application())).ok_or(NO_INBOX)?;
    let room = state.room_for_page().await?;
    let requests = state.portal.inbox_requests(inbox.id).await?;
    let mut out = InboxOut::of(&state, &inbox, requests);
    out.url = caller.shown_url(out.url);
    Ok(HeldAnswer { body: Json(out), room: Some(room) })
}

/// The routes of this part.
pub(super) fn routes() -> OpenApiRouter<SharedState> {
    OpenApiRouter::new().routes(routes!(get))
}
