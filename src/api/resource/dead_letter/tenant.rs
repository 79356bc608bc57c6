//! A tenant's own dead letters.

use axum::Json;
use axum::extract::State;
use axum::response::Response;
use http::StatusCode;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::api::conventions::error::{ApiError, ErrorOut};
use crate::api::conventions::extract::{ApiPath, ApiQuery, JsonBody, RawBody};
use crate::api::conventions::page::{ListOut, PageQuery};
use crate::api::credential::Caller;
use crate::api::openapi::docs::{BodyErrors, Errors};
use crate::api::resource::background_task::BackgroundTaskOut;
use crate::api::state::SharedState;
use crate::domain::background_task::TaskKind;

use super::filter::{BulkIn, FilterQuery, ReplayIn};
use super::{CountOut, DeadLetterOut, Scope, operate};

async fn scope(state: &SharedState, caller: &Caller, app_id: &str) -> Result<Scope, ApiError> {
    let application = caller.application(&state.configuration, app_id).await?;
    Ok(Scope {
        caller: caller.clone(),
        environment: caller.environment()?.clone(),
        application: Some(application),
    })
}

/// List the dead letters of an application.
#[utoipa::path(
    get, path = "/api/v1/app/{app_id}/dead-letter", operation_id = "v1.application.dead-letter.list", tag = "dead letter",
    params(("app_id" = String, Path, description = "The application's id or `uid`."), PageQuery, FilterQuery),
    responses((status = 200, description = "A page of them, newest first.", body = ListOut<DeadLetterOut>), Errors)
)]
async fn list(
    State(state): State<SharedState>,
    caller: Caller,
    ApiPath(app_id): ApiPath<String>,
    ApiQuery(page): ApiQuery<PageQuery>,
    ApiQuery(query): ApiQuery<FilterQuery>,
) -> Result<Json<ListOut<DeadLetterOut>>, ApiError> {
    operate::list(&state, &scope(&state, &caller, &app_id).await?, &page, query).await
}

/// Get a dead letter with its payload and attempts.
#[utoipa::path(
    get, path = "/api/v1/app/{app_id}/dead-letter/{id}", operation_id = "v1.application.dead-letter.get", tag = "dead letter",
    params(
        ("app_id" = String, Path, description = "The application's id or `uid`."),
        ("id" = String, Path, description = "The dead letter's id.")),
    responses((status = 200, description = "The dead letter.", body = DeadLetterOut), Errors)
)]
async fn get(
    State(state): State<SharedState>,
    caller: Caller,
    ApiPath((app_id, id)): ApiPath<(String, String)>,
) -> Result<Json<DeadLetterOut>, ApiError> {
    operate::get(&state, &scope(&state, &caller, &app_id).await?, &id).await
}

/// Replay a dead letter.
///
/// It goes to the endpoint that missed it, or to the one that is named, and to no other; it keeps its `webhook-id`, and
/// begins the schedule anew. If that fails as well, the same dead letter is open again, or one of the other endpoint. A
/// discarded one can be replayed, too. The body may be left out.
#[utoipa::path(
    post, path = "/api/v1/app/{app_id}/dead-letter/{id}/replay", operation_id = "v1.application.dead-letter.replay", tag = "dead letter",
    params(
        ("app_id" = String, Path, description = "The application's id or `uid`."),
        ("id" = String, Path, description = "The dead letter's id.")),
    request_body(content = Option<ReplayIn>, description = "Where it goes."),
    responses(
        BodyErrors,
        (status = 202, description = "It is on its way.", body = DeadLetterOut),
        (status = 409, description = "It is replayed already (`already_replayed`), its endpoint is deleted \
            (`endpoint_deleted`), or its content was expunged (`content_expunged`).", body = ErrorOut)
    )
)]
async fn replay(
    State(state): State<SharedState>,
    caller: Caller,
    ApiPath((app_id, id)): ApiPath<(String, String)>,
    RawBody(body): RawBody,
) -> Result<(StatusCode, Json<DeadLetterOut>), ApiError> {
    operate::replay(&state, &scope(&state, &caller, &app_id).await?, &id, &body).await
}

/// Discard a dead letter: it need not arrive any more.
#[utoipa::path(
    post, path = "/api/v1/app/{app_id}/dead-letter/{id}/discard", operation_id = "v1.application.dead-letter.discard", tag = "dead letter",
    params(
        ("app_id" = String, Path, description = "The application's id or `uid`."),
        ("id" = String, Path, description = "The dead letter's id.")),
    responses(
        (status = 200, description = "It is discarded.", body = DeadLetterOut),
        (status = 409, description = "It is replayed already (`already_replayed`).", body = ErrorOut),
        Errors
    )
)]
async fn discard(
    State(state): State<SharedState>,
    caller: Caller,
    ApiPath((app_id, id)): ApiPath<(String, String)>,
) -> Result<Json<DeadLetterOut>, ApiError> {
    operate::discard(&state, &scope(&state, &caller, &app_id).await?, &id).await
}

/// Replay all dead letters of a filter.
///
/// It moves those that had died when it was asked for. Those whose endpoint is deleted stay as they are.
#[utoipa::path(
    post, path = "/api/v1/app/{app_id}/dead-letter/replay", operation_id = "v1.application.dead-letter.replay-all", tag = "dead letter",
    params(("app_id" = String, Path, description = "The application's id or `uid`.")),
    request_body = BulkIn,
    responses(
        (status = 200, description = "What it would do (`dryRun`).", body = CountOut),
        (status = 202, description = "A background task does it.", body = BackgroundTaskOut),
        BodyErrors
    )
)]
async fn replay_all(
    State(state): State<SharedState>,
    caller: Caller,
    ApiPath(app_id): ApiPath<String>,
    JsonBody(input): JsonBody<BulkIn>,
) -> Result<Response, ApiError> {
    operate::bulk(&state, &scope(&state, &caller, &app_id).await?, TaskKind::Replay, input).await
}

/// Discard all open dead letters of a filter.
#[utoipa::path(
    post, path = "/api/v1/app/{app_id}/dead-letter/discard", operation_id = "v1.application.dead-letter.discard-all", tag = "dead letter",
    params(("app_id" = String, Path, description = "The application's id or `uid`.")),
    request_body = BulkIn,
    responses(
        (status = 200, description = "What it would do (`dryRun`).", body = CountOut),
        (status = 202, description = "A background task does it.", body = BackgroundTaskOut),
        BodyErrors
    )
)]
async fn discard_all(
    State(state): State<SharedState>,
    caller: Caller,
    ApiPath(app_id): ApiPath<String>,
    JsonBody(input): JsonBody<BulkIn>,
) -> Result<Response, ApiError> {
    operate::bulk(&state, &scope(&state, &caller, &app_id).await?, TaskKind::Discard, input).await
}

/// The routes of a tenant.
pub(in crate::api::resource::dead_letter) fn routes() -> OpenApiRouter<SharedState> {
    OpenApiRouter::new()
        .routes(routes!(list))
        .routes(routes!(replay_all))
        .routes(routes!(discard_all))
        .routes(routes!(get))
        .routes(routes!(replay))
        .routes(routes!(discard))
}
