//! Taking content away: payloads of messages, and what receivers answered. That there was a message, and what became
//! of it, stays.

use std::collections::BTreeMap;

use axum::Json;
use axum::extract::State;
use http::StatusCode;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::api::conventions::extract::JsonBody;
use crate::api::credential::Caller;
use crate::api::error::ApiError;
use crate::api::resource::background_task::{BackgroundTaskOut, start_task};
use crate::api::resource::path::{ApplicationPath, AttemptPath, MessageName};
use crate::api::state::SharedState;
use crate::domain::background_task::{ContentPurge, TaskKind};
use crate::domain::id::reference::Reference;
use crate::store::NewTask;

/// So many messages are expunged by one request.
const MAX_AT_ONCE: usize = 250;

/// Whose payloads to take away.
#[derive(Debug, Deserialize, ToSchema)]
struct BulkExpungeIn {
    /// Ids or `eventId`s, 250 at most.
    #[schema(max_items = 250)]
    ids: Option<Vec<String>>,
}

/// What became of each.
#[derive(Debug, Serialize, ToSchema)]
struct BulkExpungeOut {
    /// By what was named: `expunged` or `not-found`.
    #[schema(value_type = BTreeMap<String, String>)]
    results: BTreeMap<String, &'static str>,
}

/// Expunge a message's payload.
///
/// Its dead letters lose it, too, and so do attempts what the receivers answered. What still waits to be delivered is dead then, for the reason `unsendable`. A
/// request that is under way at that moment may still arrive.
#[utoipa::path(
    delete, path = "/api/v1/app/{app_id}/msg/{msg_id}/content", operation_id = "v1.message.expunge-content",
    tag = "message",
    params(MessageName),
    responses((status = 204, description = "It is gone."))
)]
async fn message(
    State(state): State<SharedState>,
    caller: Caller,
    path: MessageName,
) -> Result<StatusCode, ApiError> {
    caller.whole_environment()?;
    if state.tasks.expunge_message(caller.actor(), path.application, &path.name).await? {
        Ok(StatusCode::NO_CONTENT)
    } else {
        Err(ApiError::NoSuch("message"))
    }
}

/// Expunge the payloads of some messages.
#[utoipa::path(
    post, path = "/api/v1/app/{app_id}/msg/bulk-expunge", operation_id = "v1.message.bulk-expunge-content",
    tag = "message",
    params(ApplicationPath),
    request_body = BulkExpungeIn,
    responses((status = 200, description = "What became of each.", body = BulkExpungeOut))
)]
async fn messages(
    State(state): State<SharedState>,
    caller: Caller,
    path: ApplicationPath,
    JsonBody(input): JsonBody<BulkExpungeIn>,
) -> Result<Json<BulkExpungeOut>, ApiError> {
    caller.whole_environment()?;
    let ids = input.ids.unwrap_or_default();
    if ids.len() > MAX_AT_ONCE {
        let msg = format!("may have {MAX_AT_ONCE} entries at most");
        return Err(ApiError::invalid(&["body", "ids"], msg, "value_error"));
    }
    if ids.iter().any(|id| id.contains('\0')) {
        let msg = "must not contain the character U+0000";
        return Err(ApiError::invalid(&["body", "ids"], msg, "value_error"));
    }
    let mut results = BTreeMap::new();
    for id in ids {
        let known =
            state.tasks.expunge_message(caller.actor(), path.application, &Reference::parse(&id)).await?;
        results.insert(id, if known { "expunged" } else { "not-found" });
    }
    Ok(Json(BulkExpungeOut { results }))
}

/// Expunge the payloads of all messages of an application.
///
/// A background task takes away those of the messages that were accepted before, with the answers of receivers to them, and
/// those of their dead letters.
#[utoipa::path(
    post, path = "/api/v1/app/{app_id}/msg/expunge-all-contents",
    operation_id = "v1.message.expunge-all-contents", tag = "message",
    params(ApplicationPath),
    responses((status = 202, description = "A background task does it.", body = BackgroundTaskOut))
)]
async fn all_messages(
    State(state): State<SharedState>,
    caller: Caller,
    path: ApplicationPath,
) -> Result<(StatusCode, Json<BackgroundTaskOut>), ApiError> {
    let environment_id = caller.whole_environment()?.clone();
    let filter = serde_json::to_value(ContentPurge { application_id: path.application })
        .map_err(|_| ApiError::Internal)?;
    let kind = TaskKind::PurgeContent;
    let new = NewTask {
        environment_id,
        application_id: None,
        kind,
        filter,
        rate_per_second: None,
        total: 0,
        note: None,
    };
    start_task(&state, &caller, &new).await
}

/// Expunge what the receiver answered to an attempt.
#[utoipa::path(
    delete, path = "/api/v1/app/{app_id}/msg/{msg_id}/attempt/{attempt_id}/content",
    operation_id = "v1.message-attempt.expunge-content", tag = "attempt",
    params(AttemptPath),
    responses((status = 204, description = "It is gone."))
)]
async fn attempt(
    State(state): State<SharedState>,
    caller: Caller,
    path: AttemptPath,
) -> Result<StatusCode, ApiError> {
    caller.whole_environment()?;
    if state.tasks.expunge_attempt(caller.actor(), path.application, path.message, path.attempt).await? {
        Ok(StatusCode::NO_CONTENT)
    } else {
        Err(ApiError::NoSuch("attempt"))
    }
}

/// The routes of this resource.
pub(super) fn routes() -> OpenApiRouter<SharedState> {
    OpenApiRouter::new()
        .routes(routes!(message))
        .routes(routes!(messages))
        .routes(routes!(all_messages))
        .routes(routes!(attempt))
}
