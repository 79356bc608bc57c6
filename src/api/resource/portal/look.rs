//! Reading and setting the look of the portal.

use axum::Json;
use axum::extract::State;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::api::conventions::extract::JsonBody;
use crate::api::credential::Caller;
use crate::api::error::ApiError;
use crate::api::state::SharedState;

use super::check;
use super::shape::{LookIn, LookOut};

/// Tell how the portal of this environment looks.
#[utoipa::path(
    get, path = "/api/v1/portal/look", operation_id = "v1.portal.get-look", tag = "portal",
    responses((status = 200, description = "The look.", body = LookOut))
)]
async fn get(State(state): State<SharedState>, caller: Caller) -> Result<Json<LookOut>, ApiError> {
    let (look, logo) = state.portal.look(caller.environment()?).await?;
    Ok(Json(LookOut::of(look, logo.as_ref())))
}

/// Set how the portal of this environment looks.
///
/// Everything is set at once, but for the logo: that stays unless another one is given, or `null`.
#[utoipa::path(
    put, path = "/api/v1/portal/look", operation_id = "v1.portal.set-look", tag = "portal",
    request_body = LookIn,
    responses((status = 200, description = "The look.", body = LookOut))
)]
async fn set(
    State(state): State<SharedState>,
    caller: Caller,
    JsonBody(input): JsonBody<LookIn>,
) -> Result<Json<LookOut>, ApiError> {
    let environment = caller.whole_environment()?;
    let (look, logo) = check::read(input)?;
    state.portal.set_look(caller.actor(), environment, &look, &logo).await?;
    state.embedders.forget().await;
    let (look, logo) = state.portal.look(environment).await?;
    Ok(Json(LookOut::of(look, logo.as_ref())))
}

/// The routes of this part.
pub(super) fn routes() -> OpenApiRouter<SharedState> {
    OpenApiRouter::new().routes(routes!(get, set))
}
