//! The request of an attempt, as it was sent. It is put together once more from what is stored, by the code that sends.

use axum::Json;
use axum::extract::State;
use chrono::{DateTime, Utc};
use http::HeaderMap;
use http::header::{CONTENT_LENGTH, HOST};
use serde::Serialize;
use url::{Position, Url};
use utoipa::ToSchema;

use crate::api::credential::Caller;
use crate::api::error::ApiError;
use crate::api::intake::answer::HeldAnswer;
use crate::api::resource::path::AttemptPath;
use crate::api::state::SharedState;
use crate::domain::endpoint::custom_header;
use crate::domain::id::MessageId;
use crate::domain::id::reference::Reference;
use crate::send::headers_of_request;
use crate::sign::{ID_HEADER, SIGNATURE_HEADER, SignatureHeaders, TIMESTAMP_HEADER, sign};
use crate::store::{AttemptRecord, Content, SendingParts};

use super::exchange::HeaderOut;

/// A request as it was sent.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(in crate::api) struct RequestOut {
    /// Always `POST`.
    #[schema(example = "POST")]
    pub(in crate::api) method: &'static str,
    /// Where it went.
    pub(in crate::api) url: String,
    /// Its headers. Values that may be secret are `null`; so is the signature when a secret that made it is gone.
    pub(in crate::api) headers: Vec<HeaderOut>,
    /// The body's bytes, which are UTF-8; `null` once the message's content was expunged.
    #[schema(required)]
    pub(in crate::api) body: Option<String>,
    /// The body's size; `null` once it is gone.
    #[schema(required)]
    pub(in crate::api) size_bytes: Option<u64>,
    /// Whether this is what was sent, value for value: since then nothing of it was changed or has gone.
    pub(in crate::api) is_exact: bool,
}

/// The headers of the signature, and whether they are those that were sent.
fn signature_of(
    parts: &SendingParts,
    message: MessageId,
    payload: Option<&[u8]>,
    at: DateTime<Utc>,
) -> Option<SignatureHeaders> {
    sign(&parts.keys_at(at)?, message, payload?, at).ok()
}

/// Headers as this caller sees them, in their order.
fn shown_headers(own: &HeaderMap, all: &HeaderMap, sees_secrets: bool) -> Vec<HeaderOut> {
    let shown = all.iter().map(|(name, value)| {
        let is_own = own.contains_key(name) && name != http::header::CONTENT_TYPE;
        let is_hidden = is_own && (!sees_secrets || custom_header::is_sensitive(name));
        let text = || {
            value
                .to_str()
                .map_or_else(|_| String::from_utf8_lossy(value.as_bytes()).into_owned(), str::to_owned)
        };
        HeaderOut { name: name.as_str().to_owned(), value: (!is_hidden).then(text) }
    });
    shown.collect()
}

/// Those of a request without a signature that could be made.
fn unsigned_headers(message: MessageId, at: DateTime<Utc>) -> Result<SignatureHeaders, ApiError> {
    let text = |text: String| text.parse().map_err(|_| ApiError::Internal);
    Ok(SignatureHeaders {
        id: text(message.to_string())?,
        timestamp: text(at.timestamp().to_string())?,
        signature: text(String::new())?,
    })
}

fn shape(
    attempt: &AttemptRecord,
    parts: &SendingParts,
    of_message: &HeaderMap,
    payload: Option<Vec<u8>>,
    caller: &Caller,
) -> Result<RequestOut, ApiError> {
    let (message, at) = (attempt.message_id, attempt.id.created_at());
    let mut own = custom_header::of_requests(parts.headers.clone());
    own.extend(of_message.clone());
    let signature = signature_of(parts, message, payload.as_deref(), at);
    let is_exact = signature.is_some() && parts.unchanged_since(at);
    let unsigned = unsigned_headers(message, at)?;
    let mut all =
        headers_of_request(&own, of_message, signature.as_ref().unwrap_or(&unsigned), parts.svix_headers);
    let url = Url::parse(&attempt.url).ok();
    let host = url.as_ref().map(|url| &url[Position::BeforeHost..Position::AfterPort]);
    if let Some(host) = host.and_then(|host| host.parse().ok()) {
        all.insert(HOST, host);
    }
    if let Some(payload) = &payload {
        all.insert(CONTENT_LENGTH, payload.len().into());
    }
    let mut headers = shown_headers(&own, &all, caller.sees_secrets());
    if signature.is_none() {
        headers
            .iter_mut()
            .filter(|header| header.name.ends_with("-signature"))
            .for_each(|it| it.value = None);
    }
    // What a reader looks for first: what the connection adds, what was signed, the rest by name.
    let first = [HOST.as_str(), ID_HEADER, TIMESTAMP_HEADER, SIGNATURE_HEADER];
    let place = |name: &str| first.iter().position(|it| *it == name).unwrap_or(first.len());
    headers.sort_by(|one, other| (place(&one.name), &one.name).cmp(&(place(&other.name), &other.name)));
    Ok(RequestOut {
        method: "POST",
        url: caller.shown_url(attempt.url.clone()),
        headers,
        size_bytes: payload.as_ref().map(|payload| u64::try_from(payload.len()).unwrap_or(u64::MAX)),
        body: payload.map(|payload| String::from_utf8_lossy(&payload).into_owned()),
        is_exact,
    })
}

/// Show the request of an attempt as it was sent.
///
/// It is put together from what is stored: the URL and the time of the attempt, the endpoint's headers as they are now, the
/// secrets that were live then, the payload. `isExact` says whether all of that is still as it was. Values that count as
/// sensitive are `null`.
#[utoipa::path(
    get, path = "/api/v1/app/{app_id}/msg/{msg_id}/attempt/{attempt_id}/request",
    operation_id = "v1.message-attempt.get-request", tag = "attempt",
    params(AttemptPath),
    responses((status = 200, description = "The request.", body = RequestOut))
)]
pub(super) async fn get_request(
    State(state): State<SharedState>,
    caller: Caller,
    path: AttemptPath,
) -> Result<HeldAnswer<Json<RequestOut>>, ApiError> {
    let room = state.room_for_object().await?;
    let attempt =
        state.history.attempt(path.message, path.attempt).await?.ok_or(ApiError::NoSuch("attempt"))?;
    let parts = state.configuration.sending_parts(path.application, attempt.endpoint_id).await?;
    let parts = parts.ok_or(ApiError::NoSuch("endpoint"))?;
    let message = state.history.message(path.application, &Reference::Id(path.message), true).await?;
    let payload = message.and_then(|message| message.content).and_then(|content| match content {
        Content::Kept(bytes) => Some(bytes),
        Content::Expunged => None,
    });
    let of_message = state.history.message_headers(path.message).await?;
    let body = Json(shape(&attempt, &parts, &of_message, payload, &caller)?);
    Ok(HeldAnswer { body, room: Some(room) })
}
