//! Creating an application: by itself, or on the way, when something is posted for one that is not there yet.

use axum::Json;
use axum::extract::State;
use http::StatusCode;
use serde::Deserialize;
use utoipa::IntoParams;

use crate::api::conventions::extract::{ApiQuery, JsonBody};
use crate::api::conventions::validate::Findings;
use crate::api::credential::Caller;
use crate::api::error::ApiError;
use crate::api::state::{ApiState, SharedState};
use crate::domain::id::ApplicationId;
use crate::domain::id::reference::Reference;
use crate::store::StoreError;

use super::shape::{ApplicationIn, ApplicationOut};

/// How to create an application.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct CreateQuery {
    /// Answer `200` with the application that has this `uid` already, unchanged.
    #[param(default = false)]
    get_if_exists: Option<bool>,
}

/// Create an application.
#[utoipa::path(
    post, path = "/api/v1/app", operation_id = "v1.application.create", tag = "application",
    params(CreateQuery),
    request_body = ApplicationIn,
    responses(
        (status = 200, description = "It was there already (`get_if_exists`).", body = ApplicationOut),
        (status = 201, description = "Created.", body = ApplicationOut)
    )
)]
pub(super) async fn create(
    State(state): State<SharedState>,
    caller: Caller,
    ApiQuery(query): ApiQuery<CreateQuery>,
    JsonBody(input): JsonBody<ApplicationIn>,
) -> Result<(StatusCode, Json<ApplicationOut>), ApiError> {
    let environment = caller.whole_environment()?;
    let settings = input.settings()?;
    let existing = settings.uid.clone().filter(|_| query.get_if_exists.unwrap_or(false)).map(Reference::Uid);
    if let Some(reference) = &existing
        && let Some(record) = state.configuration.application(environment, reference).await?
    {
        return Ok((StatusCode::OK, Json(record.into())));
    }
    match (state.configuration.create_application(caller.actor(), environment, &settings).await, existing) {
        (Ok(record), _) => Ok((StatusCode::CREATED, Json(record.into()))),
        // Another request created it in between.
        (Err(StoreError::Conflict(_)), Some(reference)) => {
            let record = state.configuration.application(environment, &reference).await?;
            record.map(|record| (StatusCode::OK, Json(record.into()))).ok_or(ApiError::Unavailable)
        }
        (Err(error), _) => Err(error.into()),
    }
}

/// Creates the application under the `uid` in the path. When another request creates it first, that one is used.
pub(in crate::api) async fn create_unless_there(
    state: &ApiState,
    caller: &Caller,
    app_id: &str,
    application: ApplicationIn,
) -> Result<(), ApiError> {
    let Reference::<ApplicationId>::Uid(uid) = Reference::parse(app_id) else {
        return Err(ApiError::NoSuch("application"));
    };
    let mut findings = Findings::of_path();
    findings.uid("app_id", Some(&uid), ApplicationId::PREFIX);
    findings.finish()?;
    let mut settings = application.settings()?;
    settings.uid = Some(uid);
    match state.configuration.create_application(caller.actor(), caller.environment()?, &settings).await {
        Ok(_) | Err(StoreError::Conflict(_)) => Ok(()),
        Err(error) => Err(error.into()),
    }
}
