//! A tenant's own dead letters.

use axum::Json;
use axum::extract::State;
use axum::response::Response;
use http::StatusCode;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::api::conventions::extract::{ApiQuery, JsonBody, OptionalJsonBody};
use crate::api::conventions::page::{ListOut, PageQuery};
use crate::api::credential::Caller;
use crate::api::error::{ApiError, ErrorOut};
use crate::api::intake::answer::HeldAnswer;
use crate::api::resource::background_task::BackgroundTaskOut;
use crate::api::resource::path::ApplicationPath;
use crate::api::state::SharedState;
use crate::domain::background_task::TaskKind;
use crate::domain::id::ApplicationId;

use super::filter::{BulkIn, FilterQuery, ReplayIn};
use super::path::ApplicationDeadLetterPath;
use super::{CountOut, DeadLetterOut, Scope, operate};

fn scope(caller: &Caller, application: ApplicationId) -> Result<Scope, ApiError> {
    Ok(Scope {
        caller: caller.clone(),
        environment: caller.environment()?.clone(),
        application: Some(application),
    })
}

/// List the dead letters of an application.
#[utoipa::path(
    get, path = "/api/v1/app/{app_id}/dead-letter", operation_id = "v1.application.dead-letter.list",
    tag = "dead letter",
    params(ApplicationPath, PageQuery, FilterQuery),
    responses((status = 200, description = "A page of them, newest first.", body = ListOut<DeadLetterOut>))
)]
async fn list(
    State(state): State<SharedState>,
    caller: Caller,
    path: ApplicationPath,
    ApiQuery(page): ApiQuery<PageQuery>,
    ApiQuery(query): ApiQuery<FilterQuery>,
) -> Result<HeldAnswer<Json<ListOut<DeadLetterOut>>>, ApiError> {
    operate::list(&state, &scope(&caller, path.application)?, &page, query).await
}

/// Get a dead letter with its payload and attempts.
#[utoipa::path(
    get, path = "/api/v1/app/{app_id}/dead-letter/{id}", operation_id = "v1.application.dead-letter.get",
    tag = "dead letter",
    params(ApplicationDeadLetterPath),
    responses((status = 200, description = "The dead letter.", body = DeadLetterOut))
)]
async fn get(
    State(state): State<SharedState>,
    caller: Caller,
    path: ApplicationDeadLetterPath,
) -> Result<HeldAnswer<Json<DeadLetterOut>>, ApiError> {
    operate::get(&state, &scope(&caller, path.application)?, path.dead_letter).await
}

/// Replay a dead letter.
///
/// It goes to the endpoint that missed it, or to the one that is named, and to no other; it keeps its `webhook-id`, and
/// begins the schedule anew. If that fails as well, the same dead letter is open again, or one of the other endpoint. A
/// discarded one can be replayed, too. The body may be left out.
#[utoipa::path(
    post, path = "/api/v1/app/{app_id}/dead-letter/{id}/replay",
    operation_id = "v1.application.dead-letter.replay", tag = "dead letter",
    params(ApplicationDeadLetterPath),
    request_body(content = Option<ReplayIn>, description = "Where it goes."),
    responses(
        (status = 202, description = "It is on its way.", body = DeadLetterOut),
        (status = 409, description = "It is replayed already (`already_replayed`), its endpoint is deleted \
            (`endpoint_deleted`), or its content was expunged (`content_expunged`).", body = ErrorOut)
    )
)]
async fn replay(
    State(state): State<SharedState>,
    caller: Caller,
    path: ApplicationDeadLetterPath,
    OptionalJsonBody(input): OptionalJsonBody<ReplayIn>,
) -> Result<(StatusCode, Json<DeadLetterOut>), ApiError> {
    operate::replay(&state, &scope(&caller, path.application)?, path.dead_letter, input).await
}

/// Discard a dead letter: it need not arrive any more.
#[utoipa::path(
    post, path = "/api/v1/app/{app_id}/dead-letter/{id}/discard",
    operation_id = "v1.application.dead-letter.discard", tag = "dead letter",
    params(ApplicationDeadLetterPath),
    responses(
        (status = 200, description = "It is discarded.", body = DeadLetterOut),
        (status = 409, description = "It is replayed already (`already_replayed`).", body = ErrorOut)
    )
)]
async fn discard(
    State(state): State<SharedState>,
    caller: Caller,
    path: ApplicationDeadLetterPath,
) -> Result<Json<DeadLetterOut>, ApiError> {
    operate::discard(&state, &scope(&caller, path.application)?, path.dead_letter).await
}

/// Replay all dead letters of a filter.
///
/// It moves those that had died when it was asked for. Those whose endpoint is deleted stay as they are.
#[utoipa::path(
    post, path = "/api/v1/app/{app_id}/dead-letter/replay",
    operation_id = "v1.application.dead-letter.replay-all", tag = "dead letter",
    params(ApplicationPath),
    request_body = BulkIn,
    responses(
        (status = 200, description = "What it would do (`dryRun`).", body = CountOut),
        (status = 202, description = "A background task does it.", body = BackgroundTaskOut)
    )
)]
async fn replay_all(
    State(state): State<SharedState>,
    caller: Caller,
    path: ApplicationPath,
    JsonBody(input): JsonBody<BulkIn>,
) -> Result<Response, ApiError> {
    operate::bulk(&state, &scope(&caller, path.application)?, TaskKind::Replay, input).await
}

/// Discard all open dead letters of a filter.
#[utoipa::path(
    post, path = "/api/v1/app/{app_id}/dead-letter/discard",
    operation_id = "v1.application.dead-letter.discard-all", tag = "dead letter",
    params(ApplicationPath),
    request_body = BulkIn,
    responses(
        (status = 200, description = "What it would do (`dryRun`).", body = CountOut),
        (status = 202, description = "A background task does it.", body = BackgroundTaskOut)
    )
)]
async fn discard_all(
    State(state): State<SharedState>,
    caller: Caller,
    path: ApplicationPath,
    JsonBody(input): JsonBody<BulkIn>,
) -> Result<Response, ApiError> {
    operate::bulk(&state, &scope(&caller, path.application)?, TaskKind::Discard, input).await
}

/// The routes of a tenant.
pub(super) fn routes() -> OpenApiRouter<SharedState> {
    OpenApiRouter::new()
        .routes(routes!(list))
        .routes(routes!(replay_all))
        .routes(routes!(discard_all))
        .routes(routes!(get))
        .routes(routes!(replay))
        .routes(routes!(discard))
}
