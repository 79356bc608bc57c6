//! How the deliveries of an environment's tenants are treated, and how long what is theirs is kept, where neither the
//! endpoint nor its application says so.

use axum::Json;
use axum::extract::State;
use serde::{Deserialize, Serialize};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::api::conventions::extract::JsonBody;
use crate::api::conventions::settings::{read, shown};
use crate::api::conventions::validate::Findings;
use crate::api::credential::Caller;
use crate::api::error::ApiError;
use crate::api::openapi::settings::{answer, change, has_schema};
use crate::api::state::SharedState;
use crate::domain::environment::EnvironmentSettings;
use crate::domain::settings::{Fields, Settings};

/// What to change of it.
#[derive(Debug, Deserialize)]
struct EnvironmentPolicyPatch(Fields);

/// What is set.
#[derive(Debug, Serialize)]
struct EnvironmentPolicyOut(Fields);

has_schema!(
    EnvironmentPolicyPatch => change::<EnvironmentSettings>(
        "What to change of how an environment's deliveries are treated; what is absent stays.",
    ),
    EnvironmentPolicyOut =>
        answer::<EnvironmentSettings>("How an environment's deliveries are treated.", Vec::new()),
);

fn check(cap: u32, settings: &EnvironmentSettings, findings: &mut Findings) {
    if settings.policy.max_in_flight.is_some_and(|limit| !(1..=cap).contains(&limit)) {
        let msg = format!("must be between 1 and {cap}, the operator's `max_in_flight_cap`");
        findings.add("maxInFlight", msg);
    }
    findings.retry_schedule("retrySchedule", settings.policy.retry_schedule.as_deref());
    findings.retention(&settings.retention);
}

/// Get how the environment's deliveries are treated, and how long things are kept.
///
/// It holds where neither an endpoint nor its application says so.
#[utoipa::path(
    get, path = "/api/v1/environment/policy", operation_id = "v1.environment.get-policy", tag = "environment",
    responses((status = 200, description = "What is set.", body = EnvironmentPolicyOut))
)]
async fn get(
    State(state): State<SharedState>,
    caller: Caller,
) -> Result<Json<EnvironmentPolicyOut>, ApiError> {
    let settings = state.configuration.environment_settings(caller.whole_environment()?).await?;
    Ok(Json(EnvironmentPolicyOut(shown(&settings))))
}

/// Change how the environment's deliveries are treated, and how long things are kept.
///
/// It holds for the next attempt of every endpoint that does not say otherwise, and from the next round of maintenance on.
/// `null` leaves it to the server.
#[utoipa::path(
    patch, path = "/api/v1/environment/policy", operation_id = "v1.environment.patch-policy", tag = "environment",
    request_body = EnvironmentPolicyPatch,
    responses((status = 200, description = "As it is now.", body = EnvironmentPolicyOut))
)]
async fn patch(
    State(state): State<SharedState>,
    caller: Caller,
    JsonBody(EnvironmentPolicyPatch(given)): JsonBody<EnvironmentPolicyPatch>,
) -> Result<Json<EnvironmentPolicyOut>, ApiError> {
    let cap = state.caps.max_in_flight;
    let change = |there: &EnvironmentSettings| {
        read(&there.fields(), given, |settings, findings| check(cap, settings, findings))
    };
    let changed =
        state.configuration.change_environment(caller.actor(), caller.whole_environment()?, change).await?;
    let settings = changed.ok_or(ApiError::NoSuch("environment"))?;
    Ok(Json(EnvironmentPolicyOut(shown(&settings))))
}

/// The routes of this resource.
pub(super) fn routes() -> OpenApiRouter<SharedState> {
    OpenApiRouter::new().routes(routes!(get, patch))
}
