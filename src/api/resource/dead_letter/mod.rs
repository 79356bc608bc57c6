//! Dead letters: what could not be delivered, and how it comes back. The operations are the same for an
//! environment (`/dead-letter`) and for one tenant (`/app/{app_id}/dead-letter`): a [`Scope`] tells them apart.

mod environment;
mod filter;
mod operate;
mod operator;
mod path;
mod preview;
mod tenant;

use chrono::{DateTime, Utc};
use serde::Serialize;
use serde_json::value::RawValue;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;

use crate::api::credential::Caller;
use crate::api::error::ApiError;
use crate::api::state::SharedState;
use crate::domain::id::{ApplicationId, DeadLetterId, EndpointId, EnvironmentId, MessageId};
use crate::store::{Content, DeadLetter};

use super::attempt::{AttemptOut, shown_failure};
use super::message::{shown_payload, some_if_any};

pub(in crate::api) use filter::OpenFilterQuery;
pub use preview::CountOut;

/// Whose dead letters an operation is about.
struct Scope {
    /// Who asks.
    caller: Caller,
    environment: EnvironmentId,
    /// Of one tenant; `None` for all of the environment.
    application: Option<ApplicationId>,
}

/// A dead letter.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct DeadLetterOut {
    /// Its id.
    #[schema(value_type = String, example = "dl_01h455vb4pex5vsknk084sn02q")]
    pub id: DeadLetterId,
    /// `open`, `replayed` or `discarded`. A replay that fails opens it again.
    #[schema(example = "open")]
    pub state: &'static str,
    /// In which environment.
    #[schema(example = "org_demo")]
    pub environment_id: String,
    /// Whose endpoint missed it.
    #[schema(value_type = String)]
    pub app_id: ApplicationId,
    /// The application's name.
    pub app_name: String,
    /// The endpoint that missed it.
    #[schema(value_type = String)]
    pub endpoint_id: EndpointId,
    /// The endpoint's URL, as it is now.
    pub endpoint_url: String,
    /// The message.
    #[schema(value_type = String)]
    pub msg_id: MessageId,
    /// The message's event type.
    pub event_type: String,
    /// Your own id for the message.
    pub event_id: Option<String>,
    /// The message's channels.
    pub channels: Option<Vec<String>>,
    /// The message's tags.
    pub tags: Option<Vec<String>>,
    /// `exhausted`, `gone`, `unsendable`, `hold_expired`, `endpoint_deleted`,
    /// `unrecordable` or `not_retryable`.
    #[schema(example = "exhausted")]
    pub reason: &'static str,
    /// The status of the last answer.
    pub last_status_code: Option<u16>,
    /// What went wrong the last time: `status`, `timeout`, `connection`, …
    pub last_failure: Option<String>,
    /// Attempts made in the round that it died in.
    pub attempts_made: u16,
    /// When it died.
    pub died_at: DateTime<Utc>,
    /// When it was replayed.
    pub replayed_at: Option<DateTime<Utc>>,
    /// When it was discarded.
    pub discarded_at: Option<DateTime<Utc>>,
    /// The payload as it was posted; only where one dead letter is shown, or exported. `null` when it was expunged.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Object>)]
    pub payload: Option<Box<RawValue>>,
    /// The payload, where it is a text that is no JSON object; `payload` is `{}` then.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub raw_payload: Option<String>,
    /// The latest attempts, newest first; only where one dead letter is shown.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub attempts: Option<Vec<AttemptOut>>,
}

impl From<DeadLetter> for DeadLetterOut {
    fn from(letter: DeadLetter) -> Self {
        Self {
            id: letter.id,
            state: letter.state().name(),
            environment_id: letter.environment_id,
            app_id: letter.application_id,
            app_name: letter.application_name,
            endpoint_id: letter.endpoint_id,
            endpoint_url: letter.endpoint_url,
            msg_id: letter.message_id,
            event_type: letter.event_type,
            event_id: letter.event_id,
            channels: some_if_any(letter.channels),
            tags: some_if_any(letter.tags),
            reason: letter.reason.name(),
            last_status_code: letter.last_status,
            last_failure: letter.last_failure,
            attempts_made: letter.attempts,
            died_at: letter.died_at,
            replayed_at: letter.replayed_at,
            discarded_at: letter.discarded_at,
            payload: None,
            raw_payload: None,
            attempts: None,
        }
    }
}

impl DeadLetterOut {
    /// As this caller sees it.
    #[must_use]
    pub(in crate::api) fn shown_to(mut self, caller: &Caller) -> Self {
        self.endpoint_url = caller.shown_url(self.endpoint_url);
        self.last_failure = self.last_failure.map(|failure| shown_failure(caller, failure));
        self
    }

    /// With its payload; `None` for one that was expunged.
    ///
    /// # Errors
    /// [`ApiError::Internal`] when what is stored is not text.
    pub(in crate::api) fn with_payload(mut self, payload: Option<Vec<u8>>) -> Result<Self, ApiError> {
        let shown = payload.map(|bytes| shown_payload(Some(Content::Kept(bytes)))).transpose()?;
        (self.payload, self.raw_payload) = shown.map_or((None, None), |(payload, raw)| (Some(payload), raw));
        Ok(self)
    }
}

/// The routes of this resource.
pub(super) fn routes() -> OpenApiRouter<SharedState> {
    environment::routes().merge(tenant::routes()).merge(operator::routes())
}
