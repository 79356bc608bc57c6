//! Pauses. What is paused accepts messages and holds them, until it is resumed; nothing is lost and nothing is sent.
//! An environment pauses what is its own; an operator also all dispatching.

use axum::Json;
use axum::extract::State;
use chrono::{DateTime, Utc};
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::api::credential::{Caller, Role};
use crate::api::error::ApiError;
use crate::api::resource::path::{ApplicationPath, EndpointPath};
use crate::api::state::SharedState;
use crate::domain::id::{ApplicationId, EndpointId};

/// Whether something is paused.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct PauseOut {
    /// Since when it is paused; `null` when it is not.
    #[schema(required)]
    paused_at: Option<DateTime<Utc>>,
}

/// A paused application.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct PausedApplicationOut {
    /// Its id.
    #[schema(value_type = String, example = "app_01h455vb4pex5vsknk084sn02q")]
    app_id: ApplicationId,
    /// Since when.
    paused_at: DateTime<Utc>,
}

/// A paused endpoint.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct PausedEndpointOut {
    /// Its application's id.
    #[schema(value_type = String, example = "app_01h455vb4pex5vsknk084sn02q")]
    app_id: ApplicationId,
    /// Its id.
    #[schema(value_type = String, example = "ep_01h455vb4pex5vsknk084sn02q")]
    endpoint_id: EndpointId,
    /// Since when.
    paused_at: DateTime<Utc>,
}

/// What is paused.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct PausesOut {
    /// Since when all dispatching is paused; `null` when it is not.
    #[schema(required)]
    paused_at: Option<DateTime<Utc>>,
    /// The paused applications, the longest first, a thousand at most.
    applications: Vec<PausedApplicationOut>,
    /// The paused endpoints, the longest first, a thousand at most. One whose application is paused is not listed for
    /// that.
    endpoints: Vec<PausedEndpointOut>,
}

/// See what is paused.
///
/// An operator who names no environment sees all of them.
#[utoipa::path(
    get, path = "/api/v1/admin/pause", operation_id = "v1.admin.pause.list", tag = "admin",
    responses((status = 200, description = "What is paused.", body = PausesOut))
)]
async fn list(State(state): State<SharedState>, caller: Caller) -> Result<Json<PausesOut>, ApiError> {
    let environment = match caller.role {
        Role::Operator => caller.operator()?,
        Role::Environment | Role::Application => Some(caller.whole_environment()?),
    };
    let things = state.configuration.paused_things(environment).await?;
    let applications = things.applications.into_iter();
    let endpoints = things.endpoints.into_iter();
    Ok(Json(PausesOut {
        paused_at: things.dispatching,
        applications: applications
            .map(|(app_id, paused_at)| PausedApplicationOut { app_id, paused_at })
            .collect(),
        endpoints: endpoints
            .map(|(app_id, endpoint_id, paused_at)| PausedEndpointOut { app_id, endpoint_id, paused_at })
            .collect(),
    }))
}

/// Pause all dispatching, on every node.
///
/// Messages are still accepted, and held. What is under way finishes. It stays so until it is resumed, whatever is
/// restarted. For operators.
#[utoipa::path(
    post, path = "/api/v1/admin/pause", operation_id = "v1.admin.pause.all", tag = "admin",
    responses((status = 200, description = "Paused, now or from before.", body = PauseOut))
)]
async fn pause_all(State(state): State<SharedState>, caller: Caller) -> Result<Json<PauseOut>, ApiError> {
    change_all(&state, &caller, true).await
}

/// Resume all dispatching.
///
/// What was held goes out, to each endpoint slowly at first. What is paused or disabled by itself stays so. For
/// operators.
#[utoipa::path(
    post, path = "/api/v1/admin/resume", operation_id = "v1.admin.resume.all", tag = "admin",
    responses((status = 200, description = "It goes on.", body = PauseOut))
)]
async fn resume_all(State(state): State<SharedState>, caller: Caller) -> Result<Json<PauseOut>, ApiError> {
    change_all(&state, &caller, false).await
}

