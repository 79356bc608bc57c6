//! What is posted to a test inbox: the one kind of request with a body that needs no credential. The inbox is looked for
//! before any of the body is read, and what was found goes with the request.

use std::sync::Arc;

use http::request::Parts;

use crate::api::error::ApiError;
use crate::api::public_names::Question;
use crate::api::state::ApiState;
use crate::inbox::{MAX_BODY_BYTES, NotTaken};
use crate::store::InboxRecord;

/// The path as it is matched.
pub(in crate::api) const INBOX_PATH: &str = "/in/{name}";

const NO_INBOX: ApiError = ApiError::NoSuch("inbox");

/// The inbox that a request is for.
#[derive(Clone)]
struct Found(Arc<InboxRecord>);

/// The inbox that a request is for, looked for once a request.
///
/// # Errors
/// [`ApiError`] when there is none, or it gets too much.
pub(in crate::api) async fn addressed(
    parts: &mut Parts,
    state: &ApiState,
) -> Result<Arc<InboxRecord>, ApiError> {
    if let Some(Found(inbox)) = parts.extensions.get() {
        return Ok(inbox.clone());
    }
    let last = parts.uri.path().rsplit('/').next().unwrap_or_default();
    let name = last.parse().map_err(|_| NO_INBOX)?;
    let question = match state.inboxes.is_known(&name) {
        true => None,
        false => Some(state.public_names.ask(parts, &state.trusted_proxies)?),
    };
    let found = state.inboxes.find(&name).await;
    if !matches!(found, Err(NotTaken::NotThere)) {
        question.into_iter().for_each(Question::found);
    }
    let inbox = found.map_err(refused)?;
    parts.extensions.insert(Found(inbox.clone()));
    Ok(inbox)
}

/// Why nothing was taken, as it is answered.
pub(in crate::api) fn refused(not_taken: NotTaken) -> ApiError {
    match not_taken {
        NotTaken::NotThere => NO_INBOX,
        NotTaken::TooLarge => ApiError::TooLarge(MAX_BODY_BYTES),
        NotTaken::TooMuch(seconds) => ApiError::TooManyRequests(seconds),
        NotTaken::Unavailable(error) => error.into(),
    }
}
