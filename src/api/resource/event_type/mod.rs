//! Event types: the catalogue of an environment.

mod import;

use axum::Json;
use axum::extract::State;
use chrono::{DateTime, Utc};
use http::StatusCode;
use serde::{Deserialize, Serialize};
use serde_json::value::{RawValue, to_raw_value};
use serde_json::{Map, Value};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::api::conventions::error::ApiError;
use crate::api::conventions::extract::{ApiQuery, JsonBody, double_option, present};
use crate::api::conventions::page::{ListOut, NameKey, Ordering, PageQuery};
use crate::api::conventions::path::{PathObject, PathParameter, PathValues, path_extractors};
use crate::api::conventions::validate::Findings;
use crate::api::credential::Caller;
use crate::api::intake::answer::HeldAnswer;
use crate::api::openapi::errors::Conflict;
use crate::api::state::{ApiState, SharedState};
use crate::domain::page::Scan;
use crate::store::{EventTypeRecord, EventTypeSettings};

/// An event type to create.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct EventTypeIn {
    /// Its name.
    #[schema(min_length = 1, max_length = 256, pattern = "^[a-zA-Z0-9\\-_.]+$", example = "invoice.paid")]
    name: String,
    /// For people.
    description: String,
    /// The group that it is shown in.
    group_name: Option<String>,
    /// JSON Schemas of the payload, by version.
    #[schema(value_type = Option<Object>)]
    schemas: Option<Map<String, Value>>,
    /// Flags that a tenant must have to see it.
    feature_flags: Option<Vec<String>>,
    /// A single one of `featureFlags`.
    feature_flag: Option<String>,
    /// Left out of lists.
    archived: Option<bool>,
    /// Shown as on its way out.
    deprecated: Option<bool>,
}

/// What to replace an event type with.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct EventTypeUpdate {
    /// For people.
    description: String,
    /// The group that it is shown in.
    group_name: Option<String>,
    /// JSON Schemas of the payload, by version.
    #[schema(value_type = Option<Object>)]
    schemas: Option<Map<String, Value>>,
    /// Flags that a tenant must have to see it.
    feature_flags: Option<Vec<String>>,
    /// A single one of `featureFlags`.
    feature_flag: Option<String>,
    /// Left out of lists.
    archived: Option<bool>,
    /// Shown as on its way out.
    deprecated: Option<bool>,
}

/// What to change of an event type; what is absent stays.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct EventTypePatch {
    /// For people.
    #[serde(default, deserialize_with = "present")]
    #[schema(nullable = false)]
    description: Option<String>,
    /// The group that it is shown in.
    #[serde(default, deserialize_with = "double_option")]
    #[schema(value_type = Option<String>)]
    group_name: Option<Option<String>>,
    /// JSON Schemas of the payload, by version.
    #[serde(default, deserialize_with = "double_option")]
    #[schema(value_type = Option<Object>)]
    schemas: Option<Option<Map<String, Value>>>,
    /// Flags that a tenant must have to see it.
    #[serde(default, deserialize_with = "double_option")]
    #[schema(value_type = Option<Vec<String>>)]
    feature_flags: Option<Option<Vec<String>>>,
    /// A single one of `featureFlags`.
    #[serde(default, deserialize_with = "double_option")]
    #[schema(value_type = Option<String>)]
    feature_flag: Option<Option<String>>,
    /// Left out of lists.
    #[serde(default, deserialize_with = "present")]
    #[schema(nullable = false)]
    archived: Option<bool>,
    /// Shown as on its way out.
    #[serde(default, deserialize_with = "present")]
    #[schema(nullable = false)]
    deprecated: Option<bool>,
}

/// An event type.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct EventTypeOut {
    /// Its name.
    name: String,
    /// For people.
    description: String,
    /// The group that it is shown in.
    group_name: Option<String>,
    /// JSON Schemas of the payload, by version.
    #[schema(value_type = Option<Object>)]
    schemas: Option<Box<RawValue>>,
    /// Flags that a tenant must have to see it.
    feature_flags: Option<Vec<String>>,
    /// The first of `featureFlags`.
    feature_flag: Option<String>,
    /// Left out of lists.
    archived: bool,
    /// Shown as on its way out.
    deprecated: bool,
    /// When it was created.
    created_at: DateTime<Utc>,
    /// When it was last changed.
    updated_at: DateTime<Utc>,
}

