//! What a request may take before and while it is answered. The credential is looked at before any of the body is read, but
//! for a small body that signs in, which has it inside, and for what is posted to a test inbox, which is looked for then. A
//! body is read within a budget of bytes and within a deadline; an answer has a deadline, too.
//!
//! A request that is refused before its body was read still gets its answer: a small rest of the body is thrown away
//! first, so that the connection can go on, and a larger one has the connection closed, politely (see `listener`).

use std::sync::Arc;
use std::time::Duration;

use axum::body::{Body, HttpBody as _};
use axum::extract::{MatchedPath, Request, State};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use http::request::Parts;
use http::{HeaderValue, Method, Version, header};

use crate::api::credential::{Caller, Role, SIGN_IN_PATH};
use crate::api::error::ApiError;
use crate::api::intake::answer::Endless;
use crate::api::intake::body_sender::BodySender;
use crate::api::intake::connection::CallerConnection;
use crate::api::intake::{answer, body, budget};
use crate::api::sign_in_failures::Attempt;
use crate::api::state::SharedState;
use crate::domain::id::path_name;

use crate::api::inbox_address::{INBOX_PATH, addressed};

/// A rest of a body that is no longer is thrown away, so that the connection can go on.
const MOST_DISCARDED_BYTES: usize = 64 << 10;
/// It is waited for as long.
const DISCARD_TIMEOUT: Duration = Duration::from_secs(5);
/// How long those may take to read their answer who have no credential. Pages are not counted among answers: they are in
/// memory once, whoever reads them.
const STRANGERS_TIMEOUT: Duration = Duration::from_secs(10);

/// What the layer works with.
#[derive(Clone)]
pub(in crate::api) struct Intake {
    state: SharedState,
}

impl Intake {
    pub(in crate::api) fn new(state: SharedState) -> Self {
        Self { state }
    }
}

/// The layer.
pub(in crate::api) async fn take_in(State(intake): State<Intake>, request: Request, next: Next) -> Response {
    let (mut parts, body) = request.into_parts();
    let connection = parts.extensions.get::<Arc<CallerConnection>>().cloned();
    let is_page = !parts.uri.path().starts_with("/api/");
    let taken = intake.take_body(&mut parts, body, connection.as_deref()).await;
    let (answer, room) = match taken {
        Ok((bytes, room)) => {
            let answer = intake.answer(Request::from_parts(parts, Body::from(bytes)), next).await;
            match is_page {
                true => (answer, None),
                false => answer::with_room(answer, room, &intake.state.budgets).await,
            }
        }
        Err(refused) => (refused.answer(parts.version).await, None),
    };
    let known = connection.is_none_or(|connection| connection.is_known());
    if answer.extensions().get::<Endless>().is_some() {
        return answer::apart(answer, intake.state.intake.answer_timeout);
    }
    let longest = if known || is_page { intake.state.intake.answer_timeout } else { STRANGERS_TIMEOUT };
    answer::in_slices(answer, room, longest)
}

/// No request has a larger head. The connection reads somewhat more, so that the answer can say so.
const MAX_HEAD_BYTES: usize = 48 << 10;

fn head_bytes(parts: &Parts) -> usize {
    let headers = parts.headers.iter().map(|(name, value)| name.as_str().len() + value.len());
    let target = parts.uri.path_and_query().map_or(0, |target| target.as_str().len());
    target + headers.sum::<usize>()
}

impl Intake {
    async fn answer(&self, request: Request, next: Next) -> Response {
        let longest = self.state.intake.answer_timeout;
        tokio::time::timeout(longest, next.run(request)).await.unwrap_or_else(|_| {
            tracing::warn!("a request was not answered in time");
            ApiError::Unavailable.into_response()
        })
    }

    /// The attempt to sign in that begins with a body.
    fn attempt(&self, sender: BodySender, parts: &Parts) -> Result<Option<Attempt>, ApiError> {
        if sender != BodySender::SignIn {
            return Ok(None);
        }
        self.state.sign_in_failures.body(parts, &self.state.trusted_proxies).map(Some)
    }

