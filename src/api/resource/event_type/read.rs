//! Listing and getting event types.

use axum::Json;
use axum::extract::State;
use serde::Deserialize;
use utoipa::IntoParams;

use crate::api::conventions::asked::AskedQuery;
use crate::api::conventions::extract::ApiQuery;
use crate::api::conventions::page::{ListOut, NameKey, Ordering, PageQuery};
use crate::api::credential::Caller;
use crate::api::error::ApiError;
use crate::api::intake::answer::HeldAnswer;
use crate::api::intake::content_page::ContentPage;
use crate::api::state::SharedState;
use crate::domain::page::{Scan, Stretch};
use crate::store::EventTypeRecord;

use super::path::EventTypePath;
use super::shape::EventTypeOut;

/// Which event types to list, and how much of each.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct ListQuery {
    /// Archived ones, too.
    #[param(default = false)]
    include_archived: Option<bool>,
    /// With their schemas.
    #[param(default = false)]
    with_content: Option<bool>,
}

/// List the event types of the environment.
///
/// `q` is looked for in their names and descriptions.
#[utoipa::path(
    get, path = "/api/v1/event-type", operation_id = "v1.event-type.list", tag = "event-type",
    params(PageQuery, ListQuery, AskedQuery),
    responses((status = 200, description = "A page of them, by name.", body = ListOut<EventTypeOut>))
)]
pub(super) async fn list(
    State(state): State<SharedState>,
    caller: Caller,
    ApiQuery(page): ApiQuery<PageQuery>,
    ApiQuery(query): ApiQuery<ListQuery>,
    ApiQuery(asked): ApiQuery<AskedQuery>,
) -> Result<ContentPage, ApiError> {
    let environment = caller.environment()?;
    let page = page.request::<NameKey>(Ordering::Ascending)?;
    let NameScan(scan) = NameScan::from(&page.scan);
    let archived_too = query.include_archived.unwrap_or(false);
    let flags = caller.feature_flags();
    let asked = asked.text();
    let read =
        |content| state.configuration.event_types(environment, archived_too, flags, asked, content, &scan);
    let key = |row: &EventTypeRecord| NameKey(row.name.clone()).to_string();
    let shape = move |found: Stretch<_>| Ok(page.answer(found, key, EventTypeOut::from));
    state.content_pages.page(query.with_content.unwrap_or(false), read, shape).await
}

/// A scan by the plain name.
struct NameScan(Scan<String>);

impl From<&Scan<NameKey>> for NameScan {
    fn from(scan: &Scan<NameKey>) -> Self {
        let after = scan.after.as_ref().map(|key| key.0.clone());
        Self(Scan { after, ascending: scan.ascending, limit: scan.limit })
    }
}

/// Get an event type.
#[utoipa::path(
    get, path = "/api/v1/event-type/{event_type_name}", operation_id = "v1.event-type.get",
    tag = "event-type",
    params(EventTypePath),
    responses((status = 200, description = "The event type.", body = EventTypeOut))
)]
pub(super) async fn get(
    State(state): State<SharedState>,
    caller: Caller,
    path: EventTypePath,
) -> Result<HeldAnswer<Json<EventTypeOut>>, ApiError> {
    let room = state.room_for_object().await?;
    let record = state.configuration.event_type(caller.environment()?, &path.name).await?;
    let shown = record.filter(|record| caller.shows(record.settings.feature_flags.as_deref()));
    let record = shown.ok_or(ApiError::NoSuch("event type"))?;
    Ok(HeldAnswer { body: Json(record.into()), room: Some(room) })
}
