//! Applications: one for each tenant.

use std::collections::BTreeMap;

use axum::Json;
use axum::extract::State;
use chrono::{DateTime, Utc};
use http::StatusCode;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::api::conventions::error::ApiError;
use crate::api::conventions::extract::{ApiQuery, JsonBody, double_option, present};
use crate::api::conventions::page::{ListOut, Ordering, PageQuery};
use crate::api::conventions::validate::{Findings, schedule_ms, schedule_seconds, stored_count};
use crate::api::credential::Caller;
use crate::api::openapi::errors::Conflict;
use crate::api::resource::path::{ApplicationName, ApplicationPath};
use crate::api::state::{ApiState, SharedState};
use crate::domain::id::ApplicationId;
use crate::domain::id::reference::Reference;
use crate::store::{ApplicationRecord, ApplicationSettings, StoreError};

/// An application to create, or what to replace one with.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct ApplicationIn {
    /// For people.
    #[schema(min_length = 1, example = "Example Ltd")]
    pub name: String,
    /// Your own id for it; it works wherever ours does.
    #[schema(min_length = 1, max_length = 256, pattern = "^[a-zA-Z0-9\\-_.]+$")]
    pub uid: Option<String>,
    /// At most this many messages a second.
    #[schema(minimum = 1)]
    pub rate_limit: Option<u32>,
    /// Another name of `rateLimit`.
    #[schema(minimum = 1)]
    pub throttle_rate: Option<u32>,
    /// The waits before each retry, in seconds. Absent: the server's schedule; empty: no retries.
    #[schema(max_items = 15, example = json!([60, 300, 1800]))]
    pub retry_schedule: Option<Vec<f64>>,
    /// Free-form, 4 KiB at most.
    pub metadata: Option<BTreeMap<String, String>>,
}

/// What to change of an application; what is absent stays.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct ApplicationPatch {
    /// For people.
    #[serde(default, deserialize_with = "present")]
    #[schema(min_length = 1, nullable = false)]
    name: Option<String>,
    /// Your own id for it; `null` takes it away.
    #[serde(default, deserialize_with = "double_option")]
    #[schema(value_type = Option<String>, min_length = 1, max_length = 256, pattern = "^[a-zA-Z0-9\\-_.]+$")]
    uid: Option<Option<String>>,
    /// At most this many messages a second; `null` for no limit.
    #[serde(default, deserialize_with = "double_option")]
    #[schema(value_type = Option<u32>, minimum = 1)]
    rate_limit: Option<Option<u32>>,
    /// Another name of `rateLimit`.
    #[serde(default, deserialize_with = "double_option")]
    #[schema(value_type = Option<u32>, minimum = 1)]
    throttle_rate: Option<Option<u32>>,
    /// The waits before each retry, in seconds; `null` for the server's schedule.
    #[serde(default, deserialize_with = "double_option")]
    #[schema(value_type = Option<Vec<f64>>, max_items = 15)]
    retry_schedule: Option<Option<Vec<f64>>>,
    /// Free-form, 4 KiB at most; replaces what was there.
    #[serde(default, deserialize_with = "double_option")]
    #[schema(value_type = Option<BTreeMap<String, String>>)]
    metadata: Option<Option<BTreeMap<String, String>>>,
}

/// An application.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct ApplicationOut {
    /// Our id for it.
    #[schema(value_type = String, example = "app_01h455vb4pex5vsknk084sn02q")]
    pub id: ApplicationId,
    /// Your id for it.
    pub uid: Option<String>,
    /// For people.
    pub name: String,
    /// At most this many messages a second.
    pub rate_limit: Option<i32>,
    /// The same as `rateLimit`.
    pub throttle_rate: Option<i32>,
    /// The waits before each retry, in seconds, when it has its own.
    pub retry_schedule: Option<Vec<f64>>,
    /// Free-form.
    pub metadata: BTreeMap<String, String>,
    /// Since when it is paused by an operator; its endpoints hold their deliveries.
    pub paused_at: Option<DateTime<Utc>>,
    /// When it was created.
    pub created_at: DateTime<Utc>,
    /// When it was last changed.
    pub updated_at: DateTime<Utc>,
}

impl From<ApplicationRecord> for ApplicationOut {
    fn from(record: ApplicationRecord) -> Self {
        let settings = record.settings;
        Self {
            id: record.id,
            uid: settings.uid,
            name: settings.name,
            rate_limit: settings.rate_limit,
            throttle_rate: settings.rate_limit,
            retry_schedule: settings.retry_schedule_ms.as_deref().map(schedule_seconds),
            metadata: settings.metadata,
            paused_at: record.paused_at,
            created_at: record.created_at,
            updated_at: record.updated_at,
        }
    }
}

