//! Posting many messages at once: one commit, and for each message an answer of its own.

use axum::Json;
use axum::extract::State;
use http::{HeaderMap, StatusCode};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::api::conventions::extract::{ApiQuery, RawBody, parse};
use crate::api::conventions::idempotency::{BATCH_PATH, hashed, key_in, key_of_part};
use crate::api::conventions::validate::Findings;
use crate::api::credential::Caller;
use crate::api::error::{ApiError, ErrorBody};
use crate::api::resource::application::{ApplicationIn, create_unless_there};
use crate::api::resource::path::ApplicationName;
use crate::api::state::{ApiState, SharedState};
use crate::domain::id::EnvironmentId;
use crate::ingest::{Accepted, IngestError, NewMessage};
use crate::telemetry::metrics;

use super::MessageOut;
use super::create::{earlier, record_of, refused};
use super::input::{MessageIn, bounded_application};

const MAX_MESSAGES: usize = 1_000;

/// Messages to send.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct MessageBatchIn<'a> {
    /// The messages, 1 to 1,000. One that does not validate is refused alone.
    #[serde(borrow)]
    #[schema(value_type = Vec<MessageIn>, min_items = 1, max_items = 1000)]
    messages: Vec<&'a RawValue>,
    /// The application to create, in case that there is none yet under the `uid` in the path.
    #[serde(default, deserialize_with = "bounded_application")]
    application: Option<ApplicationIn>,
}

/// What became of the messages.
#[derive(Debug, Serialize, ToSchema)]
struct MessageBatchOut {
    /// One result for each message, in their order.
    data: Vec<MessageResultOut>,
}

/// What became of one message.
#[derive(Debug, Serialize, ToSchema)]
struct MessageResultOut {
    /// The status that it would have been answered with alone: `202` for one that is stored.
    #[schema(minimum = 200, maximum = 599, example = 202)]
    status: u16,
    /// The message that is stored.
    message: Option<MessageOut>,
    /// Why it is not.
    error: Option<ErrorBody>,
}

impl MessageResultOut {
    fn of(result: Result<MessageOut, ApiError>) -> Self {
        match result {
            Ok(message) => {
                Self { status: StatusCode::ACCEPTED.as_u16(), message: Some(message), error: None }
            }
            Err(error) => {
                metrics::current().refused(error.code());
                Self { status: error.status().as_u16(), message: None, error: Some(error.into()) }
            }
        }
    }
}

/// How to answer.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct BatchQuery {
    /// Whether the answer repeats the payloads.
    #[param(default = false)]
    with_content: Option<bool>,
}

/// Post up to 1,000 messages. What can be stored is stored in one commit when the answer comes; each has its result.
#[utoipa::path(
    post, path = "/api/v1/app/{app_id}/msg/batch", operation_id = "v1.message.create-batch", tag = "message",
    params(ApplicationName, BatchQuery),
    request_body = MessageBatchIn,
    responses((status = 202, description = "Each message has its own result.", body = MessageBatchOut))
)]
async fn create_batch(
    State(state): State<SharedState>,
    caller: Caller,
    ApplicationName { name: app_id }: ApplicationName,
    ApiQuery(query): ApiQuery<BatchQuery>,
    headers: HeaderMap,
    RawBody(body): RawBody,
) -> Result<(StatusCode, Json<MessageBatchOut>), ApiError> {
    let environment = caller.whole_environment()?;
    let input: MessageBatchIn<'_> = parse(&body)?;
    input.check(&app_id)?;
    let path = BATCH_PATH.replace("{app_id}", &app_id);
    let key = key_in(&headers)?.map(|key| hashed(&caller, &path, None, key, &body));
    let mut results: Vec<Option<Result<MessageOut, ApiError>>> = Vec::with_capacity(input.messages.len());
    let mut valid: Vec<NewMessage> = Vec::with_capacity(input.messages.len());
    for (place, text) in input.messages.iter().enumerate() {
        match read(text, &app_id, place) {
            Ok(message) => {
                valid.push(message.message(&body, key.map(|key| key_of_part(key, place))));
                results.push(None);
            }
            Err(error) => results.push(Some(Err(error))),
        }
    }
    let accepted = match (state.ingest.accept_all(environment, &app_id, &valid).await, input.application) {
        (Err(IngestError::UnknownApplication), Some(application)) => {
            create_unless_there(&state, &caller, &app_id, application).await?;
            state.ingest.accept_all(environment, &app_id, &valid).await
        }
        (accepted, _) => accepted,
    };
    let with_content = query.with_content.unwrap_or(false);
    let accepted = accepted.map_err(refused)?;
    if let Some(error) = refusal_of_all(&accepted) {
        return Err(refused(error));
    }
    let mut accepted = accepted.into_iter();
    let mut data = Vec::with_capacity(results.len());
    for result in results {
        let result = match result {
            Some(refused) => refused,
            None => {
                let answer = accepted.next().unwrap_or(Err(IngestError::Unavailable));
                shaped(&state, environment, &app_id, answer, with_content).await
            }
        };
        data.push(MessageResultOut::of(result));
    }
    Ok((StatusCode::ACCEPTED, Json(MessageBatchOut { data })))
}

/// What is said of the whole request, because it is about none of the messages in particular.
fn refusal_of_all(answers: &[Result<Accepted, IngestError>]) -> Option<IngestError> {
    let first = answers.first()?.as_ref().err().copied()?;
    let of_all = first != IngestError::EventIdTaken
        && answers.iter().all(|answer| answer.as_ref().is_err_and(|error| *error == first));
    of_all.then_some(first)
}

impl MessageBatchIn<'_> {
    fn check(&self, app_id: &str) -> Result<(), ApiError> {
        let mut findings = Findings::of_body();
        if !(1..=MAX_MESSAGES).contains(&self.messages.len()) {
            findings.add("messages", format!("must have 1 to {MAX_MESSAGES} items"));
        }
        findings.finish()?;
        self.application.as_ref().map_or(Ok(()), |application| application.check_created_at(app_id))
    }
}

/// Reads one message, whose findings are named by its place.
fn read<'a>(text: &'a RawValue, app_id: &str, place: usize) -> Result<MessageIn<'a>, ApiError> {
    let message = parse::<MessageIn<'a>>(text.get().as_bytes()).and_then(|message| {
        if message.application.is_some() {
            let msg = "stands beside `messages`, for all of them";
            return Err(ApiError::invalid(&["body", "application"], msg, "value_error"));
        }
        message.check(app_id).map(|()| message)
    });
    message.map_err(|error| error.within(&["messages", &place.to_string()]))
}

async fn shaped(
    state: &ApiState,
    environment: &EnvironmentId,
    app_id: &str,
    answer: Result<Accepted, IngestError>,
    with_content: bool,
) -> Result<MessageOut, ApiError> {
    let record = match answer.map_err(refused)? {
        Accepted::Stored(message) => record_of(&message, with_content),
        Accepted::Repeated(id) => earlier(state, environment, app_id, id, with_content).await?,
    };
    MessageOut::of(record)
}

/// The routes of this part.
pub(super) fn routes() -> OpenApiRouter<SharedState> {
    OpenApiRouter::new().routes(routes!(create_batch))
}
