//! A walk through messages: each call looks at a bounded part, says how far it got, and where to go on.

use std::time::{Duration, Instant};

use axum::Json;
use axum::extract::State;
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use crate::api::conventions::extract::ApiQuery;
use crate::api::conventions::moment::optional_moment;
use crate::api::conventions::page::{Ordering, PlainPageQuery};
use crate::api::credential::Caller;
use crate::api::error::ApiError;
use crate::api::openapi::errors::NotFound;
use crate::api::resource::delivery::{DeliveryCountsOut, StateName};
use crate::api::resource::message::EventTypes;
use crate::api::resource::path::{ApplicationPath, named_endpoint};
use crate::api::state::{ApiState, SharedState};
use crate::domain::id::reference::Reference;
use crate::domain::id::{ApplicationId, EndpointId, EnvironmentId, MessageId};
use crate::store::{FoundMessage, MessageFilter, TimeBounds, WalkFilter};

/// One call looks at so many messages.
const LOOKED_AT: usize = 2_000;
/// One call goes on for so long; the step that is under way then is finished.
const LOOKS_FOR: Duration = Duration::from_millis(60);
/// One step looks at so many messages.
const STEP_ROWS: usize = 250;

/// Which messages are looked for, besides by event type.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct WalkQuery {
    /// Only those with a delivery to this endpoint, by id or, within an application, by `uid`.
    endpoint_id: Option<String>,
    /// Only those in this channel.
    channel: Option<String>,
    /// Only those with this tag.
    tag: Option<String>,
    /// Only those with a delivery in this state, as it is stored: what waits at an endpoint that was closed later is `waiting`.
    #[param(inline)]
    state: Option<StateName>,
    /// Only those with this in the text of their payload or in their `eventId`; letters from A to Z in either case, everything
    /// else as it stands there.
    q: Option<String>,
    /// Only those that were accepted then or later.
    #[serde(default, deserialize_with = "optional_moment")]
    since: Option<DateTime<Utc>>,
    /// Only those that were accepted before.
    #[serde(default, deserialize_with = "optional_moment")]
    until: Option<DateTime<Utc>>,
}

/// Of which application.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct ApplicationQuery {
    /// Only those of this application, by id or `uid`.
    app_id: Option<String>,
}

/// What a part of the walk found.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct MessageSearchOut {
    /// What was found, newest first. It may be empty while `done` is false.
    data: Vec<FoundMessageOut>,
    /// Where to go on; `null` at the end.
    #[schema(required)]
    iterator: Option<String>,
    /// Whether the walk has come to the end of the range.
    done: bool,
    /// The walk has looked at everything from there on; `null` when it has looked at everything.
    #[schema(required)]
    reached_at: Option<DateTime<Utc>>,
    /// So many messages were looked at by this call.
    #[schema(maximum = 2000)]
    looked: usize,
}

/// A message that was found, without its payload.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(in crate::api) struct FoundMessageOut {
    /// Its id.
    #[schema(value_type = String, example = "msg_01h455vb4pex5vsknk084sn02q")]
    id: MessageId,
    /// Its application.
    #[schema(value_type = String)]
    app_id: ApplicationId,
    /// The application's name.
    app_name: String,
    /// Its event type.
    event_type: String,
    /// The producer's own id for it.
    #[schema(required)]
    event_id: Option<String>,
    /// Its channels.
    channels: Vec<String>,
    /// Its tags.
    tags: Vec<String>,
    /// When it was accepted.
    timestamp: DateTime<Utc>,
    /// The payload's size; `null` once it was expunged.
    #[schema(required)]
    size_bytes: Option<i32>,
    /// How many of its deliveries are in each state.
    deliveries: DeliveryCountsOut,
}

impl FoundMessageOut {
    fn of(found: FoundMessage, deliveries: DeliveryCountsOut) -> Self {
        Self {
            id: found.id,
            app_id: found.application_id,
            app_name: found.application_name,
            event_type: found.event_type,
            event_id: found.event_id,
            channels: found.channels,
            tags: found.tags,
            timestamp: found.id.created_at(),
            size_bytes: found.size_bytes,
            deliveries,
        }
    }
}

/// How far a call got.
#[derive(Debug, Default)]
struct Walked {
    found: Vec<FoundMessage>,
    looked: usize,
    last: Option<MessageId>,
    is_end: bool,
}

/// Walks on below `from`, until there are `limit` messages, the end, or enough was looked at.
async fn walk(
    state: &ApiState,
    filter: &WalkFilter,
    from: Option<MessageId>,
    limit: usize,
) -> Result<Walked, ApiError> {
    let began_at = Instant::now();
    let mut walked = Walked { last: from, ..Walked::default() };
    while !walked.is_end
        && walked.found.len() < limit
        && walked.looked < LOOKED_AT
        && began_at.elapsed() < LOOKS_FOR
    {
        let rows = STEP_ROWS.min(LOOKED_AT - walked.looked);
        let step = state.history.walk_messages(filter, walked.last, rows).await?;
        walked.is_end = step.is_end || step.looked_at.is_empty();
        for (id, found) in step.looked_at {
            if walked.found.len() == limit {
                walked.is_end = false;
                break;
            }
            walked.looked += 1;
            walked.last = Some(id);
            walked.found.extend(found);
        }
    }
    Ok(walked)
}