impl From<EventTypeRecord> for EventTypeOut {
    fn from(record: EventTypeRecord) -> Self {
        let settings = record.settings;
        Self {
            name: record.name,
            description: settings.description,
            group_name: settings.group_name,
            schemas: settings.schemas,
            feature_flag: settings.feature_flags.as_ref().and_then(|flags| flags.first().cloned()),
            feature_flags: settings.feature_flags,
            archived: settings.archived,
            deprecated: settings.deprecated,
            created_at: record.created_at,
            updated_at: record.updated_at,
        }
    }
}

/// Notes what is wrong with what event types have in common.
pub(in crate::api) fn check_parts(
    findings: &mut Findings,
    group_name: Option<&str>,
    schemas: Option<&Map<String, Value>>,
    flags: &[String],
) {
    if let Some(group_name) = group_name {
        findings.event_type("groupName", group_name);
    }
    findings.event_types("featureFlags", flags);
    if let Some(schemas) = schemas {
        if schemas.values().any(|schema| !schema.is_object()) {
            findings.add("schemas", "each schema must be an object");
        } else if schemas.iter().any(|(key, value)| key.contains('\0') || has_nul(value)) {
            findings.add("schemas", "must not contain the character U+0000");
        }
    }
}

/// The database's JSON cannot hold U+0000. The depth is bounded by the parser.
fn has_nul(value: &Value) -> bool {
    match value {
        Value::String(text) => text.contains('\0'),
        Value::Array(items) => items.iter().any(has_nul),
        Value::Object(fields) => fields.iter().any(|(key, value)| key.contains('\0') || has_nul(value)),
        Value::Null | Value::Bool(_) | Value::Number(_) => false,
    }
}

fn stored(schemas: Option<&Map<String, Value>>) -> Result<Option<Box<RawValue>>, ApiError> {
    schemas.map(to_raw_value).transpose().map_err(|_| ApiError::Internal)
}

impl EventTypeUpdate {
    fn settings(self) -> Result<EventTypeSettings, ApiError> {
        let flags = self.feature_flags.or_else(|| self.feature_flag.map(|flag| vec![flag]));
        let mut findings = Findings::of_body();
        findings.text("description", &self.description);
        let named = flags.as_deref().unwrap_or_default();
        check_parts(&mut findings, self.group_name.as_deref(), self.schemas.as_ref(), named);
        findings.finish()?;
        Ok(EventTypeSettings {
            description: self.description,
            group_name: self.group_name,
            schemas: stored(self.schemas.as_ref())?,
            feature_flags: flags.filter(|flags| !flags.is_empty()),
            archived: self.archived.unwrap_or(false),
            deprecated: self.deprecated.unwrap_or(false),
        })
    }
}

impl EventTypePatch {
    /// Checks it; what comes out changes the settings.
    fn change(self) -> Result<impl FnOnce(&mut EventTypeSettings), ApiError> {
        let flag = self.feature_flag.map(|flag| flag.map(|flag| vec![flag]));
        let flags = self.feature_flags.or(flag);
        let mut findings = Findings::of_body();
        findings.text("description", self.description.as_deref().unwrap_or_default());
        let group_name = self.group_name.as_ref().and_then(Option::as_deref);
        let named = flags.as_ref().and_then(Option::as_deref).unwrap_or_default();
        check_parts(&mut findings, group_name, self.schemas.as_ref().and_then(Option::as_ref), named);
        findings.finish()?;
        let schemas = self.schemas.map(|schemas| stored(schemas.as_ref())).transpose()?;
        Ok(move |settings: &mut EventTypeSettings| {
            settings.description = self.description.unwrap_or(std::mem::take(&mut settings.description));
            settings.group_name = self.group_name.unwrap_or(settings.group_name.take());
            settings.schemas = schemas.unwrap_or(settings.schemas.take());
            let flags = flags.unwrap_or(settings.feature_flags.take());
            settings.feature_flags = flags.filter(|flags| !flags.is_empty());
            settings.archived = self.archived.unwrap_or(settings.archived);
            settings.deprecated = self.deprecated.unwrap_or(settings.deprecated);
        })
    }
}