    /// The body's bytes with their room in the budget, or what is wrong with the request's head, or with its body.
    async fn take_body(
        &self,
        parts: &mut Parts,
        body: Body,
        connection: Option<&CallerConnection>,
    ) -> Result<(Bytes, Option<budget::BodyRoom>), Refused> {
        if head_bytes(parts) > MAX_HEAD_BYTES {
            return Err(Refused::unread(ApiError::HeadTooLarge(MAX_HEAD_BYTES), parts, body));
        }
        if path_name::has_dots_alone(parts.uri.path()) {
            return Err(Refused::unread(ApiError::NoSuchPath, parts, body));
        }
        let length = body.size_hint();
        if body.is_end_stream() {
            return Ok((Bytes::new(), None));
        }
        // Nobody looks at the body of these.
        let matched = parts.extensions.get::<MatchedPath>().map(MatchedPath::as_str);
        let has_reader = match parts.method {
            Method::POST | Method::DELETE => matched.is_some(),
            // Whoever signs in with them is told, without a credential, that the path does not take them.
            Method::PUT | Method::PATCH => matched.is_some_and(|path| path != SIGN_IN_PATH),
            _ => false,
        };
        if !has_reader {
            return match discard(body, parts).await {
                true => Ok((Bytes::new(), None)),
                false => Err(Refused::closing(ApiError::TooLarge(MOST_DISCARDED_BYTES))),
            };
        }
        let matched = parts.extensions.get::<MatchedPath>().map(MatchedPath::as_str);
        let signs_in = matched == Some(SIGN_IN_PATH) && parts.method == Method::POST;
        let is_for_inbox = matched == Some(INBOX_PATH);
        let of_strangers = self.state.intake.of_strangers();
        let of_inboxes = self.state.intake.of_inboxes();
        let allowed = if signs_in {
            Ok((BodySender::SignIn, &of_strangers))
        } else if is_for_inbox {
            addressed(parts, &self.state).await.map(|_| (BodySender::Inbox, &of_inboxes))
        } else {
            let caller = Caller::identified(parts, &self.state).await;
            caller.map(|caller| match caller.role {
                Role::Application => (BodySender::Tenant, &self.state.intake),
                Role::Environment | Role::Operator => (BodySender::Producer, &self.state.intake),
            })
        };
        let (sender, limits) = match allowed {
            Ok(allowed) => allowed,
            Err(error) => return Err(Refused::unread(error, parts, body)),
        };
        let declared = length.exact().map(|length| usize::try_from(length).unwrap_or(usize::MAX));
        if declared.is_some_and(|declared| declared > limits.body_bytes) {
            return Err(Refused::unread(ApiError::TooLarge(limits.body_bytes), parts, body));
        }
        let attempt = match self.attempt(sender, parts) {
            Ok(attempt) => attempt,
            Err(error) => return Err(Refused::unread(error, parts, body)),
        };
        let wanted = declared.unwrap_or(limits.body_bytes);
        let Some(room) = self.state.budgets.room_for_body(wanted, sender, connection).await else {
            attempt.into_iter().for_each(Attempt::succeeded);
            return Err(Refused::unread(ApiError::Overloaded(1), parts, body));
        };
        // A body that does not come counts as a failure.
        let bytes = body::read(body, declared, limits).await.map_err(Refused::closing)?;
        attempt.into_iter().for_each(Attempt::succeeded);
        let room = room.shrunk_to(bytes.len());
        Ok((bytes, Some(room)))
    }
}

/// Reads a small body and throws it away. Whether it came to its end.
async fn discard(body: Body, parts: &Parts) -> bool {
    if parts.headers.contains_key(header::EXPECT) {
        return false;
    }
    let ended = tokio::time::timeout(DISCARD_TIMEOUT, body::discard(body, MOST_DISCARDED_BYTES));
    ended.await.unwrap_or(false)
}

/// A request that is answered before its body was read to its end.
struct Refused {
    error: ApiError,
    /// What may be thrown away first.
    rest: Option<Body>,
}

impl Refused {
    /// Nothing of the body was read. One that waits to be asked for is not asked for.
    fn unread(error: ApiError, parts: &Parts, body: Body) -> Self {
        let is_small = body.size_hint().lower() <= MOST_DISCARDED_BYTES as u64;
        let rest = (is_small && !parts.headers.contains_key(header::EXPECT)).then_some(body);
        Self { error, rest }
    }

    /// The connection cannot go on.
    fn closing(error: ApiError) -> Self {
        Self { error, rest: None }
    }

    async fn answer(self, version: Version) -> Response {
        let can_go_on = match self.rest {
            None => false,
            Some(body) if body.is_end_stream() => true,
            Some(body) => {
                let ended = tokio::time::timeout(DISCARD_TIMEOUT, body::discard(body, MOST_DISCARDED_BYTES));
                ended.await.unwrap_or(false)
            }
        };
        let mut response = self.error.into_response();
        if !can_go_on && version < Version::HTTP_2 {
            response.headers_mut().insert(header::CONNECTION, HeaderValue::from_static("close"));
        }
        response
    }
}
