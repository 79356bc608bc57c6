//! Event types: how much of each was accepted, and who gets it.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use chrono::{DateTime, Utc};
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::api::conventions::extract::ApiQuery;
use crate::api::conventions::page::{ListOut, Ordering, PlainPageQuery};
use crate::api::conventions::path::{PathObject, PathParameter, PathValues, path_extractors};
use crate::api::credential::Caller;
use crate::api::error::ApiError;
use crate::api::shared_views::Askers;
use crate::api::state::{ApiState, SharedState};
use crate::domain::id::{ApplicationId, EndpointId};
use crate::domain::rollup::range::{Buckets, Range};
use crate::store::Subscriber;

use super::shape::RangeQuery;

/// So many event types are shown.
const MOST_SHOWN: usize = 2_000;
/// Messages are counted by the hour.
const SHORTEST_BUCKET: i64 = 3_600;

const EVENT_TYPE: PathParameter = PathParameter::new("event_type_name", "The event type's name.");

/// An event type of the catalogue, or one that an endpoint asks for before it is there.
pub(super) struct AskedEventType {
    name: String,
}

impl PathObject for AskedEventType {
    const PARAMETERS: &[PathParameter] = &[EVENT_TYPE];

    async fn find(values: &PathValues, caller: &Caller, state: &ApiState) -> Result<Self, ApiError> {
        let name = values.text(&EVENT_TYPE)?;
        let is_known = state.rollups.knows_event_type(caller.whole_environment()?, name).await?;
        if is_known { Ok(Self { name: name.to_owned() }) } else { Err(ApiError::NotFound) }
    }
}

path_extractors!(AskedEventType);

/// How much of each event type was accepted, and how many endpoints ask for it.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(in crate::api) struct EventTypeStatsOut {
    /// When the first bucket begins.
    starts_at: DateTime<Utc>,
    /// How long each is; an hour at least.
    bucket_seconds: i64,
    /// Enabled endpoints that name no event types, and so get all.
    endpoints_of_everything: i64,
    /// Those with most messages first, then by name; 2,000 at most.
    data: Vec<EventTypeStatOut>,
}

/// An event type's volume.
#[derive(Debug, Default, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(in crate::api) struct EventTypeStatOut {
    /// Its name.
    name: String,
    /// Messages in the range.
    accepted: i64,
    /// One a bucket.
    series: Vec<i64>,
    /// Enabled endpoints that name it.
    endpoints: i64,
}

/// An endpoint that gets an event type.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(in crate::api) struct SubscriberOut {
    /// Its application.
    #[schema(value_type = String)]
    app_id: ApplicationId,
    /// The application's name.
    app_name: String,
    /// Its id.
    #[schema(value_type = String)]
    endpoint_id: EndpointId,
    /// Where it is.
    url: String,
    /// It names no event types, so it gets all.
    asks_for_everything: bool,
    /// Whether it is disabled.
    disabled: bool,
}

/// The buckets of a range, an hour long at least.
fn hours(range: Range, now: DateTime<Utc>) -> Buckets {
    let buckets = range.buckets(now);
    if buckets.seconds >= SHORTEST_BUCKET {
        return buckets;
    }
    let length = (buckets.ends_at() - buckets.starts_at).num_seconds();
    Buckets::ending(now, SHORTEST_BUCKET, usize::try_from(length / SHORTEST_BUCKET).unwrap_or(1))
}

/// Show how much of each event type was accepted, and how many endpoints ask for it.
#[utoipa::path(
    get, path = "/api/v1/stats/event-types", operation_id = "v1.statistics.event-types", tag = "statistics",
    params(RangeQuery),
    responses((status = 200, description = "All with messages or with somebody who asks for them.", body = EventTypeStatsOut))
)]
async fn statistics(
    State(state): State<SharedState>,
    caller: Caller,
    ApiQuery(query): ApiQuery<RangeQuery>,
) -> Result<Json<EventTypeStatsOut>, ApiError> {
    let environment = caller.whole_environment()?;
    let buckets = hours(query.range, state.history.database_time().await?);
    let asked = async {
        let (by_name, everything) = state.rollups.askers(environment).await?;
        Ok(Arc::new(Askers { by_name, everything }))
    };
    let (volumes, askers) = tokio::try_join!(
        async { Ok(state.rollups.event_type_volumes(environment, &buckets).await?) },
        state.views.askers(environment.clone(), asked),
    )?;
    let mut found: BTreeMap<String, EventTypeStatOut> = BTreeMap::new();
    let empty = || EventTypeStatOut { series: vec![0; buckets.count], ..EventTypeStatOut::default() };
    for volume in volumes {
        let Some(place) = buckets.place_of(volume.at) else { continue };
        let stat = found.entry(volume.event_type).or_insert_with(empty);
        stat.accepted += volume.accepted;
        stat.series.get_mut(place).into_iter().for_each(|count| *count += volume.accepted);
    }
    for (name, endpoints) in &askers.by_name {
        found.entry(name.clone()).or_insert_with(empty).endpoints = *endpoints;
    }
    let mut data: Vec<_> = found.into_iter().map(|(name, stat)| EventTypeStatOut { name, ..stat }).collect();
    data.sort_by_key(|stat| std::cmp::Reverse(stat.accepted));
    data.truncate(MOST_SHOWN);
    Ok(Json(EventTypeStatsOut {
        starts_at: buckets.starts_at,
        bucket_seconds: buckets.seconds,
        endpoints_of_everything: askers.everything,
        data,
    }))
}

/// List the endpoints that get an event type.
#[utoipa::path(
    get, path = "/api/v1/event-type/{event_type_name}/endpoint", operation_id = "v1.event-type.endpoints",
    tag = "event-type",
    params(AskedEventType, PlainPageQuery),
    responses((status = 200, description = "A page of them, by id.", body = ListOut<SubscriberOut>))
)]
async fn endpoints(
    State(state): State<SharedState>,
    caller: Caller,
    path: AskedEventType,
    ApiQuery(page): ApiQuery<PlainPageQuery>,
) -> Result<Json<ListOut<SubscriberOut>>, ApiError> {
    let environment = caller.whole_environment()?;
    let page = page.request::<EndpointId>(Ordering::Ascending)?;
    let rows = state.rollups.subscribers(environment, &path.name, &page.scan).await?;
    let shape = |it: Subscriber| SubscriberOut {
        app_id: it.named.application_id,
        app_name: it.named.application_name,
        endpoint_id: it.named.endpoint_id,
        url: caller.shown_url(it.named.url),
        asks_for_everything: it.asks_for_everything,
        disabled: it.disabled,
    };
    Ok(Json(page.answer(rows, |row| row.named.endpoint_id.to_string(), shape)))
}

/// The routes of this part.
pub(super) fn routes() -> OpenApiRouter<SharedState> {
    OpenApiRouter::new().routes(routes!(statistics)).routes(routes!(endpoints))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn volumes_are_told_by_the_hour_at_least() {
        let now = DateTime::from_timestamp(1_770_000_123, 0).unwrap();
        let shapes = Range::ALL.map(|range| (hours(range, now).seconds, hours(range, now).count));
        assert_eq!(shapes, [(3_600, 1), (3_600, 3), (3_600, 24), (10_800, 56), (43_200, 60)]);
    }
}
