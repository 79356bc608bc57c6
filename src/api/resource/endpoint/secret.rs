//! The secret that an endpoint's requests are signed with: read by the tenant to verify, rotated when it leaked.

use axum::Json;
use axum::extract::State;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::api::conventions::extract::OptionalJsonBody;
use crate::api::conventions::validate::Findings;
use crate::api::credential::Caller;
use crate::api::error::ApiError;
use crate::api::resource::path::EndpointPath;
use crate::api::state::{ApiState, SharedState};
use crate::domain::access::actor::Actor;
use crate::domain::endpoint::secret::{MAX_GRACE_SECONDS, SigningSecret};
use crate::domain::id::{ApplicationId, EndpointId};

const DEFAULT_GRACE_SECONDS: u32 = 24 * 60 * 60;

/// What verifies an endpoint's requests.
#[derive(Debug, Serialize, ToSchema)]
pub(in crate::api::resource) struct EndpointSecretOut {
    /// The shared secret `whsec_…`, or for ed25519 the public key `whpk_…`.
    #[schema(example = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSwMfKQ9r8GKYo=")]
    key: String,
}

/// How to rotate a secret.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(in crate::api::resource) struct EndpointSecretRotateIn {
    /// The new secret, `whsec_…` or `whsk_…`. One is made when it is absent.
    key: Option<String>,
    /// For how long the old one signs along: a day when absent, seven days at most, 0 to end it at once.
    #[schema(minimum = 0, maximum = 604_800)]
    grace_period_seconds: Option<u32>,
}

fn verifying_text(secret: &SigningSecret) -> String {
    secret.public_text().unwrap_or_else(|| secret.to_text())
}

/// Get what verifies an endpoint's requests.
#[utoipa::path(
    get, path = "/api/v1/app/{app_id}/endpoint/{endpoint_id}/secret",
    operation_id = "v1.endpoint.get-secret", tag = "endpoint",
    params(EndpointPath),
    responses((status = 200, description = "The current key.", body = EndpointSecretOut))
)]
async fn get(
    State(state): State<SharedState>,
    path: EndpointPath,
) -> Result<Json<EndpointSecretOut>, ApiError> {
    shown(&state, path.application, path.endpoint).await
}

/// What verifies the requests of an endpoint.
pub(in crate::api) async fn shown(
    state: &ApiState,
    application: ApplicationId,
    endpoint: EndpointId,
) -> Result<Json<EndpointSecretOut>, ApiError> {
    let secret = state.configuration.endpoint_secret(application, endpoint).await?;
    let secret = secret.ok_or(ApiError::NoSuch("endpoint"))?;
    Ok(Json(EndpointSecretOut { key: verifying_text(&secret) }))
}

/// Put a new secret in place of the current one, which signs along for a while.
#[utoipa::path(
    post, path = "/api/v1/app/{app_id}/endpoint/{endpoint_id}/secret/rotate",
    operation_id = "v1.endpoint.rotate-secret", tag = "endpoint",
    params(EndpointPath),
    request_body(content = Option<EndpointSecretRotateIn>, description = "May be left out."),
    responses((status = 200, description = "The new key.", body = EndpointSecretOut))
)]
async fn rotate(
    State(state): State<SharedState>,
    caller: Caller,
    path: EndpointPath,
    OptionalJsonBody(input): OptionalJsonBody<EndpointSecretRotateIn>,
) -> Result<Json<EndpointSecretOut>, ApiError> {
    renew(&state, caller.actor(), path.application, path.endpoint, input.unwrap_or_default()).await
}

/// Rotates the secret of an endpoint, as the body asks.
pub(in crate::api::resource) async fn renew(
    state: &ApiState,
    actor: &Actor,
    application: ApplicationId,
    endpoint: EndpointId,
    input: EndpointSecretRotateIn,
) -> Result<Json<EndpointSecretOut>, ApiError> {
    let grace_seconds = input.grace_period_seconds.unwrap_or(DEFAULT_GRACE_SECONDS);
    let mut findings = Findings::of_body();
    if grace_seconds > MAX_GRACE_SECONDS {
        findings.add("gracePeriodSeconds", format!("may be {MAX_GRACE_SECONDS} at most"));
    }
    let secret = input.key.as_deref().map_or_else(|| Ok(SigningSecret::generate()), SigningSecret::parse);
    findings.note("key", secret.as_ref().err().map(ToString::to_string));
    findings.finish()?;
    let Ok(secret) = secret else { return Err(ApiError::Internal) };
    if state
        .configuration
        .rotate_endpoint_secret(actor, application, endpoint, &secret, grace_seconds)
        .await?
    {
        Ok(Json(EndpointSecretOut { key: verifying_text(&secret) }))
    } else {
        Err(ApiError::NoSuch("endpoint"))
    }
}

/// The routes of this part.
pub(super) fn routes() -> OpenApiRouter<SharedState> {
    OpenApiRouter::new().routes(routes!(get)).routes(routes!(rotate))
}
