//! The attempts of an application as a stream: message after message, and of each message one after the other.

use axum::extract::State;
use axum::response::Response;
use http::request::Parts;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::api::conventions::extract::ApiQuery;
use crate::api::credential::Caller;
use crate::api::error::ApiError;
use crate::api::openapi::errors::TooManyRequests;
use crate::api::resource::attempt::AttemptOut;
use crate::api::resource::path::ApplicationPath;
use crate::api::state::SharedState;
use crate::domain::id::{ApplicationId, AttemptId, MessageId};
use crate::store::{HistoryStore, TimeBounds};

use super::query::ExportQuery;
use super::stream::{Page, Pages, answer};

struct Attempts {
    history: HistoryStore,
    caller: Caller,
    application: ApplicationId,
    bounds: TimeBounds,
    with_content: bool,
    after: Option<(MessageId, AttemptId)>,
}

impl Pages for Attempts {
    async fn next(&mut self) -> Result<Page, ApiError> {
        let found = self
            .history
            .attempts_of_application(self.application, self.bounds, self.with_content, self.after)
            .await?;
        let mut page = Page::new(found.next.is_none());
        self.after = found.next;
        for row in found.rows {
            page.add(&AttemptOut::of(row, false)?.shown_to(&self.caller))?;
        }
        Ok(page)
    }
}

/// Export the attempts of an application.
///
/// A line of JSON for each (`application/x-ndjson`), as `v1.message-attempt.get` shows it, message after message, the oldest
/// first. Those are not among it whose message is past its retention. For the rest see the export of messages.
#[utoipa::path(
    get, path = "/api/v1/app/{app_id}/export/attempt", operation_id = "v1.export.attempts", tag = "export",
    params(ApplicationPath, ExportQuery),
    responses(
        (status = 200, description = "The lines.", body = AttemptOut, content_type = "application/x-ndjson"),
        TooManyRequests
    )
)]
async fn export(
    State(state): State<SharedState>,
    caller: Caller,
    path: ApplicationPath,
    ApiQuery(query): ApiQuery<ExportQuery>,
    parts: Parts,
) -> Result<Response, ApiError> {
    let pages = Attempts {
        history: state.history.clone(),
        caller: caller.clone(),
        application: path.application,
        bounds: query.bounds(),
        with_content: query.with_content(),
        after: query.pair()?,
    };
    answer(state, &caller, &parts, pages).await
}

/// The routes of this part.
pub(super) fn routes() -> OpenApiRouter<SharedState> {
    OpenApiRouter::new().routes(routes!(export))
}
