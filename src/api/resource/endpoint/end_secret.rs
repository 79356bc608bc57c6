//! The end of a rotated secret before its grace is over, such as of one that leaked.

use axum::extract::State;
use http::StatusCode;

use crate::api::conventions::path::{PathObject, PathParameter, PathValues, path_extractors};
use crate::api::credential::Caller;
use crate::api::error::{ApiError, ErrorOut};
use crate::api::resource::path::{APPLICATION, ENDPOINT, EndpointPath};
use crate::api::state::{ApiState, SharedState};
use crate::domain::id::SecretId;
use crate::store::SecretEnd;

const SECRET: PathParameter =
    PathParameter::new("secret_id", "The secret's id, as the endpoint's overview lists it.");

/// A secret of an endpoint. That it is there is not looked up.
pub(super) struct SecretPath {
    endpoint: EndpointPath,
    secret: SecretId,
}

impl PathObject for SecretPath {
    const PARAMETERS: &[PathParameter] = &[APPLICATION, ENDPOINT, SECRET];

    async fn find(values: &PathValues, caller: &Caller, state: &ApiState) -> Result<Self, ApiError> {
        let endpoint = EndpointPath::find(values, caller, state).await?;
        Ok(Self { endpoint, secret: values.id(&SECRET)? })
    }
}

path_extractors!(SecretPath);

/// End a rotated secret before its grace is over. It signs no longer, on any node.
#[utoipa::path(
    delete, path = "/api/v1/app/{app_id}/endpoint/{endpoint_id}/secret/{secret_id}",
    operation_id = "v1.endpoint.end-secret", tag = "endpoint",
    params(SecretPath),
    responses(
        (status = 204, description = "It signs no longer."),
        (status = 409, description = "It is the one that signs now (`secret_is_current`): rotate it first.", body = ErrorOut)
    )
)]
pub(super) async fn end_secret(
    State(state): State<SharedState>,
    caller: Caller,
    path: SecretPath,
) -> Result<StatusCode, ApiError> {
    let EndpointPath { application, endpoint } = path.endpoint;
    let ended =
        state.configuration.end_endpoint_secret(caller.actor(), application, endpoint, path.secret).await?;
    match ended {
        SecretEnd::Ended => Ok(StatusCode::NO_CONTENT),
        SecretEnd::NotFound => Err(ApiError::NoSuch("secret")),
        SecretEnd::IsCurrent => Err(ApiError::Conflict {
            code: "secret_is_current",
            detail: "It is the secret that signs now: rotate it, and another takes its place.",
        }),
    }
}