impl ApplicationIn {
    /// Notes what is wrong with it.
    pub fn check(&self, findings: &mut Findings) {
        findings.name("name", &self.name);
        findings.uid("uid", self.uid.as_deref());
        findings.rate_limit("rateLimit", self.rate_limit);
        findings.rate_limit("throttleRate", self.throttle_rate);
        findings.retry_schedule("retrySchedule", self.retry_schedule.as_deref());
        findings.metadata("metadata", self.metadata.as_ref().unwrap_or(&BTreeMap::new()));
    }

    /// Notes what is wrong with it, where it stands in a message and is created under the `uid` in the path.
    pub fn check_created_at(&self, findings: Findings, app_id: &str) -> Findings {
        let mut findings = findings.below("application");
        self.check(&mut findings);
        if self.uid.as_deref().is_some_and(|uid| uid != app_id) {
            findings.add("uid", "must be the `uid` in the path");
        }
        findings
    }

    /// The settings that it asks for.
    pub fn settings(self) -> ApplicationSettings {
        ApplicationSettings {
            uid: self.uid,
            name: self.name,
            rate_limit: self.rate_limit.or(self.throttle_rate).map(stored_count),
            retry_schedule_ms: self.retry_schedule.as_deref().map(schedule_ms),
            metadata: self.metadata.unwrap_or_default(),
        }
    }
}

impl ApplicationPatch {
    fn check(&self) -> Result<(), ApiError> {
        let mut findings = Findings::of_body();
        if let Some(name) = &self.name {
            findings.name("name", name);
        }
        findings.uid("uid", self.uid.as_ref().and_then(Option::as_deref));
        findings.rate_limit("rateLimit", self.rate_limit.flatten());
        findings.rate_limit("throttleRate", self.throttle_rate.flatten());
        findings.retry_schedule("retrySchedule", self.retry_schedule.as_ref().and_then(Option::as_deref));
        if let Some(Some(metadata)) = &self.metadata {
            findings.metadata("metadata", metadata);
        }
        findings.finish()
    }

    fn apply(self, settings: &mut ApplicationSettings) {
        if let Some(name) = self.name {
            settings.name = name;
        }
        if let Some(uid) = self.uid {
            settings.uid = uid;
        }
        if let Some(limit) = self.rate_limit.or(self.throttle_rate) {
            settings.rate_limit = limit.map(stored_count);
        }
        if let Some(schedule) = self.retry_schedule {
            settings.retry_schedule_ms = schedule.as_deref().map(schedule_ms);
        }
        if let Some(metadata) = self.metadata {
            settings.metadata = metadata.unwrap_or_default();
        }
    }
}

/// How to create an application.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct CreateQuery {
    /// Answer `200` with the application that has this `uid` already, unchanged.
    #[param(default = false)]
    get_if_exists: Option<bool>,
}

/// Creates the application under the `uid` in the path. That another request does so first is as good.
pub(in crate::api) async fn create_unless_there(
    state: &ApiState,
    caller: &Caller,
    app_id: &str,
    application: ApplicationIn,
) -> Result<(), ApiError> {
    let Reference::<ApplicationId>::Uid(uid) = Reference::parse(app_id) else {
        return Err(ApiError::NotFound);
    };
    let mut findings = Findings::of_path();
    findings.uid("app_id", Some(&uid));
    findings.finish()?;
    let mut settings = application.settings();
    settings.uid = Some(uid);
    match state.configuration.create_application(caller.actor(), caller.environment()?, &settings).await {
        Ok(_) | Err(StoreError::Conflict(_)) => Ok(()),
        Err(error) => Err(error.into()),
    }
}

