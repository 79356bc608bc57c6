//! The rules of an environment.

use axum::Json;
use axum::extract::State;
use http::StatusCode;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::api::conventions::extract::JsonBody;
use crate::api::credential::Caller;
use crate::api::error::ApiError;
use crate::api::openapi::errors::Conflict;
use crate::api::state::SharedState;

use super::path::RulePath;
use super::rule_shape::{AlertRuleIn, AlertRuleOut, AlertRulesOut};

/// List the environment's alert rules, and their state.
///
/// Two are there from the start: one for every dead letter, and one for more than a tenth of the attempts failing. However much
/// happens, a rule sends one alert when its condition begins to be met, and one recovery.
#[utoipa::path(
    get, path = "/api/v1/alert-rule", operation_id = "v1.alert-rule.list", tag = "alert",
    responses((status = 200, description = "All of them.", body = AlertRulesOut))
)]
async fn list(State(state): State<SharedState>, caller: Caller) -> Result<Json<AlertRulesOut>, ApiError> {
    let rules = state.alerts.rules(caller.whole_environment()?).await?;
    Ok(Json(AlertRulesOut { data: rules.into_iter().map(Into::into).collect() }))
}

/// Create an alert rule. An environment may have 50.
#[utoipa::path(
    post, path = "/api/v1/alert-rule", operation_id = "v1.alert-rule.create", tag = "alert",
    request_body = AlertRuleIn,
    responses((status = 201, description = "The rule.", body = AlertRuleOut), Conflict)
)]
async fn create(
    State(state): State<SharedState>,
    caller: Caller,
    JsonBody(input): JsonBody<AlertRuleIn>,
) -> Result<(StatusCode, Json<AlertRuleOut>), ApiError> {
    let environment = caller.whole_environment()?;
    let settings = input.settings()?;
    let created = state.alerts.create_rule(caller.actor(), environment, &settings).await?;
    let rule = created.ok_or(ApiError::Conflict {
        code: "too_many_alert_rules",
        detail: "There are as many alert rules as there may be; delete one.",
    })?;
    Ok((StatusCode::CREATED, Json(rule.into())))
}

/// Get an alert rule, and its state.
#[utoipa::path(
    get, path = "/api/v1/alert-rule/{alert_rule_id}", operation_id = "v1.alert-rule.get", tag = "alert",
    params(RulePath),
    responses((status = 200, description = "The rule.", body = AlertRuleOut))
)]
async fn get(RulePath { rule }: RulePath) -> Json<AlertRuleOut> {
    Json(rule.into())
}

/// Replace an alert rule's settings. Its state begins anew.
#[utoipa::path(
    put, path = "/api/v1/alert-rule/{alert_rule_id}", operation_id = "v1.alert-rule.update", tag = "alert",
    params(RulePath), request_body = AlertRuleIn,
    responses((status = 200, description = "As it is now.", body = AlertRuleOut))
)]
async fn update(
    State(state): State<SharedState>,
    caller: Caller,
    RulePath { rule }: RulePath,
    JsonBody(input): JsonBody<AlertRuleIn>,
) -> Result<Json<AlertRuleOut>, ApiError> {
    let environment = caller.whole_environment()?;
    let settings = input.settings()?;
    let changed = state.alerts.change_rule(caller.actor(), environment, rule.id, &settings).await?;
    changed.map(|rule| Json(rule.into())).ok_or(ApiError::NoSuch("alert rule"))
}

/// Delete an alert rule.
#[utoipa::path(
    delete, path = "/api/v1/alert-rule/{alert_rule_id}", operation_id = "v1.alert-rule.delete", tag = "alert",
    params(RulePath),
    responses((status = 204, description = "It is gone."))
)]
async fn delete(
    State(state): State<SharedState>,
    caller: Caller,
    RulePath { rule }: RulePath,
) -> Result<StatusCode, ApiError> {
    match state.alerts.delete_rule(caller.actor(), caller.whole_environment()?, rule.id).await? {
        true => Ok(StatusCode::NO_CONTENT),
        false => Err(ApiError::NoSuch("alert rule")),
    }
}

/// The routes of this part.
pub(super) fn routes() -> OpenApiRouter<SharedState> {
    OpenApiRouter::new().routes(routes!(list, create)).routes(routes!(get, update, delete))
}