async fn change_all(state: &SharedState, caller: &Caller, paused: bool) -> Result<Json<PauseOut>, ApiError> {
    caller.operator()?;
    let paused_at = state.configuration.pause_dispatching(caller.actor(), paused).await?;
    state.views.forget_all_overviews();
    Ok(Json(PauseOut { paused_at }))
}

/// Pause an application: its endpoints hold what is posted.
#[utoipa::path(
    post, path = "/api/v1/admin/pause/app/{app_id}", operation_id = "v1.admin.pause.application",
    tag = "admin",
    params(ApplicationPath),
    responses((status = 200, description = "Paused, now or from before.", body = PauseOut))
)]
async fn pause_application(
    State(state): State<SharedState>,
    caller: Caller,
    path: ApplicationPath,
) -> Result<Json<PauseOut>, ApiError> {
    change_application(&state, &caller, &path, true).await
}

/// Resume an application. What was held goes out, to each endpoint slowly at first.
#[utoipa::path(
    post, path = "/api/v1/admin/resume/app/{app_id}", operation_id = "v1.admin.resume.application",
    tag = "admin",
    params(ApplicationPath),
    responses((status = 200, description = "It goes on.", body = PauseOut))
)]
async fn resume_application(
    State(state): State<SharedState>,
    caller: Caller,
    path: ApplicationPath,
) -> Result<Json<PauseOut>, ApiError> {
    change_application(&state, &caller, &path, false).await
}

async fn change_application(
    state: &SharedState,
    caller: &Caller,
    path: &ApplicationPath,
    paused: bool,
) -> Result<Json<PauseOut>, ApiError> {
    let environment = caller.whole_environment()?;
    let changed = state.configuration.pause_application(caller.actor(), path.application, paused).await?;
    state.views.forget_overviews(environment).await;
    changed.map(|paused_at| Json(PauseOut { paused_at })).ok_or(ApiError::NoSuch("application"))
}

/// Pause an endpoint: it holds what is posted.
#[utoipa::path(
    post, path = "/api/v1/admin/pause/app/{app_id}/endpoint/{endpoint_id}",
    operation_id = "v1.admin.pause.endpoint", tag = "admin",
    params(EndpointPath),
    responses((status = 200, description = "Paused, now or from before.", body = PauseOut))
)]
async fn pause_endpoint(
    State(state): State<SharedState>,
    caller: Caller,
    path: EndpointPath,
) -> Result<Json<PauseOut>, ApiError> {
    change_endpoint(&state, &caller, &path, true).await
}

/// Resume an endpoint. What was held goes out, slowly at first.
#[utoipa::path(
    post, path = "/api/v1/admin/resume/app/{app_id}/endpoint/{endpoint_id}",
    operation_id = "v1.admin.resume.endpoint", tag = "admin",
    params(EndpointPath),
    responses((status = 200, description = "It goes on.", body = PauseOut))
)]
async fn resume_endpoint(
    State(state): State<SharedState>,
    caller: Caller,
    path: EndpointPath,
) -> Result<Json<PauseOut>, ApiError> {
    change_endpoint(&state, &caller, &path, false).await
}

async fn change_endpoint(
    state: &SharedState,
    caller: &Caller,
    path: &EndpointPath,
    paused: bool,
) -> Result<Json<PauseOut>, ApiError> {
    let environment = caller.whole_environment()?;
    let (application, endpoint) = (path.application, path.endpoint);
    let changed = state.configuration.pause_endpoint(caller.actor(), application, endpoint, paused).await?;
    state.views.forget_overviews(environment).await;
    changed.map(|paused_at| Json(PauseOut { paused_at })).ok_or(ApiError::NoSuch("endpoint"))
}

/// The routes of this resource.
pub(super) fn routes() -> OpenApiRouter<SharedState> {
    OpenApiRouter::new()
        .routes(routes!(list, pause_all))
        .routes(routes!(resume_all))
        .routes(routes!(pause_application))
        .routes(routes!(resume_application))
        .routes(routes!(pause_endpoint))
        .routes(routes!(resume_endpoint))
}