/// List the applications of the environment.
#[utoipa::path(
    get, path = "/api/v1/app", operation_id = "v1.application.list", tag = "application",
    params(PageQuery),
    responses((status = 200, description = "A page of them, oldest first.", body = ListOut<ApplicationOut>))
)]
async fn list(
    State(state): State<SharedState>,
    caller: Caller,
    ApiQuery(query): ApiQuery<PageQuery>,
) -> Result<Json<ListOut<ApplicationOut>>, ApiError> {
    let environment = caller.whole_environment()?;
    let page = query.request::<ApplicationId>(Ordering::Ascending)?;
    let rows = state.configuration.applications(environment, &page.scan).await?;
    Ok(Json(page.answer(rows, |row| row.id.to_string(), ApplicationOut::from)))
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
async fn create(
    State(state): State<SharedState>,
    caller: Caller,
    ApiQuery(query): ApiQuery<CreateQuery>,
    JsonBody(input): JsonBody<ApplicationIn>,
) -> Result<(StatusCode, Json<ApplicationOut>), ApiError> {
    let environment = caller.whole_environment()?;
    let mut findings = Findings::of_body();
    input.check(&mut findings);
    findings.finish()?;
    let settings = input.settings();
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

/// Get an application.
#[utoipa::path(
    get, path = "/api/v1/app/{app_id}", operation_id = "v1.application.get", tag = "application",
    params(ApplicationPath),
    responses((status = 200, description = "The application.", body = ApplicationOut))
)]
async fn get(
    State(state): State<SharedState>,
    caller: Caller,
    path: ApplicationPath,
) -> Result<Json<ApplicationOut>, ApiError> {
    let record =
        state.configuration.application(caller.environment()?, &Reference::Id(path.application)).await?;
    let record = record.ok_or(ApiError::NotFound)?;
    Ok(Json(record.into()))
}

/// Replace an application, or create it under the `uid` in the path.
#[utoipa::path(
    put, path = "/api/v1/app/{app_id}", operation_id = "v1.application.update", tag = "application",
    params(ApplicationName),
    request_body = ApplicationIn,
    responses(
        (status = 200, description = "Replaced.", body = ApplicationOut),
        (status = 201, description = "Created.", body = ApplicationOut),
        Conflict
    )
)]
async fn update(
    State(state): State<SharedState>,
    caller: Caller,
    path: ApplicationName,
    JsonBody(input): JsonBody<ApplicationIn>,
) -> Result<(StatusCode, Json<ApplicationOut>), ApiError> {
    let environment = caller.whole_environment()?;
    let mut findings = Findings::of_body();
    input.check(&mut findings);
    findings.finish()?;
    let reference = Reference::parse(&path.name);
    let mut settings = input.settings();
    if settings.uid.is_none() {
        settings.uid = reference.uid().map(str::to_owned);
    }
    let replacement = settings.clone();
    let changed = state
        .configuration
        .change_application(caller.actor(), environment, &reference, |s| *s = replacement)
        .await?;
    if let Some(record) = changed {
        return Ok((StatusCode::OK, Json(record.into())));
    }
    let mut findings = Findings::of_path();
    let Reference::Uid(uid) = reference else { return Err(ApiError::NotFound) };
    findings.uid("app_id", Some(&uid));
    findings.finish()?;
    let record = state.configuration.create_application(caller.actor(), environment, &settings).await?;
    Ok((StatusCode::CREATED, Json(record.into())))
}

/// Change some of an application.
#[utoipa::path(
    patch, path = "/api/v1/app/{app_id}", operation_id = "v1.application.patch", tag = "application",
    params(ApplicationPath),
    request_body = ApplicationPatch,
    responses((status = 200, description = "As it is now.", body = ApplicationOut), Conflict)
)]
async fn patch(
    State(state): State<SharedState>,
    caller: Caller,
    path: ApplicationPath,
    JsonBody(input): JsonBody<ApplicationPatch>,
) -> Result<Json<ApplicationOut>, ApiError> {
    let environment = caller.whole_environment()?;
    input.check()?;
    let reference = Reference::Id(path.application);
    let changed = state
        .configuration
        .change_application(caller.actor(), environment, &reference, |s| input.apply(s))
        .await?;
    changed.map(|record| Json(record.into())).ok_or(ApiError::NotFound)
}

/// Delete an application with its endpoints.
#[utoipa::path(
    delete, path = "/api/v1/app/{app_id}", operation_id = "v1.application.delete", tag = "application",
    params(ApplicationPath),
    responses((status = 204, description = "Deleted."))
)]
async fn delete(
    State(state): State<SharedState>,
    caller: Caller,
    path: ApplicationPath,
) -> Result<StatusCode, ApiError> {
    caller.whole_environment()?;
    let id = path.application;
    if state.configuration.delete_application(caller.actor(), id).await? {
        state.credentials.forget_tokens(id);
        Ok(StatusCode::NO_CONTENT)
    } else {
        Err(ApiError::NotFound)
    }
}

/// The routes of this resource.
pub fn routes() -> OpenApiRouter<SharedState> {
    OpenApiRouter::new().routes(routes!(list, create)).routes(routes!(get, update, patch, delete))
}
