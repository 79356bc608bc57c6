//! How an inbox looks from outside.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::api::conventions::page::shown_within;
use crate::api::resource::attempt::exchange::HeaderOut;
use crate::api::state::ApiState;
use crate::domain::id::{InboxId, InboxRequestId};
use crate::store::{InboxRecord, InboxRequest};

/// A test inbox to make.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct InboxIn {
    /// The status that it answers, 204 when absent.
    #[schema(minimum = 200, maximum = 599, example = 204)]
    pub(super) answer_status: Option<u16>,
    /// Whose it is, by id or `uid`; the environment's own when absent. A tenant's token means its own application.
    #[schema(example = json!(null))]
    pub(super) app_id: Option<String>,
}

/// A test inbox.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct InboxOut {
    /// Its id.
    #[schema(value_type = String, example = "inbox_01h455vb4pex5vsknk084sn02q")]
    id: InboxId,
    /// Where it gets what is posted. Whoever knows it may post.
    #[schema(example = "https://hooks.example.com/in/2zq8v5n0w7j4c1x9m6t3b8h5d2f7k4p1")]
    pub(super) url: String,
    /// The status that it answers.
    answer_status: u16,
    /// When it was made.
    created_at: DateTime<Utc>,
    /// When it ends, and what it got with it.
    expires_at: DateTime<Utc>,
    /// What it got, the newest first, as far as it fits into a page.
    #[schema(max_items = 100)]
    requests: Vec<InboxRequestOut>,
}

/// A request that an inbox got.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct InboxRequestOut {
    /// Its id.
    #[schema(value_type = String, example = "inreq_01h455vb4pex5vsknk084sn02q")]
    id: InboxRequestId,
    /// When it came.
    at: DateTime<Utc>,
    /// Its method.
    #[schema(example = "POST")]
    method: String,
    /// Its headers, 64 at most.
    headers: Vec<HeaderOut>,
    /// Its body.
    #[schema(example = "{\"invoice\":\"in_1\"}")]
    body: String,
    /// Whether a signature holds by the secrets of an endpoint that has this URL, and is not old; `null` when there is no
    /// such endpoint.
    #[schema(required)]
    is_verified: Option<bool>,
}

impl InboxOut {
    pub(super) fn of(state: &ApiState, inbox: &InboxRecord, requests: Vec<InboxRequest>) -> Self {
        let requests = requests.into_iter().map(InboxRequestOut::from).collect();
        Self {
            id: inbox.id,
            url: state.inboxes.url_of(&inbox.name),
            answer_status: inbox.answer_status,
            created_at: inbox.created_at,
            expires_at: inbox.expires_at,
            requests: shown_within(state.intake.page_bytes, requests),
        }
    }
}

impl From<InboxRequest> for InboxRequestOut {
    fn from(request: InboxRequest) -> Self {
        Self {
            id: request.id,
            at: request.at,
            method: request.method,
            headers: request.headers.into_iter().map(|(name, value)| HeaderOut { name, value }).collect(),
            body: String::from_utf8_lossy(&request.body).into_owned(),
            is_verified: request.is_verified,
        }
    }
}
