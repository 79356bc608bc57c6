//! The audit log: who changed what, for an environment its own, for operators all of it.

use std::collections::HashMap;

use axum::Json;
use axum::extract::State;
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::api::conventions::environment::EnvironmentQuery;
use crate::api::conventions::extract::ApiQuery;
use crate::api::conventions::moment::optional_moment;
use crate::api::conventions::page::{ListOut, Ordering, PageQuery};
use crate::api::credential::Caller;
use crate::api::error::ApiError;
use crate::api::openapi::errors::NotFound;
use crate::api::state::{ApiState, SharedState};
use crate::domain::access::actor::Role;
use crate::domain::id::reference::Reference;
use crate::domain::id::{ApplicationId, AuditEntryId, EnvironmentId, SessionId};
use crate::store::{AuditEntry, AuditFilter, TimeBounds};

/// Which lines to list.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct AuditQuery {
    /// Of this application, by id; by `uid` where the environment is known.
    app_id: Option<String>,
    /// Of this action, such as `endpoint.updated`.
    action: Option<String>,
    /// By the actor of this id: an API key's id, a token's own id or else its subject, a person's id.
    actor_id: Option<String>,
    /// About the object of this id.
    object_id: Option<String>,
    /// Done then or later.
    #[serde(default, deserialize_with = "optional_moment")]
    since: Option<DateTime<Utc>>,
    /// Done before.
    #[serde(default, deserialize_with = "optional_moment")]
    until: Option<DateTime<Utc>>,
}

/// Who did something.
#[derive(Debug, Serialize, ToSchema)]
#[schema(example = json!({
    "kind": "api_key", "id": "key_01h455vb4pex5vsknk084sn02q", "name": "billing service", "role": "environment",
    "address": "192.0.2.7", "session": null
}))]
pub(super) struct ActorOut {
    /// `token`, `api_key`, `person`, `link`, `cli` or `system`.
    kind: &'static str,
    /// The API key's id; a token's own id, or else its subject; the person's id; `link`; the command; the part of
    /// Postrider.
    id: String,
    /// An API key's or a person's name, as it is now; `null` for others, and when it is not known any more.
    #[schema(required)]
    name: Option<String>,
    /// `operator`, `environment` or `application`; `null` for Postrider itself.
    role: Option<&'static str>,
    /// Where the request came from.
    address: Option<String>,
    /// The console's session that the request came by.
    #[schema(value_type = Option<String>)]
    session: Option<SessionId>,
}

/// One line of the audit log.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(example = json!({
    "id": "audit_01h455vb4pex5vsknk084sn02q", "at": "2026-11-22T10:00:00Z", "environmentId": "org_demo",
    "appId": "app_01h455vb4pex5vsknk084sn02q",
    "actor": {"kind": "token", "id": "org_demo", "name": null, "role": "environment", "address": "192.0.2.7",
              "session": null},
    "action": "endpoint.updated", "objectKind": "endpoint", "objectId": "ep_01h455vb4pex5vsknk084sn02q",
    "details": {"fields": ["url"]}
}))]
pub(super) struct AuditEntryOut {
    /// Its id.
    #[schema(value_type = String)]
    id: AuditEntryId,
    /// When it was done.
    at: DateTime<Utc>,
    /// In which environment.
    environment_id: Option<String>,
    /// For which application.
    #[schema(value_type = Option<String>)]
    app_id: Option<ApplicationId>,
    /// By whom.
    actor: ActorOut,
    /// What was done, as `object.verb`.
    action: String,
    /// The kind of object.
    object_kind: String,
    /// Its id, or its name where it has none.
    object_id: String,
    /// The names of the fields that changed, or how much was asked for.
    #[schema(value_type = Object)]
    details: Value,
}

impl AuditEntryOut {
    fn of(entry: AuditEntry, actor_names: &HashMap<String, String>) -> Self {
        Self {
            id: entry.id,
            at: entry.at,
            environment_id: entry.environment_id,
            app_id: entry.application_id,
            actor: ActorOut {
                kind: entry.actor_kind.name(),
                name: actor_names.get(&entry.actor_id).cloned(),
                id: entry.actor_id,
                role: entry.actor_role.map(Role::name),
                address: entry.address,
                session: entry.session,
            },
            action: entry.action,
            object_kind: entry.object_kind,
            object_id: entry.object_id,
            details: entry.details,
        }
    }
}

async fn listed(
    state: &ApiState,
    environment: Option<EnvironmentId>,
    page: &PageQuery,
    query: AuditQuery,
) -> Result<Json<ListOut<AuditEntryOut>>, ApiError> {
    let page = page.request::<AuditEntryId>(Ordering::Descending)?;
    let application = application(state, environment.as_ref(), query.app_id.as_deref()).await?;
    let filter = AuditFilter {
        environment,
        application,
        action: query.action,
        actor: query.actor_id,
        object: query.object_id,
        at: TimeBounds { since: query.since, until: query.until },
    };
    let rows = state.access.audit_log(&filter, &page.scan).await?;
    let names = state.access.actor_names(&rows).await?;
    Ok(Json(page.answer(rows, |row| row.id.to_string(), |row| AuditEntryOut::of(row, &names))))
}

/// An id is taken as it is, so that what was done to a deleted application can be found.
async fn application(
    state: &ApiState,
    environment: Option<&EnvironmentId>,
    named: Option<&str>,
) -> Result<Option<ApplicationId>, ApiError> {
    let Some(named) = named else { return Ok(None) };
    let uid = match Reference::parse(named) {
        Reference::Id(id) => return Ok(Some(id)),
        uid @ Reference::Uid(_) => uid,
    };
    let Some(environment) = environment else {
        let msg = "a `uid` is an application's own within its environment: name the environment, too";
        return Err(ApiError::invalid(&["query", "app_id"], msg, "value_error"));
    };
    let found = state.configuration.application_id(environment, &uid).await?;
    found.map(Some).ok_or(ApiError::NoSuch("application"))
}

/// List who changed what in the environment.
#[utoipa::path(
    get, path = "/api/v1/audit-log", operation_id = "v1.audit-log.list", tag = "audit log",
    params(PageQuery, AuditQuery),
    responses((status = 200, description = "A page of it, newest first.", body = ListOut<AuditEntryOut>), NotFound)
)]
async fn list(
    State(state): State<SharedState>,
    caller: Caller,
    ApiQuery(page): ApiQuery<PageQuery>,
    ApiQuery(query): ApiQuery<AuditQuery>,
) -> Result<Json<ListOut<AuditEntryOut>>, ApiError> {
    let environment = caller.whole_environment()?.clone();
    listed(&state, Some(environment), &page, query).await
}

/// List who changed what, in all environments and outside of them.
#[utoipa::path(
    get, path = "/api/v1/admin/audit-log", operation_id = "v1.admin.audit-log.list", tag = "admin",
    params(PageQuery, AuditQuery, EnvironmentQuery),
    responses((status = 200, description = "A page of it, newest first.", body = ListOut<AuditEntryOut>), NotFound)
)]
async fn admin_list(
    State(state): State<SharedState>,
    caller: Caller,
    ApiQuery(page): ApiQuery<PageQuery>,
    ApiQuery(query): ApiQuery<AuditQuery>,
    ApiQuery(of): ApiQuery<EnvironmentQuery>,
) -> Result<Json<ListOut<AuditEntryOut>>, ApiError> {
    listed(&state, of.chosen(&caller)?, &page, query).await
}

/// The routes of this resource.
pub(super) fn routes() -> OpenApiRouter<SharedState> {
    OpenApiRouter::new().routes(routes!(list)).routes(routes!(admin_list))
}
