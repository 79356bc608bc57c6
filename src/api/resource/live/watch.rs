//! Watching an environment, an application or an endpoint.

use std::time::Duration;

use axum::extract::State;
use axum::response::sse::{KeepAlive, Sse};
use axum::response::{IntoResponse, Response};
use http::request::Parts;
use http::{HeaderName, HeaderValue, header};
use serde::Deserialize;
use utoipa::IntoParams;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::api::conventions::caller::Standing;
use crate::api::conventions::extract::ApiQuery;
use crate::api::credential::Caller;
use crate::api::error::ApiError;
use crate::api::intake::answer::Endless;
use crate::api::openapi::errors::{NotFound, TooManyRequests};
use crate::api::resource::path::{ApplicationPath, named_endpoint};
use crate::api::state::SharedState;
use crate::domain::id::ApplicationId;
use crate::domain::id::reference::Reference;
use crate::domain::live::scope::Scope;

use super::shape::LiveEvent;
use super::stream::LiveStream;
use super::topics::Topics;

/// A comment, so that nobody on the way takes the stream for dead.
const HEARTBEAT_EVERY: Duration = Duration::from_secs(15);
/// All nodes know within this time what is wanted, or begin later.
const KNOWN_WITHIN: Duration = Duration::from_secs(2);

/// What to watch.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct LiveQuery {
    /// Any of `message`, `attempt` and `counters`, separated by commas.
    #[param(
        max_length = 64,
        pattern = "^(message|attempt|counters)(,(message|attempt|counters))*$",
        example = "message,attempt"
    )]
    topics: String,
    /// Only of this application, by id or `uid`.
    app_id: Option<String>,
    /// Only of this endpoint, by id or `uid`; it needs `app_id`.
    endpoint_id: Option<String>,
}

/// What to watch of an application.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct ApplicationLiveQuery {
    /// Any of `message`, `attempt` and `counters`, separated by commas.
    #[param(
        max_length = 64,
        pattern = "^(message|attempt|counters)(,(message|attempt|counters))*$",
        example = "message,attempt"
    )]
    topics: String,
    /// Only of this endpoint, by id or `uid`.
    endpoint_id: Option<String>,
}

/// Watch what happens now in an environment, as server-sent events.
///
/// The answer is a `text/event-stream` that goes on. Any node serves it. Each event has a name in `event:` and one line of
/// JSON in `data:`; nothing has an id, and nothing is replayed: after a break, ask the lists. First comes `hello`; a comment
/// comes every 15 seconds. `message`: one was accepted. `attempt`: one was recorded. `counters`: rates and what there is,
/// every two seconds. `sampled`: in the last second more messages and attempts happened than the 20 that a stream tells one
/// by one, and once more when it is whole again. `bye`: the server ends it, because the credential holds no longer, because
/// the node stops, or because what was sent was not taken. Nothing is told late: what finds no room is counted. A node serves
/// 200 streams, 20 of one credential, and 40 of one tenant.
#[utoipa::path(
    get, path = "/api/v1/live", operation_id = "v1.console.live", tag = "console",
    params(LiveQuery),
    responses(
        (status = 200, description = "The stream.", body = LiveEvent, content_type = "text/event-stream"),
        NotFound, TooManyRequests
    )
)]
async fn environment(
    State(state): State<SharedState>,
    caller: Caller,
    ApiQuery(query): ApiQuery<LiveQuery>,
    parts: Parts,
) -> Result<Response, ApiError> {
    let environment = caller.whole_environment()?.clone();
    let topics = Topics::parse(&query.topics)?;
    let scope = match (query.app_id.as_deref(), query.endpoint_id.as_deref()) {
        (None, None) => Scope::Environment(environment),
        (None, Some(_)) => {
            let msg = "needs `app_id`";
            return Err(ApiError::invalid(&["query", "endpoint_id"], msg, "value_error"));
        }
        (Some(named), endpoint) => {
            let application = caller.application(&state.configuration, named).await?;
            within(&state, application, endpoint).await?
        }
    };
    stream(state, &caller, scope, topics, &parts).await
}

/// Watch what happens now in an application, as server-sent events.
///
/// The same as of an environment.
#[utoipa::path(
    get, path = "/api/v1/app/{app_id}/live", operation_id = "v1.application.live", tag = "console",
    params(ApplicationPath, ApplicationLiveQuery),
    responses(
        (status = 200, description = "The stream.", body = LiveEvent, content_type = "text/event-stream"),
        TooManyRequests
    )
)]
async fn application(
    State(state): State<SharedState>,
    caller: Caller,
    path: ApplicationPath,
    ApiQuery(query): ApiQuery<ApplicationLiveQuery>,
    parts: Parts,
) -> Result<Response, ApiError> {
    let topics = Topics::parse(&query.topics)?;
    let scope = within(&state, path.application, query.endpoint_id.as_deref()).await?;
    stream(state, &caller, scope, topics, &parts).await
}

/// An application, or an endpoint of it.
async fn within(
    state: &SharedState,
    application: ApplicationId,
    endpoint: Option<&str>,
) -> Result<Scope, ApiError> {
    match endpoint {
        None => Ok(Scope::Application(application)),
        Some(named) => {
            named_endpoint(state, application, &Reference::parse(named)).await.map(Scope::Endpoint)
        }
    }
}

async fn stream(
    state: SharedState,
    caller: &Caller,
    scope: Scope,
    topics: Topics,
    parts: &Parts,
) -> Result<Response, ApiError> {
    let room = state.streams.rooms.room_for(caller)?;
    let subscription = state.streams.hub.subscribe(scope.clone()).await;
    // What is wanted went out as a notice; who has answered this has heard it.
    let _ = tokio::time::timeout(KNOWN_WITHIN, state.changes.wait()).await;
    let watcher = (caller.clone(), Standing::of(parts));
    let stream = LiveStream::new(state, watcher, scope, topics, subscription, room);
    let heartbeat = KeepAlive::new().interval(HEARTBEAT_EVERY);
    let mut response = Sse::new(stream.events()).keep_alive(heartbeat).into_response();
    let headers = response.headers_mut();
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(HeaderName::from_static("x-accel-buffering"), HeaderValue::from_static("no"));
    response.extensions_mut().insert(Endless);
    Ok(response)
}

/// The routes of this part.
pub(super) fn routes() -> OpenApiRouter<SharedState> {
    OpenApiRouter::new().routes(routes!(environment)).routes(routes!(application))
}
