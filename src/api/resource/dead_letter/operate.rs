//! The operations on dead letters, for any scope.

use axum::Json;
use axum::response::{IntoResponse, Response};
use http::StatusCode;

use crate::api::conventions::page::{ListOut, Ordering, PageQuery, shown_within};
use crate::api::error::ApiError;
use crate::api::intake::answer::HeldAnswer;
use crate::api::resource::attempt::AttemptOut;
use crate::api::resource::background_task::start_task;
use crate::api::resource::message::resend::content_gone;
use crate::api::state::SharedState;
use crate::domain::background_task::TaskKind;
use crate::domain::id::reference::Reference;
use crate::domain::id::{DeadLetterId, EndpointId};
use crate::domain::page::Scan;
use crate::store::{AttemptFilter, AttemptRecord, DeadLetter, DiscardOutcome, NewTask, ReplayOutcome};

use super::filter::{BulkIn, FilterQuery, ReplayIn};
use super::preview::preview;
use super::{DeadLetterOut, Scope};

/// With one dead letter, so many of its latest attempts are shown, as far as they fit into a page.
const ATTEMPTS_SHOWN: i64 = 100;

pub(in crate::api::resource::dead_letter) async fn list(
    state: &SharedState,
    scope: &Scope,
    page: &PageQuery,
    query: FilterQuery,
) -> Result<HeldAnswer<Json<ListOut<DeadLetterOut>>>, ApiError> {
    let page = page.request::<DeadLetterId>(Ordering::Descending)?;
    let filter = query.filter(state, Some(&scope.environment), scope.application).await?;
    let room = state.room_for_object().await?;
    let rows = state.history.dead_letters(Some(&scope.environment), &filter, &page.scan).await?;
    let key = |letter: &DeadLetter| letter.id.to_string();
    let shape = |letter| Ok::<_, ApiError>(shaped(letter, scope));
    let list = page.answer_within(state.intake.page_bytes, rows, key, shape)?;
    Ok(HeldAnswer { body: Json(list), room: Some(room) })
}

fn shaped(letter: DeadLetter, scope: &Scope) -> DeadLetterOut {
    DeadLetterOut::from(letter).shown_to(&scope.caller)
}

fn shaped_attempt(row: AttemptRecord, scope: &Scope) -> Result<AttemptOut, ApiError> {
    Ok(AttemptOut::of(row, false)?.shown_to(&scope.caller))
}

/// One dead letter with its payload and attempts.
pub(in crate::api::resource::dead_letter) async fn get(
    state: &SharedState,
    scope: &Scope,
    id: DeadLetterId,
) -> Result<HeldAnswer<Json<DeadLetterOut>>, ApiError> {
    let letter = state.history.dead_letter(&scope.environment, scope.application, id).await?;
    let letter = letter.ok_or(ApiError::NoSuch("dead letter"))?;
    let room = state.room_for_page().await?;
    let payload = state.history.dead_letter_payload(id).await?;
    let latest = Scan { after: None, ascending: false, limit: ATTEMPTS_SHOWN };
    let (message, endpoint) = (letter.message_id, Some(letter.endpoint_id));
    let filter = AttemptFilter::default();
    let attempts = state.history.attempts_of_message(message, endpoint, &filter, true, &latest).await?;
    let mut out = shaped(letter, scope).with_payload(payload)?;
    let attempts = attempts.into_iter().map(|row| shaped_attempt(row, scope)).collect::<Result<_, _>>()?;
    out.attempts = Some(shown_within(state.intake.page_bytes, attempts));
    Ok(HeldAnswer { body: Json(out), room: Some(room) })
}

pub(in crate::api::resource::dead_letter) async fn replay(
    state: &SharedState,
    scope: &Scope,
    id: DeadLetterId,
    input: Option<ReplayIn>,
) -> Result<(StatusCode, Json<DeadLetterOut>), ApiError> {
    let to = match input.and_then(|input| input.to_endpoint_id) {
        Some(named) => Some(other_endpoint(state, scope, id, &named).await?),
        None => None,
    };
    let (actor, environment) = (scope.caller.actor(), &scope.environment);
    match state.tasks.replay_dead_letter(actor, environment, scope.application, id, to).await? {
        ReplayOutcome::Started => {}
        ReplayOutcome::NotFound => return Err(ApiError::NoSuch("dead letter")),
        ReplayOutcome::AlreadyReplayed => return Err(already_replayed()),
        ReplayOutcome::EndpointDeleted => {
            return Err(ApiError::Conflict {
                code: "endpoint_deleted",
                detail: "The endpoint that missed it is deleted: name another in `toEndpointId`.",
            });
        }
        ReplayOutcome::ContentGone => return Err(content_gone()),
    }
    Ok((StatusCode::ACCEPTED, shown(state, scope, id).await?))
}

pub(in crate::api::resource::dead_letter) async fn discard(
    state: &SharedState,
    scope: &Scope,
    id: DeadLetterId,
) -> Result<Json<DeadLetterOut>, ApiError> {
    match state
        .tasks
        .discard_dead_letter(scope.caller.actor(), &scope.environment, scope.application, id)
        .await?
    {
        DiscardOutcome::Discarded => shown(state, scope, id).await,
        DiscardOutcome::NotFound => Err(ApiError::NoSuch("dead letter")),
        DiscardOutcome::AlreadyReplayed => Err(already_replayed()),
    }
}

/// Starts a background task, or tells how much it would do.
pub(in crate::api::resource::dead_letter) async fn bulk(
    state: &SharedState,
    scope: &Scope,
    kind: TaskKind,
    input: BulkIn,
) -> Result<Response, ApiError> {
    let bulk = input.read(state, scope, kind).await?;
    if bulk.dry_run {
        return Ok(Json(preview(state, scope, kind, &bulk.filter).await?).into_response());
    }
    let count = state.history.count_dead_letters(&scope.environment, kind, &bulk.filter).await?;
    let new = NewTask {
        environment_id: scope.environment.clone(),
        application_id: scope.application,
        kind,
        filter: serde_json::to_value(&bulk.filter).map_err(|_| ApiError::Internal)?,
        rate_per_second: bulk.rate_per_second,
        total: count,
        note: bulk.note,
    };
    Ok(start_task(state, &scope.caller, &new).await?.into_response())
}

/// The endpoint of a dead letter's application that is named.
async fn other_endpoint(
    state: &SharedState,
    scope: &Scope,
    id: DeadLetterId,
    named: &str,
) -> Result<EndpointId, ApiError> {
    let letter = state.history.dead_letter(&scope.environment, scope.application, id).await?;
    let application = letter.ok_or(ApiError::NoSuch("dead letter"))?.application_id;
    let found = state.configuration.endpoint_id(application, &Reference::parse(named)).await?;
    found.ok_or(ApiError::NoSuch("endpoint"))
}

const fn already_replayed() -> ApiError {
    ApiError::Conflict {
        code: "already_replayed",
        detail: "It was replayed, and has not failed again since.",
    }
}

async fn shown(
    state: &SharedState,
    scope: &Scope,
    id: DeadLetterId,
) -> Result<Json<DeadLetterOut>, ApiError> {
    let letter = state.history.dead_letter(&scope.environment, scope.application, id).await?;
    Ok(Json(shaped(letter.ok_or(ApiError::NoSuch("dead letter"))?, scope)))
}
