//! Deliveries as callers see them: the messages that an endpoint got or is to get, and the endpoints of a message,
//! each with where it stands.

use std::collections::HashMap;

use axum::Json;
use axum::extract::State;
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::api::conventions::extract::ApiQuery;
use crate::api::conventions::moment::optional_moment;
use crate::api::conventions::page::{ListOut, Ordering, PlainPageQuery, json_bytes};
use crate::api::credential::Caller;
use crate::api::error::ApiError;
use crate::api::intake::answer::HeldAnswer;
use crate::api::intake::content_page::ContentPage;
use crate::api::resource::endpoint::shape::EndpointOut;
use crate::api::resource::message::{EventTypes, MessageOut};
use crate::api::resource::path::{EndpointPath, MessagePath};
use crate::api::state::SharedState;
use crate::domain::delivery::Standing;
use crate::domain::delivery::hold::HoldReason;
use crate::domain::id::{EndpointId, MessageId};
use crate::domain::page::Stretch;
use crate::store::{ClosedEndpoint, DeliveryStanding, MessageFilter, MessageRecord, TimeBounds};

/// Where a delivery stands.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(in crate::api) struct StandingOut {
    /// 0: delivered; 1: waits for its first attempt; 2: failed for good; 3: being sent, or waits to be tried again; 4:
    /// canceled.
    #[schema(example = 0, minimum = 0, maximum = 4)]
    pub(in crate::api) status: i16,
    /// `success`, `pending`, `fail`, `sending` or `canceled`.
    #[schema(example = "success")]
    pub(in crate::api) status_text: &'static str,
    /// When it is tried next, as long as it waits and is not held.
    pub(in crate::api) next_attempt: Option<DateTime<Utc>>,
    /// Why it is not tried, as long as its endpoint is closed. It is when that opens.
    pub(in crate::api) held: Option<HeldOut>,
}

/// Why a delivery is held.
#[derive(Debug, Serialize, ToSchema)]
#[schema(example = json!({"reason": "endpoint_disabled", "since": "2026-01-31T12:00:00Z"}))]
pub(in crate::api) struct HeldOut {
    /// For what.
    reason: HoldReason,
    /// Since when.
    since: DateTime<Utc>,
}

/// A message with where its delivery to one endpoint stands.
#[derive(Debug, Serialize, ToSchema)]
pub(in crate::api) struct EndpointMessageOut {
    /// The message.
    #[serde(flatten)]
    pub(in crate::api) message: MessageOut,
    /// Where its delivery stands.
    #[serde(flatten)]
    pub(in crate::api) standing: StandingOut,
}

/// An endpoint with where the delivery of one message to it stands.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(in crate::api) struct MessageEndpointOut {
    /// The endpoint.
    #[serde(flatten)]
    pub(in crate::api) endpoint: EndpointOut,
    /// Where the delivery stands.
    #[serde(flatten)]
    pub(in crate::api) standing: StandingOut,
    /// When the endpoint was deleted.
    deleted_at: Option<DateTime<Utc>>,
}

impl StandingOut {
    /// Callers that do not know of canceled ones take them for delivered. `closed` is what is known of the endpoint.
    fn of(delivery: DeliveryStanding, closed: Option<&ClosedEndpoint>, expanded: bool) -> Self {
        let standing = match delivery.standing {
            Standing::Canceled if !expanded => Standing::Success,
            standing => standing,
        };
        let hold = closed.and_then(|closed| closed.hold).filter(|_| delivery.next_attempt.is_some());
        Self {
            status: standing.code(),
            status_text: standing.name(),
            next_attempt: delivery.next_attempt.filter(|_| hold.is_none()),
            held: hold.map(|hold| HeldOut { reason: hold.reason, since: hold.since }),
        }
    }
}

/// Which messages to list.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct ListQuery {
    /// Only those that stand there: 0 delivered, 1 waiting for their first attempt, 2 failed for good, 3 being sent or
    /// waiting to be tried again, 4 canceled.
    #[param(minimum = 0, maximum = 4)]
    status: Option<i16>,
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
    /// Whether to tell canceled ones from delivered ones.
    #[param(default = false)]
    expanded_statuses: Option<bool>,
}

impl ListQuery {
    fn standings(&self, expanded: bool) -> Result<Option<Vec<Standing>>, ApiError> {
        let Some(code) = self.status else { return Ok(None) };
        match Standing::from_code(code) {
            Some(Standing::Success) if !expanded => Ok(Some(vec![Standing::Success, Standing::Canceled])),
            Some(standing) => Ok(Some(vec![standing])),
            None => Err(ApiError::invalid(&["query", "status"], "is no status", "value_error")),
        }
    }
}