/// The endpoint that is meant: by `uid` only where the application is known, and only one of the environment.
async fn endpoint(
    state: &ApiState,
    environment: &EnvironmentId,
    application: Option<ApplicationId>,
    named: Option<&str>,
) -> Result<Option<EndpointId>, ApiError> {
    let Some(named) = named else { return Ok(None) };
    match (Reference::<EndpointId>::parse(named), application) {
        (Reference::Id(id), _) => {
            let found = state.configuration.endpoint_in_environment(environment, id).await?;
            let found = found.filter(|it| application.is_none_or(|own| own == it.application_id));
            found.map(|it| Some(it.id)).ok_or(ApiError::NoSuch("endpoint"))
        }
        (named @ Reference::Uid(_), Some(application)) => {
            named_endpoint(state, application, &named).await.map(Some)
        }
        (Reference::Uid(_), None) => {
            let msg = "a `uid` is an endpoint's own within its application: name the application, too";
            Err(ApiError::invalid(&["query", "endpoint_id"], msg, "value_error"))
        }
    }
}

async fn answer(
    state: &ApiState,
    environment: &EnvironmentId,
    application: Option<ApplicationId>,
    page: &PlainPageQuery,
    query: WalkQuery,
    event_types: Vec<String>,
) -> Result<Json<MessageSearchOut>, ApiError> {
    let page = page.request::<MessageId>(Ordering::Descending)?;
    let filter = WalkFilter {
        environment: environment.clone(),
        application,
        endpoint: endpoint(state, environment, application, query.endpoint_id.as_deref()).await?,
        state: query.state.map(Into::into),
        text: query.q.filter(|text| !text.is_empty()),
        message: MessageFilter {
            event_types,
            channel: query.channel,
            tag: query.tag,
            accepted: TimeBounds { since: query.since, until: query.until },
        },
    };
    if page.scan.ascending {
        return Err(ApiError::invalid(&["query", "iterator"], "a walk only goes on", "value_error"));
    }
    let limit = usize::try_from(page.scan.limit - 1).unwrap_or(usize::MAX);
    let walked = walk(state, &filter, page.scan.after, limit).await?;
    let ids: Vec<MessageId> = walked.found.iter().map(|message| message.id).collect();
    let mut counts = state.history.count_deliveries(&ids).await?;
    let mut shape = |message: FoundMessage| {
        let deliveries = counts.remove(&message.id).unwrap_or_default();
        FoundMessageOut::of(message, deliveries.into())
    };
    Ok(Json(MessageSearchOut {
        data: walked.found.into_iter().map(&mut shape).collect(),
        iterator: walked.last.filter(|_| !walked.is_end).map(|id| id.to_string()),
        done: walked.is_end,
        reached_at: walked.last.filter(|_| !walked.is_end).map(MessageId::created_at),
        looked: walked.looked,
    }))
}

/// Walk through the messages of the environment, newest first.
///
/// One call looks at 2,000 messages, and for 60 ms, at most. It answers with what matches, how far it got
/// (`reachedAt`), and an `iterator` that goes on there. Payloads are not shown.
#[utoipa::path(
    get, path = "/api/v1/message-search", operation_id = "v1.message.search", tag = "console",
    params(
        ApplicationQuery,
        ("event_types" = Option<Vec<String>>, Query, description = "Only those of these event types."),
        PlainPageQuery,
        WalkQuery
    ),
    responses((status = 200, description = "What this part of the walk found.", body = MessageSearchOut), NotFound)
)]
pub(super) async fn search(
    State(state): State<SharedState>,
    caller: Caller,
    ApiQuery(page): ApiQuery<PlainPageQuery>,
    ApiQuery(of): ApiQuery<ApplicationQuery>,
    ApiQuery(query): ApiQuery<WalkQuery>,
    EventTypes(event_types): EventTypes,
) -> Result<Json<MessageSearchOut>, ApiError> {
    let environment = caller.whole_environment()?;
    let application = match of.app_id.as_deref() {
        Some(named) => Some(caller.application(&state.configuration, named).await?),
        None => None,
    };
    answer(&state, environment, application, &page, query, event_types).await
}

/// Walk through the messages of an application, newest first.
///
/// As the walk through those of the environment.
#[utoipa::path(
    get, path = "/api/v1/app/{app_id}/message-search", operation_id = "v1.application.message-search",
    tag = "console",
    params(
        ApplicationPath,
        ("event_types" = Option<Vec<String>>, Query, description = "Only those of these event types."),
        PlainPageQuery,
        WalkQuery
    ),
    responses((status = 200, description = "What this part of the walk found.", body = MessageSearchOut))
)]
pub(super) async fn search_in_application(
    State(state): State<SharedState>,
    caller: Caller,
    path: ApplicationPath,
    ApiQuery(page): ApiQuery<PlainPageQuery>,
    ApiQuery(query): ApiQuery<WalkQuery>,
    EventTypes(event_types): EventTypes,
) -> Result<Json<MessageSearchOut>, ApiError> {
    let environment = caller.environment()?;
    answer(&state, environment, Some(path.application), &page, query, event_types).await
}