/// Which event types to list, and how much of each.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct ListQuery {
    /// Archived ones, too.
    #[param(default = false)]
    include_archived: Option<bool>,
    /// With their schemas.
    #[param(default = false)]
    with_content: Option<bool>,
}

/// How to delete an event type.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct DeleteQuery {
    /// For good, instead of archiving it.
    #[param(default = false)]
    expunge: Option<bool>,
}

const NAME: PathParameter = PathParameter::new("event_type_name", "Its name.");

/// An event type's name.
struct EventTypePath {
    name: String,
}

impl PathObject for EventTypePath {
    const PARAMETERS: &[PathParameter] = &[NAME];

    async fn find(values: &PathValues, _: &Caller, _: &ApiState) -> Result<Self, ApiError> {
        Ok(Self { name: values.text(&NAME)?.to_owned() })
    }
}

path_extractors!(EventTypePath);

/// List the event types of the environment.
#[utoipa::path(
    get, path = "/api/v1/event-type", operation_id = "v1.event-type.list", tag = "event-type",
    params(PageQuery, ListQuery),
    responses((status = 200, description = "A page of them, by name.", body = ListOut<EventTypeOut>))
)]
async fn list(
    State(state): State<SharedState>,
    caller: Caller,
    ApiQuery(page): ApiQuery<PageQuery>,
    ApiQuery(query): ApiQuery<ListQuery>,
) -> Result<HeldAnswer<ListOut<EventTypeOut>>, ApiError> {
    let environment = caller.environment()?;
    let page = page.request::<NameKey>(Ordering::Ascending)?;
    let NameScan(scan) = NameScan::from(&page.scan);
    let archived_too = query.include_archived.unwrap_or(false);
    let (content, room) = state.listed(query.with_content.unwrap_or(false)).await?;
    let flags = caller.feature_flags();
    let found = state.configuration.event_types(environment, archived_too, flags, content, &scan).await?;
    let key = |row: &EventTypeRecord| NameKey(row.name.clone()).to_string();
    Ok(HeldAnswer { body: Json(page.answer(found, key, EventTypeOut::from)), room })
}

/// A scan by the plain name.
struct NameScan(Scan<String>);

impl From<&Scan<NameKey>> for NameScan {
    fn from(scan: &Scan<NameKey>) -> Self {
        let after = scan.after.as_ref().map(|key| key.0.clone());
        Self(Scan { after, ascending: scan.ascending, limit: scan.limit })
    }
}

/// Create an event type. An archived one comes back.
#[utoipa::path(
    post, path = "/api/v1/event-type", operation_id = "v1.event-type.create", tag = "event-type",
    request_body = EventTypeIn,
    responses((status = 201, description = "Created.", body = EventTypeOut))
)]
async fn create(
    State(state): State<SharedState>,
    caller: Caller,
    JsonBody(input): JsonBody<EventTypeIn>,
) -> Result<(StatusCode, Json<EventTypeOut>), ApiError> {
    let environment = caller.whole_environment()?;
    let mut findings = Findings::of_body();
    findings.event_type("name", &input.name);
    findings.finish()?;
    let settings = EventTypeUpdate {
        description: input.description,
        group_name: input.group_name,
        schemas: input.schemas,
        feature_flags: input.feature_flags,
        feature_flag: input.feature_flag,
        archived: input.archived,
        deprecated: input.deprecated,
    }
    .settings()?;
    let record =
        state.configuration.create_event_type(caller.actor(), environment, &input.name, &settings).await?;
    Ok((StatusCode::CREATED, Json(record.into())))
}

