//! The stream itself: page after page, each read when the one before it was taken.

use std::time::Duration;

use axum::body::Body;
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use http::request::Parts;
use http::{HeaderName, HeaderValue, header};
use serde::Serialize;
use tokio::time::Instant;

use crate::api::conventions::caller::Standing;
use crate::api::credential::Caller;
use crate::api::error::ApiError;
use crate::api::intake::answer::Endless;
use crate::api::state::SharedState;
use crate::api::stream_rooms::StreamRoom;

/// How often it is looked whether the credential still holds.
const CREDENTIAL_EVERY: Duration = Duration::from_secs(4);

/// Some lines, and whether more follow.
pub(super) struct Page {
    text: Vec<u8>,
    is_last: bool,
}

impl Page {
    /// A page without lines; the last one, if nothing follows.
    pub(super) fn new(is_last: bool) -> Self {
        Self { text: Vec::new(), is_last }
    }

    /// Adds a line.
    ///
    /// # Errors
    /// [`ApiError::Internal`] when it cannot be written.
    pub(super) fn add(&mut self, line: &impl Serialize) -> Result<(), ApiError> {
        serde_json::to_writer(&mut self.text, line).map_err(|error| {
            tracing::error!(%error, "a line of an export cannot be written");
            ApiError::Internal
        })?;
        self.text.push(b'\n');
        Ok(())
    }
}

/// What reads the pages of an export.
pub(super) trait Pages: Send + 'static {
    /// The next one.
    fn next(&mut self) -> impl Future<Output = Result<Page, ApiError>> + Send;
}

/// Why a stream was cut.
#[derive(Debug, thiserror::Error)]
enum Cut {
    #[error("the next page could not be read")]
    Unreadable,
    #[error("the credential holds no longer")]
    SignedOut,
    #[error("the node stops")]
    Stopping,
}

/// A stream under way.
struct Export<P> {
    state: SharedState,
    pages: P,
    standing: Standing,
    checked_at: Instant,
    /// What was read and is not taken yet.
    ready: Option<Page>,
    _room: StreamRoom,
}

impl<P: Pages> Export<P> {
    /// The next text; `None` at the end of everything.
    async fn next(&mut self) -> Result<Option<Bytes>, Cut> {
        loop {
            let page = match self.ready.take() {
                Some(page) => page,
                None => self.read().await?,
            };
            if !page.is_last {
                if page.text.is_empty() {
                    continue;
                }
                return Ok(Some(page.text.into()));
            }
            // Nothing is read after the last page.
            self.ready = Some(Page::new(true));
            return Ok(Some(Bytes::from(page.text)).filter(|text| !text.is_empty()));
        }
    }

    async fn read(&mut self) -> Result<Page, Cut> {
        if self.checked_at.elapsed() >= CREDENTIAL_EVERY {
            if !self.standing.holds(&self.state).await {
                return Err(Cut::SignedOut);
            }
            self.checked_at = Instant::now();
        }
        tokio::select! {
            () = self.state.streams.hub.stopping() => Err(Cut::Stopping),
            page = self.pages.next() => page.map_err(|_| Cut::Unreadable),
        }
    }
}

/// Answers with all pages. The first is read before the answer begins, so that what is wrong from the start is told as an
/// error.
pub(super) async fn answer<P: Pages>(
    state: SharedState,
    caller: &Caller,
    parts: &Parts,
    mut pages: P,
) -> Result<Response, ApiError> {
    let room = state.exports.room_for(caller)?;
    let first = pages.next().await?;
    let export = Export {
        state,
        pages,
        standing: Standing::of(parts),
        checked_at: Instant::now(),
        ready: Some(first),
        _room: room,
    };
    let lines = futures_util::stream::try_unfold(export, |mut export| async move {
        match export.next().await {
            Ok(text) => Ok(text.map(|text| (text, export))),
            Err(cut) => {
                tracing::info!(reason = %cut, "an export is cut");
                Err(cut)
            }
        }
    });
    let mut response = Body::from_stream(lines).into_response();
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/x-ndjson"));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(HeaderName::from_static("x-accel-buffering"), HeaderValue::from_static("no"));
    response.extensions_mut().insert(Endless);
    Ok(response)
}
