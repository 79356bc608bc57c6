//! The messages of an application as a stream.

use axum::extract::State;
use axum::response::Response;
use http::request::Parts;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::api::conventions::extract::ApiQuery;
use crate::api::credential::Caller;
use crate::api::error::ApiError;
use crate::api::openapi::errors::TooManyRequests;
use crate::api::resource::message::MessageOut;
use crate::api::resource::path::ApplicationPath;
use crate::api::state::SharedState;
use crate::domain::id::{ApplicationId, MessageId};
use crate::domain::page::Scan;
use crate::store::{HistoryStore, ListedContent, MessageFilter};

use super::PAGE_LINES;
use super::query::ExportQuery;
use super::stream::{Page, Pages, answer};

struct Messages {
    history: HistoryStore,
    application: ApplicationId,
    filter: MessageFilter,
    content: ListedContent,
    after: Option<MessageId>,
}

impl Pages for Messages {
    async fn next(&mut self) -> Result<Page, ApiError> {
        let scan = Scan { after: self.after, ascending: true, limit: PAGE_LINES };
        let found = self.history.messages(self.application, &self.filter, self.content, &scan).await?;
        let is_full = i64::try_from(found.rows.len()).is_ok_and(|rows| rows >= PAGE_LINES);
        let mut page = Page::new(!is_full && !found.is_cut);
        for row in found.rows {
            self.after = Some(row.id);
            page.add(&MessageOut::of(row)?)?;
        }
        Ok(page)
    }
}

/// Export the messages of an application.
///
/// A line of JSON for each (`application/x-ndjson`), as `v1.message.get` shows it, the oldest first. An answer that breaks off
/// is not whole; it goes on after its last line, by `cursor`. A node gives eight exports at a time, two of one
/// credential and three of one tenant.
#[utoipa::path(
    get, path = "/api/v1/app/{app_id}/export/message", operation_id = "v1.export.messages", tag = "export",
    params(ApplicationPath, ExportQuery),
    responses(
        (status = 200, description = "The lines.", body = MessageOut, content_type = "application/x-ndjson"),
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
    let pages = Messages {
        history: state.history.clone(),
        application: path.application,
        filter: MessageFilter { accepted: query.bounds(), ..MessageFilter::default() },
        content: query.content(),
        after: query.cursor()?,
    };
    answer(state, &caller, &parts, pages).await
}

/// The routes of this part.
pub(super) fn routes() -> OpenApiRouter<SharedState> {
    OpenApiRouter::new().routes(routes!(export))
}
