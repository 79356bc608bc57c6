//! Listing attempts: at an endpoint, or of a message.

use axum::Json;
use axum::extract::State;

use crate::api::conventions::extract::ApiQuery;
use crate::api::conventions::page::{ListOut, Ordering, PlainPageQuery};
use crate::api::credential::Caller;
use crate::api::error::ApiError;
use crate::api::intake::answer::HeldAnswer;
use crate::api::resource::message::EventTypes;
use crate::api::resource::path::{EndpointPath, MessagePath, named_endpoint};
use crate::api::state::SharedState;
use crate::domain::id::AttemptId;
use crate::domain::id::reference::Reference;
use crate::store::AttemptRecord;

use super::query::{EndpointQuery, ListQuery};
use super::shape::AttemptOut;

/// List the attempts at an endpoint.
#[utoipa::path(
    get, path = "/api/v1/app/{app_id}/attempt/endpoint/{endpoint_id}",
    operation_id = "v1.message-attempt.list-by-endpoint", tag = "attempt",
    params(
        EndpointPath,
        ("event_types" = Option<Vec<String>>, Query, description = "Only of messages of these event types."),
        PlainPageQuery,
        ListQuery
    ),
    responses((status = 200, description = "A page of them, newest first.", body = ListOut<AttemptOut>))
)]
pub(super) async fn list_by_endpoint(
    State(state): State<SharedState>,
    caller: Caller,
    path: EndpointPath,
    ApiQuery(page): ApiQuery<PlainPageQuery>,
    ApiQuery(mut query): ApiQuery<ListQuery>,
    EventTypes(event_types): EventTypes,
) -> Result<HeldAnswer<Json<ListOut<AttemptOut>>>, ApiError> {
    let page = page.request::<AttemptId>(Ordering::Descending)?;
    let content = query.with_content.unwrap_or(true);
    let room = if content { state.room_for_page().await? } else { state.room_for_object().await? };
    let rows = match query.filter(event_types)? {
        None => Vec::new(),
        Some(filter) => {
            state.history.attempts_at_endpoint(path.endpoint, &filter, content, &page.scan).await?
        }
    };
    let key = |row: &AttemptRecord| row.id.to_string();
    let list = page.answer_within(state.intake.page_bytes, rows, key, |row| query.shape(row, &caller))?;
    Ok(HeldAnswer { body: Json(list), room: Some(room) })
}

/// List the attempts of a message.
#[utoipa::path(
    get, path = "/api/v1/app/{app_id}/attempt/msg/{msg_id}", operation_id = "v1.message-attempt.list-by-msg",
    tag = "attempt",
    params(
        MessagePath,
        ("event_types" = Option<Vec<String>>, Query, description = "Only if the message is of one of these."),
        PlainPageQuery,
        ListQuery,
        EndpointQuery
    ),
    responses((status = 200, description = "A page of them, newest first.", body = ListOut<AttemptOut>))
)]
pub(super) async fn list_by_message(
    State(state): State<SharedState>,
    caller: Caller,
    path: MessagePath,
    ApiQuery(page): ApiQuery<PlainPageQuery>,
    ApiQuery(mut query): ApiQuery<ListQuery>,
    ApiQuery(at): ApiQuery<EndpointQuery>,
    EventTypes(event_types): EventTypes,
) -> Result<HeldAnswer<Json<ListOut<AttemptOut>>>, ApiError> {
    let endpoint = match &at.endpoint_id {
        None => None,
        Some(named) => Some(named_endpoint(&state, path.application, &Reference::parse(named)).await?),
    };
    let page = page.request::<AttemptId>(Ordering::Descending)?;
    let content = query.with_content.unwrap_or(true);
    let room = if content { state.room_for_page().await? } else { state.room_for_object().await? };
    let rows = match query.filter(event_types)? {
        None => Vec::new(),
        Some(filter) => {
            state.history.attempts_of_message(path.message, endpoint, &filter, content, &page.scan).await?
        }
    };
    let key = |row: &AttemptRecord| row.id.to_string();
    let list = page.answer_within(state.intake.page_bytes, rows, key, |row| query.shape(row, &caller))?;
    Ok(HeldAnswer { body: Json(list), room: Some(room) })
}
