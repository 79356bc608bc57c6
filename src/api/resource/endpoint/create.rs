//! Creating an endpoint.

use axum::Json;
use axum::extract::State;
use http::StatusCode;

use crate::api::conventions::extract::JsonBody;
use crate::api::credential::Caller;
use crate::api::error::ApiError;
use crate::api::resource::path::ApplicationPath;
use crate::api::state::{ApiState, SharedState};
use crate::domain::access::actor::Actor;
use crate::domain::endpoint::secret::SigningSecret;
use crate::domain::endpoint::settings::EndpointSettings;
use crate::domain::id::ApplicationId;

use super::check::{Rules, in_place_of};
use super::shape::{EndpointIn, EndpointOut, NewEndpoint};

/// Create an endpoint.
#[utoipa::path(
    post, path = "/api/v1/app/{app_id}/endpoint", operation_id = "v1.endpoint.create", tag = "endpoint",
    params(ApplicationPath),
    request_body = EndpointIn,
    responses((status = 201, description = "Created.", body = EndpointOut))
)]
pub(super) async fn create(
    State(state): State<SharedState>,
    caller: Caller,
    path: ApplicationPath,
    JsonBody(input): JsonBody<EndpointIn>,
) -> Result<(StatusCode, Json<EndpointOut>), ApiError> {
    let new = input.read(&Rules::of(&state, &caller))?;
    let record = create_from(&state, caller.actor(), path.application, new).await?;
    Ok((StatusCode::CREATED, Json(record)))
}

/// Creates an endpoint of what was checked.
pub(in crate::api::resource) async fn create_from(
    state: &ApiState,
    actor: &Actor,
    application: ApplicationId,
    new: NewEndpoint,
) -> Result<EndpointOut, ApiError> {
    state.endpoint_caps.admit(&state.configuration, &state.caps, actor, application).await?;
    let NewEndpoint { settings, secret, headers } = new;
    let settings = in_place_of(settings, &EndpointSettings::default())?;
    let secret = secret.unwrap_or_else(SigningSecret::generate);
    let headers = headers.unwrap_or_default();
    Ok(state.configuration.create_endpoint(actor, application, &settings, &secret, &headers).await?.into())
}