/// List the messages of an endpoint.
///
/// Each stands here once, with where its delivery stands, however many attempts were made.
#[utoipa::path(
    get, path = "/api/v1/app/{app_id}/endpoint/{endpoint_id}/msg",
    operation_id = "v1.message-attempt.list-attempted-messages", tag = "attempt",
    params(
        EndpointPath,
        ("event_types" = Option<Vec<String>>, Query, description = "Only those of these event types."),
        PlainPageQuery,
        ListQuery
    ),
    responses((status = 200, description = "A page of them, newest first.", body = ListOut<EndpointMessageOut>))
)]
async fn messages(
    State(state): State<SharedState>,
    path: EndpointPath,
    ApiQuery(page): ApiQuery<PlainPageQuery>,
    ApiQuery(query): ApiQuery<ListQuery>,
    EventTypes(event_types): EventTypes,
) -> Result<ContentPage, ApiError> {
    let page = page.request::<MessageId>(Ordering::Descending)?;
    let expanded = query.expanded_statuses.unwrap_or(false);
    let standings = query.standings(expanded)?;
    let filter = MessageFilter {
        event_types,
        channel: query.channel,
        tag: query.tag,
        accepted: TimeBounds { since: query.after, until: query.before },
    };
    let closed = state.history.closed_endpoints(&[path.endpoint]).await?.remove(&path.endpoint);
    let scan = page.scan.clone();
    let read = |content| {
        let standings = standings.as_deref();
        state.history.messages_to_endpoint(path.endpoint, &filter, standings, content, &scan)
    };
    let shape = move |found: Stretch<_>| {
        let shaped = found.try_map(|row| shape_message(row, closed.as_ref(), expanded))?;
        Ok(page.answer(shaped, |one| one.message.id.to_string(), |one| one))
    };
    state.content_pages.page(query.with_content.unwrap_or(true), read, shape).await
}

fn shape_message(
    (message, standing): (MessageRecord, DeliveryStanding),
    closed: Option<&ClosedEndpoint>,
    expanded: bool,
) -> Result<EndpointMessageOut, ApiError> {
    Ok(EndpointMessageOut {
        message: MessageOut::of(message)?,
        standing: StandingOut::of(standing, closed, expanded),
    })
}

/// List the endpoints that a message went to or is to go to.
///
/// Deleted endpoints are among them, as long as anything names them.
#[utoipa::path(
    get, path = "/api/v1/app/{app_id}/msg/{msg_id}/endpoint",
    operation_id = "v1.message-attempt.list-attempted-destinations", tag = "attempt",
    params(MessagePath, PlainPageQuery),
    responses((status = 200, description = "A page of them, oldest first.", body = ListOut<MessageEndpointOut>))
)]
async fn destinations(
    State(state): State<SharedState>,
    caller: Caller,
    path: MessagePath,
    ApiQuery(page): ApiQuery<PlainPageQuery>,
) -> Result<HeldAnswer<Json<ListOut<MessageEndpointOut>>>, ApiError> {
    let page = page.request::<EndpointId>(Ordering::Ascending)?;
    let room = state.room_for_page().await?;
    let rows = state.history.destinations_of_message(path.message, &page.scan).await?;
    let (found, mut endpoints) = endpoints_of(&state, &caller, rows).await?;
    let ids: Vec<EndpointId> = endpoints.keys().copied().collect();
    let closed = state.history.closed_endpoints(&ids).await?;
    let list = page.answer(
        found,
        |(id, _)| id.to_string(),
        |(id, standing)| {
            let endpoint = endpoints.remove(&id)?;
            let closed = closed.get(&id);
            let deleted_at = closed.and_then(|closed| closed.deleted_at);
            Some(MessageEndpointOut {
                endpoint,
                standing: StandingOut::of(standing, closed, true),
                deleted_at,
            })
        },
    );
    // One that was forgotten a moment ago is not there any more.
    let body = Json(ListOut {
        data: list.data.into_iter().flatten().collect(),
        iterator: list.iterator,
        prev_iterator: list.prev_iterator,
        done: list.done,
    });
    Ok(HeldAnswer { body, room: Some(room) })
}

/// Reads so many endpoints at once.
const ENDPOINTS_PER_READ: usize = 25;

/// The endpoints of these rows, and as many of the rows as have endpoints that fit into a page.
async fn endpoints_of(
    state: &SharedState,
    caller: &Caller,
    rows: Vec<(EndpointId, DeliveryStanding)>,
) -> Result<(Stretch<(EndpointId, DeliveryStanding)>, HashMap<EndpointId, EndpointOut>), ApiError> {
    let mut endpoints = HashMap::new();
    let (mut bytes, mut fitting) = (0_usize, Vec::new());
    for part in rows.chunks(ENDPOINTS_PER_READ) {
        let ids: Vec<EndpointId> = part.iter().map(|(id, _)| *id).collect();
        for record in state.configuration.endpoints_by_id(&ids).await? {
            endpoints.insert(record.id, EndpointOut::from(record).shown_to(caller));
        }
        for (id, standing) in part {
            bytes = bytes.saturating_add(endpoints.get(id).map_or(0, json_bytes));
            if bytes > state.intake.page_bytes && !fitting.is_empty() {
                return Ok((Stretch { rows: fitting, is_cut: true }, endpoints));
            }
            fitting.push((*id, *standing));
        }
    }
    Ok((fitting.into(), endpoints))
}

/// The routes of this resource.
pub(super) fn routes() -> OpenApiRouter<SharedState> {
    OpenApiRouter::new().routes(routes!(messages)).routes(routes!(destinations))
}