/// Get an event type.
#[utoipa::path(
    get, path = "/api/v1/event-type/{event_type_name}", operation_id = "v1.event-type.get",
    tag = "event-type",
    params(EventTypePath),
    responses((status = 200, description = "The event type.", body = EventTypeOut))
)]
async fn get(
    State(state): State<SharedState>,
    caller: Caller,
    path: EventTypePath,
) -> Result<Json<EventTypeOut>, ApiError> {
    let record = state.configuration.event_type(caller.environment()?, &path.name).await?;
    let shown = record.filter(|record| caller.shows(record.settings.feature_flags.as_deref()));
    shown.map(|record| Json(record.into())).ok_or(ApiError::NotFound)
}

/// Replace an event type, or create it.
#[utoipa::path(
    put, path = "/api/v1/event-type/{event_type_name}", operation_id = "v1.event-type.update",
    tag = "event-type",
    params(EventTypePath),
    request_body = EventTypeUpdate,
    responses(
        (status = 200, description = "Replaced.", body = EventTypeOut),
        (status = 201, description = "Created.", body = EventTypeOut),
        Conflict
    )
)]
async fn update(
    State(state): State<SharedState>,
    caller: Caller,
    path: EventTypePath,
    JsonBody(input): JsonBody<EventTypeUpdate>,
) -> Result<(StatusCode, Json<EventTypeOut>), ApiError> {
    let environment = caller.whole_environment()?;
    let settings = input.settings()?;
    let replacement = settings.clone();
    let changed = state
        .configuration
        .change_event_type(caller.actor(), environment, &path.name, |s| *s = replacement)
        .await?;
    if let Some(record) = changed {
        return Ok((StatusCode::OK, Json(record.into())));
    }
    let mut findings = Findings::of_path();
    findings.event_type("event_type_name", &path.name);
    findings.finish()?;
    let record =
        state.configuration.create_event_type(caller.actor(), environment, &path.name, &settings).await?;
    Ok((StatusCode::CREATED, Json(record.into())))
}

/// Change some of an event type.
#[utoipa::path(
    patch, path = "/api/v1/event-type/{event_type_name}", operation_id = "v1.event-type.patch",
    tag = "event-type",
    params(EventTypePath),
    request_body = EventTypePatch,
    responses((status = 200, description = "As it is now.", body = EventTypeOut))
)]
async fn patch(
    State(state): State<SharedState>,
    caller: Caller,
    path: EventTypePath,
    JsonBody(input): JsonBody<EventTypePatch>,
) -> Result<Json<EventTypeOut>, ApiError> {
    let environment = caller.whole_environment()?;
    let changed = state
        .configuration
        .change_event_type(caller.actor(), environment, &path.name, input.change()?)
        .await?;
    changed.map(|record| Json(record.into())).ok_or(ApiError::NotFound)
}

/// Archive an event type, or delete it for good.
#[utoipa::path(
    delete, path = "/api/v1/event-type/{event_type_name}", operation_id = "v1.event-type.delete",
    tag = "event-type",
    params(EventTypePath, DeleteQuery),
    responses((status = 204, description = "Archived, or deleted."))
)]
async fn delete(
    State(state): State<SharedState>,
    caller: Caller,
    path: EventTypePath,
    ApiQuery(query): ApiQuery<DeleteQuery>,
) -> Result<StatusCode, ApiError> {
    let environment = caller.whole_environment()?;
    let found = if query.expunge.unwrap_or(false) {
        state.configuration.expunge_event_type(caller.actor(), environment, &path.name).await?
    } else {
        state
            .configuration
            .change_event_type(caller.actor(), environment, &path.name, |s| s.archived = true)
            .await?
            .is_some()
    };
    if found { Ok(StatusCode::NO_CONTENT) } else { Err(ApiError::NotFound) }
}

/// The routes of this resource.
pub fn routes() -> OpenApiRouter<SharedState> {
    OpenApiRouter::new()
        .routes(routes!(list, create))
        .routes(routes!(get, update, patch, delete))
        .merge(import::routes())
}
