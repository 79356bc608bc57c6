//! The search for anything. It takes an id of ours for what it is; anything else may be somebody's own id, or a part of a name.

use axum::Json;
use axum::extract::State;
use serde::Deserialize;
use utoipa::IntoParams;

use crate::api::conventions::extract::ApiQuery;
use crate::api::conventions::validate::Findings;
use crate::api::credential::Caller;
use crate::api::error::ApiError;
use crate::api::state::{ApiState, SharedState};
use crate::domain::id::reference::Reference;
use crate::domain::id::{ApplicationId, DeadLetterId, EndpointId, EnvironmentId, MessageId, TaskId};

use super::hit::SearchOut;

/// What is looked for.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct SearchQuery {
    /// An id of ours, a `uid`, an `eventId`, or a part of a name, a URL or a description, in whatever case; with one or two
    /// characters, the beginning of a word of these.
    #[param(min_length = 1, max_length = 256)]
    q: String,
}

/// Adds what has this id, and says whether it is one of ours. Applications have been looked at.
async fn add_by_id(
    out: &mut SearchOut,
    state: &ApiState,
    environment: &EnvironmentId,
    asked: &str,
) -> Result<bool, ApiError> {
    if let Ok(endpoint) = asked.parse::<EndpointId>() {
        out.add(state.configuration.endpoint_in_environment(environment, endpoint).await?);
    } else if let Ok(message) = asked.parse::<MessageId>() {
        out.add(state.history.message_in_environment(environment, message).await?);
        out.add(state.history.dead_letters_of(environment, &[message]).await?);
    } else if let Ok(letter) = asked.parse::<DeadLetterId>() {
        if let Some(letter) = state.history.dead_letter(environment, None, letter).await? {
            let letters = state.history.dead_letters_of(environment, &[letter.message_id]).await?;
            out.add(letters.into_iter().filter(|it| it.id == letter.id));
        }
    } else if let Ok(task) = asked.parse::<TaskId>() {
        out.add(state.tasks.task(environment, None, task).await?);
    } else {
        return Ok(asked.parse::<ApplicationId>().is_ok());
    }
    Ok(true)
}

/// Find anything by its id, its name or a part of it.
///
/// Applications, endpoints, messages (by id or `eventId`), their dead letters, event types and background tasks of the
/// environment; six of a kind at most, the most alike first.
#[utoipa::path(
    get, path = "/api/v1/search", operation_id = "v1.console.search", tag = "console",
    params(SearchQuery),
    responses((status = 200, description = "What was found.", body = SearchOut))
)]
pub(super) async fn search(
    State(state): State<SharedState>,
    caller: Caller,
    ApiQuery(query): ApiQuery<SearchQuery>,
) -> Result<Json<SearchOut>, ApiError> {
    let environment = caller.whole_environment()?;
    let mut findings = Findings::of_query();
    if query.q.is_empty() {
        findings.add("q", "must not be empty");
    }
    findings.finish()?;
    let asked = query.q.trim();
    let mut out = SearchOut { data: Vec::new() };
    if asked.is_empty() {
        return Ok(Json(out));
    }
    out.add(state.configuration.application(environment, &Reference::parse(asked)).await?);
    let is_id = add_by_id(&mut out, &state, environment, asked).await?;
    if !is_id {
        let (messages, configuration) = tokio::try_join!(
            state.history.messages_of_event_id(environment, asked),
            state.configuration.search(environment, asked),
        )?;
        let ids: Vec<MessageId> = messages.iter().map(|message| message.id).collect();
        out.add(messages);
        out.add(state.history.dead_letters_of(environment, &ids).await?);
        out.add_configuration(configuration);
    }
    Ok(Json(out))
}
