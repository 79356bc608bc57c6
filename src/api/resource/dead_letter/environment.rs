//! The dead letters of an environment.

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
use crate::api::openapi::errors::NotFound;
use crate::api::resource::background_task::BackgroundTaskOut;
use crate::api::state::SharedState;
use crate::domain::background_task::TaskKind;

use super::filter::{BulkIn, FilterQuery, ReplayIn};
use super::path::DeadLetterPath;
use super::{CountOut, DeadLetterOut, Scope, operate};

fn scope(caller: &Caller) -> Result<Scope, ApiError> {
    Ok(Scope { caller: caller.clone(), environment: caller.whole_environment()?.clone(), application: None })
}

/// List the dead letters of the environment.
#[utoipa::path(
    get, path = "/api/v1/dead-letter", operation_id = "v1.dead-letter.list", tag = "dead letter",
    params(PageQuery, FilterQuery),
    responses((status = 200, description = "A page of them, newest first.", body = ListOut<DeadLetterOut>), NotFound)
)]
async fn list(
    State(state): State<SharedState>,
    caller: Caller,
    ApiQuery(page): ApiQuery<PageQuery>,
    ApiQuery(query): ApiQuery<FilterQuery>,
) -> Result<HeldAnswer<Json<ListOut<DeadLetterOut>>>, ApiError> {
    operate::list(&state, &scope(&caller)?, &page, query).await
}

/// Get a dead letter with its payload and attempts.
#[utoipa::path(
    get, path = "/api/v1/dead-letter/{id}", operation_id = "v1.dead-letter.get", tag = "dead letter",
    params(DeadLetterPath),
    responses((status = 200, description = "The dead letter.", body = DeadLetterOut))
)]
async fn get(
    State(state): State<SharedState>,
    caller: Caller,
    path: DeadLetterPath,
) -> Result<HeldAnswer<Json<DeadLetterOut>>, ApiError> {
    operate::get(&state, &scope(&caller)?, path.dead_letter).await
}

/// Replay a dead letter.
///
/// It goes to the endpoint that missed it, or to the one that is named, and to no other; it keeps its `webhook-id`, and
/// begins the schedule anew. If that fails as well, the same dead letter is open again, or one of the other endpoint. A
/// discarded one can be replayed, too. The body may be left out.
#[utoipa::path(
    post, path = "/api/v1/dead-letter/{id}/replay", operation_id = "v1.dead-letter.replay",
    tag = "dead letter",
    params(DeadLetterPath),
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
    path: DeadLetterPath,
    OptionalJsonBody(input): OptionalJsonBody<ReplayIn>,
) -> Result<(StatusCode, Json<DeadLetterOut>), ApiError> {
    operate::replay(&state, &scope(&caller)?, path.dead_letter, input).await
}

/// Discard a dead letter: it need not arrive any more.
#[utoipa::path(
    post, path = "/api/v1/dead-letter/{id}/discard", operation_id = "v1.dead-letter.discard",
    tag = "dead letter",
    params(DeadLetterPath),
    responses(
        (status = 200, description = "It is discarded.", body = DeadLetterOut),
        (status = 409, description = "It is replayed already (`already_replayed`).", body = ErrorOut)
    )
)]
async fn discard(
    State(state): State<SharedState>,
    caller: Caller,
    path: DeadLetterPath,
) -> Result<Json<DeadLetterOut>, ApiError> {
    operate::discard(&state, &scope(&caller)?, path.dead_letter).await
}

/// Replay all dead letters of a filter.
///
/// It moves those that had died when it was asked for. Those whose endpoint is deleted stay as they are.
#[utoipa::path(
    post, path = "/api/v1/dead-letter/replay", operation_id = "v1.dead-letter.replay-all",
    tag = "dead letter",
    request_body = BulkIn,
    responses(
        (status = 200, description = "What it would do (`dryRun`).", body = CountOut),
        (status = 202, description = "A background task does it.", body = BackgroundTaskOut),
        NotFound
    )
)]
async fn replay_all(
    State(state): State<SharedState>,
    caller: Caller,
    JsonBody(input): JsonBody<BulkIn>,
) -> Result<Response, ApiError> {
    operate::bulk(&state, &scope(&caller)?, TaskKind::Replay, input).await
}

/// Discard all open dead letters of a filter.
#[utoipa::path(
    post, path = "/api/v1/dead-letter/discard", operation_id = "v1.dead-letter.discard-all",
    tag = "dead letter",
    request_body = BulkIn,
    responses(
        (status = 200, description = "What it would do (`dryRun`).", body = CountOut),
        (status = 202, description = "A background task does it.", body = BackgroundTaskOut),
        NotFound
    )
)]
async fn discard_all(
    State(state): State<SharedState>,
    caller: Caller,
    JsonBody(input): JsonBody<BulkIn>,
) -> Result<Response, ApiError> {
    operate::bulk(&state, &scope(&caller)?, TaskKind::Discard, input).await
}

/// The routes of an environment.
pub(super) fn routes() -> OpenApiRouter<SharedState> {
    OpenApiRouter::new()
        .routes(routes!(list))
        .routes(routes!(replay_all))
        .routes(routes!(discard_all))
        .routes(routes!(get))
        .routes(routes!(replay))
        .routes(routes!(discard))
}
