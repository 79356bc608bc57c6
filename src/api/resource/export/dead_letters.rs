//! The dead letters of an application as a stream.

use axum::extract::State;
use axum::response::Response;
use http::request::Parts;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::api::conventions::extract::ApiQuery;
use crate::api::credential::Caller;
use crate::api::error::ApiError;
use crate::api::openapi::errors::TooManyRequests;
use crate::api::resource::dead_letter::DeadLetterOut;
use crate::api::resource::path::ApplicationPath;
use crate::api::state::SharedState;
use crate::domain::delivery::dead_letter::DeadLetterFilter;
use crate::domain::id::{DeadLetterId, EnvironmentId};
use crate::domain::page::Scan;
use crate::store::HistoryStore;

use super::query::ExportQuery;
use super::stream::{Page, Pages, answer};
use super::{PAGE_BYTES, PAGE_LINES};

struct DeadLetters {
    history: HistoryStore,
    caller: Caller,
    environment: EnvironmentId,
    filter: DeadLetterFilter,
    with_content: bool,
    after: Option<DeadLetterId>,
}

impl Pages for DeadLetters {
    async fn next(&mut self) -> Result<Page, ApiError> {
        let scan = Scan { after: self.after, ascending: true, limit: PAGE_LINES };
        let mut found = self.history.dead_letters(Some(&self.environment), &self.filter, &scan).await?;
        let is_full = i64::try_from(found.len()).is_ok_and(|rows| rows >= PAGE_LINES);
        let mut is_cut = false;
        let mut payloads = Vec::new();
        if self.with_content {
            let ids: Vec<DeadLetterId> = found.iter().map(|letter| letter.id).collect();
            payloads = self.history.dead_letter_payloads(&ids, PAGE_BYTES).await?;
            // What was deleted meanwhile is not shown.
            let read = payloads.last().map(|(id, _)| *id);
            is_cut = read != ids.last().copied();
            found.retain(|letter| Some(letter.id) <= read);
        }
        let mut page = Page::new(!is_full && (!is_cut || found.is_empty()));
        let mut payloads = payloads.into_iter().peekable();
        for letter in found {
            self.after = Some(letter.id);
            let payload = payloads.next_if(|(id, _)| *id == letter.id);
            if self.with_content && payload.is_none() {
                continue;
            }
            let shown = DeadLetterOut::from(letter).shown_to(&self.caller);
            page.add(&match payload {
                Some((_, payload)) => shown.with_payload(payload)?,
                None => shown,
            })?;
        }
        Ok(page)
    }
}

/// Export the dead letters of an application.
///
/// A line of JSON for each (`application/x-ndjson`), as `v1.dead-letter.get` shows it without its attempts, the oldest first;
/// `since` and `until` are about when they died. For the rest see the export of messages.
#[utoipa::path(
    get, path = "/api/v1/app/{app_id}/export/dead-letter", operation_id = "v1.export.dead-letters", tag = "export",
    params(ApplicationPath, ExportQuery),
    responses(
        (status = 200, description = "The lines.", body = DeadLetterOut, content_type = "application/x-ndjson"),
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
    let bounds = query.bounds();
    let pages = DeadLetters {
        history: state.history.clone(),
        environment: caller.environment()?.clone(),
        caller: caller.clone(),
        filter: DeadLetterFilter {
            application_id: Some(path.application),
            since: bounds.since,
            until: bounds.until,
            ..DeadLetterFilter::default()
        },
        with_content: query.with_content(),
        after: query.cursor()?,
    };
    answer(state, &caller, &parts, pages).await
}

/// The routes of this part.
pub(super) fn routes() -> OpenApiRouter<SharedState> {
    OpenApiRouter::new().routes(routes!(export))
}
