//! Explaining why a signature that a receiver computed differs from ours.

use axum::Json;
use axum::extract::State;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::api::conventions::extract::JsonBody;
use crate::api::credential::Caller;
use crate::api::error::ApiError;
use crate::api::intake::blocking::on_blocking_thread;
use crate::api::openapi::errors::TooManyRequests;
use crate::api::resource::path::EndpointPath;
use crate::api::state::SharedState;
use crate::domain::access::capability::Capability;
use crate::domain::endpoint::secret::SigningKey;
use crate::sign::explain::{Computed, Verdict, explain};

/// What a receiver computed, and of what.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct ExplainIn {
    /// What it computed: `v1,…`, or only the Base64 or the hexadecimal digits.
    #[schema(max_length = 1024, example = "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=")]
    signature: String,
    /// The `webhook-id` of the request.
    #[schema(max_length = 256, example = "msg_01h455vb4pex5vsknk084sn02q")]
    message_id: String,
    /// The `webhook-timestamp` of the request, in seconds.
    #[schema(example = 1_700_000_000)]
    timestamp: i64,
    /// The body as it was sent.
    #[schema(max_length = 262_144, example = "{\"type\":\"postrider.test\"}")]
    payload: String,
}

/// Why it differs.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct ExplainOut {
    /// `matches`, the first mistake that was found, or `unknown` when it is none of those that are tried.
    verdict: Verdict,
    /// A second mistake, made together with the first.
    #[schema(required)]
    also: Option<Verdict>,
    /// The beginning of the secret that it was made with; `null` when that is not known, or not for the caller to see.
    #[schema(required, example = "whsec_C2FV")]
    secret_hint: Option<String>,
}

/// Explain why a signature differs.
///
/// Tries the mistakes that are made most often with the endpoint's own secrets: those that sign now, and some that were
/// rotated out. Another endpoint's are not tried. No signature is told. It may be asked for thirty times a minute for an
/// endpoint.
#[utoipa::path(
    post, path = "/api/v1/app/{app_id}/endpoint/{endpoint_id}/signature/explain",
    operation_id = "v1.endpoint.explain-signature", tag = "endpoint",
    params(EndpointPath),
    request_body = ExplainIn,
    responses((status = 200, description = "What it was.", body = ExplainOut), TooManyRequests)
)]
async fn explain_signature(
    State(state): State<SharedState>,
    caller: Caller,
    path: EndpointPath,
    JsonBody(input): JsonBody<ExplainIn>,
) -> Result<Json<ExplainOut>, ApiError> {
    let turn = state.trials.begin_explanation(path.endpoint).await?;
    let found = state.configuration.endpoint_alone(path.application, path.endpoint).await?;
    let endpoint = found.ok_or(ApiError::NoSuch("endpoint"))?;
    let now = state.authenticator.clock().now();
    let sees_hint = may_see_secrets(&caller);
    let explained = on_blocking_thread(move || {
        let _turn = turn;
        let computed = Computed {
            signature: &input.signature,
            id: &input.message_id,
            timestamp: input.timestamp,
            payload: input.payload.as_bytes(),
            endpoint: &endpoint.id.to_string(),
        };
        let found = explain(&endpoint.keys, &computed, now);
        let key = found.key.and_then(|place| endpoint.keys.get(place)).filter(|_| sees_hint);
        ExplainOut { verdict: found.verdict, also: found.also, secret_hint: key.map(SigningKey::hint) }
    });
    explained.await.map(Json)
}

fn may_see_secrets(caller: &Caller) -> bool {
    let seeing =
        [Capability::ViewEndpointSecret, Capability::ManageEndpointSecret, Capability::ManageEndpoint];
    caller.capabilities().iter().any(|given| seeing.contains(given))
}

/// The routes of this part.
pub(super) fn routes() -> OpenApiRouter<SharedState> {
    OpenApiRouter::new().routes(routes!(explain_signature))
}
