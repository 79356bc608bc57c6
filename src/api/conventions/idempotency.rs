//! `Idempotency-Key`: the first answer to a `POST` is given again for twelve hours, to the same caller, for the
//! same path and body. A twin that comes while the first is under way waits for it.
//!
//! The posts of messages are left out: ingest writes their keys in the statement that writes the messages. So is signing
//! in, which has no caller yet, and whose answer is a secret.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use axum::body::{Body, Bytes, to_bytes};
use axum::extract::{FromRequestParts, MatchedPath, Request, State};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use sha2::{Digest, Sha256};
use tracing::Instrument as _;

use crate::api::credential::{Caller, SIGN_IN_PATH};
use crate::api::state::SharedState;
use crate::store::{Claim, ClaimedKey, IdempotencyKey};

use crate::api::error::{AnsweredError, ApiError};

/// Where messages are posted: the paths whose keys ingest writes.
pub const MESSAGE_PATH: &str = "/api/v1/app/{app_id}/msg";
/// The same, for many messages at once.
pub const BATCH_PATH: &str = "/api/v1/app/{app_id}/msg/batch";

/// The header's name.
pub const HEADER: &str = "idempotency-key";
/// No key is longer.
pub const MAX_KEY_BYTES: usize = 256;
/// What a key looks like: visible ASCII, with spaces inside.
pub const KEY_PATTERN: &str = "^[!-~]([ -~]*[!-~])?$";
/// A twin on another node is waited for this often, for this long each time.
const MAX_POLLS: u32 = 50;
const POLL_INTERVAL: Duration = Duration::from_millis(200);
/// No answer of ours is larger.
const MAX_ANSWER_BYTES: usize = 16 * 1024 * 1024;

/// The key in the headers, if there is one.
///
/// # Errors
/// [`ApiError::Invalid`] when it is empty, too long or not text.
pub fn key_in(headers: &HeaderMap) -> Result<Option<&str>, ApiError> {
    let Some(value) = headers.get(HEADER) else { return Ok(None) };
    let is_key = |text: &&str| {
        (1..=MAX_KEY_BYTES).contains(&text.len()) && text.bytes().all(|byte| (b' '..=b'~').contains(&byte))
    };
    let text = value.to_str().ok().filter(is_key);
    text.map(Some).ok_or_else(|| {
        let msg = format!("must have 1 to {MAX_KEY_BYTES} visible characters");
        ApiError::invalid(&["header", HEADER], msg, "value_error")
    })
}

/// The key as it is stored: within its caller and path, together with the body that it came with, and with the query where
/// that changes what is done.
pub fn hashed(caller: &Caller, path: &str, query: Option<&str>, key: &str, body: &[u8]) -> IdempotencyKey {
    let mut scope = Sha256::new();
    for part in [caller.identity().as_str(), "POST", path, key] {
        scope.update(u64::try_from(part.len()).unwrap_or(u64::MAX).to_be_bytes());
        scope.update(part);
    }
    let mut request = Sha256::new_with_prefix(body);
    // No JSON has a zero in it, so that no body ends like another with its query.
    query.into_iter().for_each(|query| request.update([b"\0", query.as_bytes()].concat()));
    IdempotencyKey { key_hash: scope.finalize().into(), request_hash: request.finalize().into() }
}

/// The key of one message among those that were posted together under one key.
pub fn key_of_part(whole: IdempotencyKey, place: usize) -> IdempotencyKey {
    let mut part = Sha256::new();
    part.update(whole.key_hash);
    part.update(u64::try_from(place).unwrap_or(u64::MAX).to_be_bytes());
    IdempotencyKey { key_hash: part.finalize().into(), ..whole }
}

/// What the layer works with.
#[derive(Clone)]
pub struct IdempotencyLayer {
    state: SharedState,
    under_way: Arc<UnderWay>,
}

/// Keys that this process works on. Twins queue up at the key's lock.
#[derive(Default)]
struct UnderWay(Mutex<HashMap<[u8; 32], Arc<tokio::sync::Mutex<()>>>>);

impl UnderWay {
    fn lock_of(&self, key: [u8; 32]) -> Arc<tokio::sync::Mutex<()>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).entry(key).or_default().clone()
    }

    /// Forgets the key, unless somebody else waits for it.
    fn leave(&self, key: &[u8; 32], lock: Arc<tokio::sync::Mutex<()>>) {
        let mut keys = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        drop(lock);
        if keys.get(key).is_some_and(|lock| Arc::strong_count(lock) == 1) {
            keys.remove(key);
        }
    }
}

impl IdempotencyLayer {
    /// Remembers in the store.
    pub fn new(state: SharedState) -> Self {
        Self { state, under_way: Arc::default() }
    }
}

/// The layer.
pub async fn answer_once(State(layer): State<IdempotencyLayer>, request: Request, next: Next) -> Response {
    let path = request.extensions().get::<MatchedPath>().map(MatchedPath::as_str);
    let is_ours = path.is_some_and(|path| {
        path.starts_with("/api/") && ![MESSAGE_PATH, BATCH_PATH, SIGN_IN_PATH].contains(&path)
    });
    if request.method() != Method::POST || !is_ours || !request.headers().contains_key(HEADER) {
        return next.run(request).await;
    }
    // In a task of its own: a client that goes away must not leave half of it behind.
    let answering = async move { layer.answer(request, next).await };
    let answer = tokio::spawn(answering.in_current_span()).await;
    match answer {
        Ok(Ok(response)) => response,
        Ok(Err(error)) => error.into_response(),
        Err(error) => {
            tracing::error!(%error, "a request did not end");
            ApiError::Internal.into_response()
        }
    }
}

