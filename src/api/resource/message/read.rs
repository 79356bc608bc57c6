//! Listing and getting messages.

use axum::Json;
use axum::extract::FromRequestParts;
use axum::extract::State;
use chrono::{DateTime, Utc};
use http::request::Parts;
use serde::Deserialize;
use url::form_urlencoded;
use utoipa::IntoParams;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::api::conventions::bounds::known_names::list_of;
use crate::api::conventions::extract::ApiQuery;
use crate::api::conventions::moment::optional_moment;
use crate::api::conventions::page::{ListOut, Ordering, PlainPageQuery};
use crate::api::conventions::validate::Findings;
use crate::api::error::ApiError;
use crate::api::intake::answer::HeldAnswer;
use crate::api::intake::content_page::ContentPage;
use crate::api::resource::path::{ApplicationPath, MessageName};
use crate::api::state::SharedState;
use crate::domain::id::MessageId;
use crate::domain::page::Stretch;
use crate::store::{MessageFilter, MessageRecord, TimeBounds};

use super::MessageOut;

/// The parameter `event_types`: names parted by commas, or given several times, also as `event_types[]` and
/// `event_types[0]`.
#[derive(Debug, Default, PartialEq, Eq)]
pub(in crate::api) struct EventTypes(pub(in crate::api) Vec<String>);

impl EventTypes {
    fn of(query: &str) -> Self {
        let values = form_urlencoded::parse(query.as_bytes())
            .filter(|(name, _)| list_of(name).unwrap_or(name) == "event_types");
        let names = values.flat_map(|(_, value)| value.split(',').map(str::to_owned).collect::<Vec<_>>());
        Self(names.collect())
    }
}

impl EventTypes {
    fn without_empty(mut self) -> Self {
        self.0.retain(|name| !name.is_empty());
        self
    }
}

impl<S: Sync> FromRequestParts<S> for EventTypes {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, ApiError> {
        let found = Self::of(parts.uri.query().unwrap_or_default());
        let mut findings = Findings::of_query();
        findings.bounded("event_types", &found.0);
        findings.finish()?;
        Ok(found.without_empty())
    }
}

/// Which messages to list.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct ListQuery {
    /// Only those in this channel.
    channel: Option<String>,
    /// Only those with this tag.
    tag: Option<String>,
    /// Only those that were accepted before.
    #[serde(default, deserialize_with = "optional_moment")]
    before: Option<DateTime<Utc>>,
    /// Only those that were accepted then or later.
    #[serde(default, deserialize_with = "optional_moment")]
    after: Option<DateTime<Utc>>,
    /// Whether to show payloads.
    #[param(default = true)]
    with_content: Option<bool>,
}

/// What to show of a message.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct GetQuery {
    /// Whether to show the payload.
    #[param(default = true)]
    with_content: Option<bool>,
}

/// List the messages of an application.
#[utoipa::path(
    get, path = "/api/v1/app/{app_id}/msg", operation_id = "v1.message.list", tag = "message",
    params(
        ApplicationPath,
        ("event_types" = Option<Vec<String>>, Query, description = "Only those of these event types."),
        PlainPageQuery,
        ListQuery
    ),
    responses((status = 200, description = "A page of them, newest first.", body = ListOut<MessageOut>))
)]
async fn list(
    State(state): State<SharedState>,
    path: ApplicationPath,
    ApiQuery(page): ApiQuery<PlainPageQuery>,
    ApiQuery(query): ApiQuery<ListQuery>,
    EventTypes(event_types): EventTypes,
) -> Result<ContentPage, ApiError> {
    let page = page.request::<MessageId>(Ordering::Descending)?;
    let filter = MessageFilter {
        event_types,
        channel: query.channel,
        tag: query.tag,
        accepted: TimeBounds { since: query.after, until: query.before },
    };
    let scan = page.scan.clone();
    let read = |content| state.history.messages(path.application, &filter, content, &scan);
    let shape = move |found: Stretch<MessageRecord>| {
        let shaped = found.try_map(MessageOut::of)?;
        Ok(page.answer(shaped, |message| message.id.to_string(), |message| message))
    };
    state.content_pages.page(query.with_content.unwrap_or(true), read, shape).await
}

/// Get a message.
#[utoipa::path(
    get, path = "/api/v1/app/{app_id}/msg/{msg_id}", operation_id = "v1.message.get", tag = "message",
    params(MessageName, GetQuery),
    responses((status = 200, description = "The message.", body = MessageOut))
)]
async fn get(
    State(state): State<SharedState>,
    path: MessageName,
    ApiQuery(query): ApiQuery<GetQuery>,
) -> Result<HeldAnswer<Json<MessageOut>>, ApiError> {
    let with_content = query.with_content.unwrap_or(true);
    let room = if with_content { Some(state.room_for_object().await?) } else { None };
    let found = state.history.message(path.application, &path.name, with_content).await?;
    let body = Json(MessageOut::of(found.ok_or(ApiError::NoSuch("message"))?)?);
    Ok(HeldAnswer { body, room })
}

/// The routes that read.
pub(super) fn routes() -> OpenApiRouter<SharedState> {
    OpenApiRouter::new().routes(routes!(list)).routes(routes!(get))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn event_types_come_by_commas_or_one_by_one() {
        for query in [
            "event_types=a.b%2Cc&limit=1",
            "event_types=a.b&x=1&event_types=c",
            "event_types=a.b,,c",
            "event_types[0]=a.b&event_types%5B1%5D=c",
        ] {
            assert_eq!(EventTypes::of(query).without_empty().0, ["a.b", "c"], "{query}");
        }
        assert_eq!(EventTypes::of("event_types=&limit=1").without_empty(), EventTypes::default());
    }
}
