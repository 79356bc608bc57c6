//! Checking an endpoint live: is it reached, does it accept a genuine request, does it refuse a forged and an old one.
//! Nothing of it is stored, retried or counted; the audit log says who asked.

mod exchange;
mod requests;
mod shape;

use std::time::Duration;

use axum::Json;
use axum::extract::State;
use bytes::Bytes;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::api::conventions::extract::JsonBody;
use crate::api::conventions::validate::Findings;
use crate::api::credential::Caller;
use crate::api::error::ApiError;
use crate::api::openapi::errors::TooManyRequests;
use crate::api::resource::path::EndpointPath;
use crate::api::state::SharedState;

use crate::api::resource::endpoint::example::example_of;
use requests::Requests;
use shape::{CheckIn, CheckOut};

/// The body where no event type is named.
const PLAIN: &[u8] = br#"{"type":"postrider.test"}"#;
/// Each of the three requests may take so long, or as long as the endpoint's own setting says if that is shorter.
const REQUEST_TIMEOUT: Duration = Duration::from_secs(5);

/// Check an endpoint live.
///
/// Three requests are sent to the endpoint's URL, one after the other, by the way that deliveries go, also when the
/// endpoint is disabled or paused, with five seconds for each. `reached`: there was any answer. `genuine`: signed with
/// its secrets, passes by 2xx. `forged`: signed with a random secret, passes by 4xx. `old`: genuine, with a timestamp of
/// ten minutes ago, passes by 4xx. When it was not reached, the others are not tried. The body is the event type's
/// example, or `{"type":"postrider.test"}`; its `webhook-id` begins with `msg_test_`. Nothing is stored, retried or
/// counted. An endpoint may be checked ten times a minute, and eight of an application at a time.
#[utoipa::path(
    post, path = "/api/v1/app/{app_id}/endpoint/{endpoint_id}/check",
    operation_id = "v1.endpoint.check", tag = "endpoint",
    params(EndpointPath),
    request_body = CheckIn,
    responses((status = 200, description = "What came of each.", body = CheckOut), TooManyRequests)
)]
async fn check(
    State(state): State<SharedState>,
    caller: Caller,
    path: EndpointPath,
    JsonBody(input): JsonBody<CheckIn>,
) -> Result<Json<CheckOut>, ApiError> {
    let payload = match &input.event_type {
        None => Bytes::from_static(PLAIN),
        Some(event_type) => {
            let mut findings = Findings::of_body();
            findings.event_type("eventType", event_type);
            findings.finish()?;
            example_of(&state, caller.environment()?, event_type, 0).await?
        }
    };
    let _under_way = state.trials.begin_check(path.application, path.endpoint)?;
    let found = state.configuration.endpoint_alone(path.application, path.endpoint).await?;
    let mut endpoint = found.ok_or(ApiError::NoSuch("endpoint"))?;
    state.configuration.note_endpoint_checked(caller.actor(), path.application, path.endpoint).await?;
    endpoint.policy.timeout = endpoint.policy.timeout.min(REQUEST_TIMEOUT);
    let now = state.authenticator.clock().now();
    let url = endpoint.url.clone();
    let sender = state.trials.sender.clone();
    let sending = async move { Requests::new(&endpoint, payload, now).send(&sender).await };
    let tried = state.trials.threads.run(sending).await.map_err(|error| {
        tracing::error!(%error, "a check broke off");
        ApiError::Internal
    })?;
    Ok(Json(CheckOut::shown_to(&caller, now, &url, tried)))
}

/// The routes of this part.
pub(super) fn routes() -> OpenApiRouter<SharedState> {
    OpenApiRouter::new().routes(routes!(check))
}