impl IdempotencyLayer {
    async fn answer(&self, request: Request, next: Next) -> Result<Response, ApiError> {
        let (mut parts, body) = request.into_parts();
        let caller = Caller::from_request_parts(&mut parts, &self.state).await?;
        // It was read before, within its limit: see `intake`.
        let body = to_bytes(body, usize::MAX).await.map_err(|_| ApiError::Internal)?;
        let Some(text) = key_in(&parts.headers)? else { return Err(ApiError::Internal) };
        let key = hashed(&caller, parts.uri.path(), parts.uri.query(), text, &body);
        let lock = self.under_way.lock_of(key.key_hash);
        let turn = lock.lock().await;
        let answer = self.answer_once(&key, Request::from_parts(parts, Body::from(body)), next).await;
        drop(turn);
        self.under_way.leave(&key.key_hash, lock);
        answer
    }

    async fn answer_once(
        &self,
        key: &IdempotencyKey,
        request: Request,
        next: Next,
    ) -> Result<Response, ApiError> {
        for _ in 0..MAX_POLLS {
            match self.state.access.claim_key(key).await? {
                ClaimedKey::Ours(claim) => return self.work(&claim, request, next).await,
                ClaimedKey::Answered { status, body } => return kept(status, body),
                ClaimedKey::Reused => return Err(REUSED),
                ClaimedKey::UnderWay => tokio::time::sleep(POLL_INTERVAL).await,
            }
        }
        Err(ApiError::Overloaded(1))
    }

    async fn work(&self, claim: &Claim, request: Request, next: Next) -> Result<Response, ApiError> {
        let (parts, body) = next.run(request).await.into_parts();
        let body = whole(body, MAX_ANSWER_BYTES).await;
        let access = &self.state.access;
        let left = match &body {
            Ok(body) if !parts.status.is_server_error() => {
                access.keep_answer(claim, parts.status.as_u16(), body).await
            }
            _ => access.drop_claim(claim).await,
        };
        if let Err(error) = left {
            // The work is done, and so is its answer; only the memory of it is lost.
            tracing::warn!(error = &error as &dyn std::error::Error, "an answer could not be kept");
        }
        Ok(Response::from_parts(parts, Body::from(body?)))
    }
}

/// An answer in one piece. A part of one is never kept nor sent.
///
/// # Errors
/// [`ApiError::Internal`] when it breaks off, or is longer than `most`.
async fn whole(body: Body, most: usize) -> Result<Bytes, ApiError> {
    to_bytes(body, most).await.map_err(|error| {
        tracing::error!(%error, "an answer could not be read to its end");
        ApiError::Internal
    })
}

/// The key was used for another request.
pub const REUSED: ApiError = ApiError::Conflict {
    code: "idempotency_key_reused",
    detail: "This idempotency key was used with another body or query.",
};

/// The answer that was kept.
///
/// # Errors
/// [`ApiError::Internal`] when its status is none: what became of the request is not known then.
fn kept(status: u16, body: Vec<u8>) -> Result<Response, ApiError> {
    let status = StatusCode::from_u16(status).map_err(|_| {
        tracing::error!(status, "a kept answer has no status");
        ApiError::Internal
    })?;
    let has_body = !body.is_empty();
    let is_error = status.is_client_error() || status.is_server_error();
    let mut response = (status, Bytes::from(body)).into_response();
    if is_error {
        response.extensions_mut().insert(AnsweredError { code: "kept" });
    }
    response.headers_mut().remove(header::CONTENT_TYPE);
    if has_body {
        response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    }
    Ok(response)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_read_or_refused() {
        let of = |value: &str| {
            let mut headers = HeaderMap::new();
            headers.insert(HEADER, HeaderValue::from_str(value).unwrap());
            key_in(&headers).map(|key| key.map(str::to_owned))
        };
        assert_eq!(of("auto_1"), Ok(Some("auto_1".to_owned())));
        assert!(of("").is_err() && of("a\tb").is_err() && of(&"x".repeat(257)).is_err());
        assert_eq!(key_in(&HeaderMap::new()), Ok(None));
    }

    #[tokio::test]
    async fn an_answer_is_whole_or_an_error_and_never_an_empty_one() {
        let answer = || Body::from("twelve bytes");
        assert_eq!(whole(answer(), 12).await, Ok(Bytes::from("twelve bytes")));
        assert_eq!(whole(answer(), 11).await, Err(ApiError::Internal));
        let parts = [Ok("half"), Err(std::io::Error::other("it breaks off"))];
        let broken = Body::from_stream(futures_util::stream::iter(parts));
        assert_eq!(whole(broken, 12).await, Err(ApiError::Internal));
        assert_eq!(whole(Body::empty(), 0).await, Ok(Bytes::new()));
    }

    #[test]
    fn a_kept_answer_has_its_status_or_is_none() {
        assert_eq!(kept(201, b"{}".to_vec()).map(|answer| answer.status()), Ok(StatusCode::CREATED));
        assert_eq!(kept(9, Vec::new()).map(|answer| answer.status()), Err(ApiError::Internal));
    }

    #[tokio::test]
    async fn twins_wait_and_the_last_one_clears_up() {
        let under_way = UnderWay::default();
        let first = under_way.lock_of([1; 32]);
        let turn = first.lock().await;
        let twin = under_way.lock_of([1; 32]);
        assert!(twin.try_lock().is_err());
        drop(turn);
        under_way.leave(&[1; 32], first);
        assert!(twin.try_lock().is_ok());
        assert_eq!(under_way.0.lock().unwrap().len(), 1);
        under_way.leave(&[1; 32], twin);
        assert!(under_way.0.lock().unwrap().is_empty());
    }
}
