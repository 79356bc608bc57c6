//! Incidents as they are shown, and who knows of them.

use axum::Json;
use axum::extract::State;
use chrono::{DateTime, Utc};
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::api::conventions::capped::CappedCount;
use crate::api::conventions::path::{PathObject, PathParameter, PathValues, path_extractors};
use crate::api::credential::{Caller, Role};
use crate::api::error::ApiError;
use crate::api::resource::attempt::{shown_error, shown_failure};
use crate::api::state::{ApiState, SharedState};
use crate::domain::id::{ApplicationId, EndpointId, EnvironmentId};
use crate::domain::rollup::incident::{Band, IncidentKind, Whose};

use super::troubles::{Beginning, Incident, Subject, beginnings, derive, held_until};

const INCIDENT: PathParameter = PathParameter::new("incident_id", "The incident's id.");

/// An incident, as it is named.
pub(super) struct IncidentPath {
    id: String,
}

impl PathObject for IncidentPath {
    const PARAMETERS: &[PathParameter] = &[INCIDENT];

    async fn find(values: &PathValues, _: &Caller, _: &ApiState) -> Result<Self, ApiError> {
        Ok(Self { id: values.text(&INCIDENT)?.to_owned() })
    }
}

path_extractors!(IncidentPath);

/// Something that is wrong now.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(in crate::api) struct IncidentOut {
    /// Its id, with its beginning in it: what begins anew is a new incident.
    #[schema(example = "endpoint_failing:ep_01h455vb4pex5vsknk084sn02q:1790000000")]
    id: String,
    /// What is wrong.
    kind: IncidentKind,
    /// Whose fault it is.
    whose: Whose,
    /// `now`: it needs somebody now; `later`: it can wait until morning.
    band: Band,
    /// Since when.
    since: DateTime<Utc>,
    /// The node that stopped.
    #[schema(required)]
    node_name: Option<String>,
    /// The node that took its work over.
    #[schema(required)]
    taken_over_by: Option<String>,
    /// The endpoint's application.
    #[schema(value_type = Option<String>, required)]
    app_id: Option<ApplicationId>,
    /// The application's name.
    #[schema(required)]
    app_name: Option<String>,
    /// The endpoint.
    #[schema(value_type = Option<String>, required)]
    endpoint_id: Option<EndpointId>,
    /// Where it is.
    #[schema(required)]
    url: Option<String>,
    /// Why it is disabled: `gone` (it answered 410) or `failing`.
    #[schema(required)]
    disabled_reason: Option<String>,
    /// What waits for it.
    #[schema(required)]
    waiting: Option<CappedCount>,
    /// What is held for it.
    #[schema(required)]
    held: Option<CappedCount>,
    /// Dead letters of the last hour, a thousand at most.
    died_last_hour: i64,
    /// The status of the last failure.
    #[schema(required)]
    last_status_code: Option<i16>,
    /// What went wrong the last time.
    #[schema(required)]
    last_failure: Option<String>,
    /// The beginning of the last answer that was a failure, or why there was none.
    #[schema(required)]
    last_error: Option<String>,
    /// When the first delivery that is held becomes a dead letter.
    #[schema(required)]
    held_until: Option<DateTime<Utc>>,
    /// Since when somebody knows.
    #[schema(required)]
    acknowledged_at: Option<DateTime<Utc>>,
    /// Who.
    #[schema(required)]
    acknowledged_by: Option<String>,
    /// The length of a bucket of `series`.
    bucket_seconds: i64,
    /// 40 buckets that show how it began: failed attempts; what was held, for a disabled endpoint; what was sent, for one
    /// that is overdue, for a node, or when all is paused. `null` where that is not known.
    series: Vec<Option<u64>>,
}

/// Incidents as this caller sees them. Of our own, an environment's credential learns the kind and the beginning.
pub(super) async fn shown(
    state: &ApiState,
    caller: &Caller,
    environment: &EnvironmentId,
    incidents: Vec<Incident>,
    now: DateTime<Utc>,
) -> Result<Vec<IncidentOut>, ApiError> {
    let began = beginnings(state, environment, &incidents, now).await?;
    Ok(incidents.into_iter().zip(began).map(|(it, began)| shape(state, caller, it, began)).collect())
}

fn shape(state: &ApiState, caller: &Caller, incident: Incident, began: Beginning) -> IncidentOut {
    let held_until = held_until(state, &incident);
    let is_hidden = incident.kind.whose() == Whose::Ours && caller.role != Role::Operator;
    let mut out = IncidentOut {
        id: incident.id,
        kind: incident.kind,
        whose: incident.kind.whose(),
        band: incident.band,
        since: incident.since,
        node_name: None,
        taken_over_by: None,
        app_id: None,
        app_name: None,
        endpoint_id: None,
        url: None,
        disabled_reason: None,
        waiting: None,
        held: None,
        died_last_hour: 0,
        last_status_code: None,
        last_failure: None,
        last_error: None,
        held_until,
        acknowledged_at: incident.acknowledged.as_ref().map(|known| known.at),
        acknowledged_by: incident.acknowledged.map(|known| known.by),
        bucket_seconds: began.bucket_seconds,
        series: began.series,
    };
    if is_hidden {
        out.series.fill(None);
        return out;
    }
    match incident.subject {
        Subject::Dispatching => {}
        Subject::Node(node) => {
            out.node_name = Some(node.name);
            out.taken_over_by = node.taken_over_by;
        }
        Subject::Endpoint(endpoint) => {
            let queued = CappedCount::from(endpoint.queued);
            let (waiting, held) = if endpoint.is_closed {
                (CappedCount::default(), queued)
            } else {
                (queued, CappedCount::default())
            };
            out.app_id = Some(endpoint.named.application_id);
            out.app_name = Some(endpoint.named.application_name);
            out.endpoint_id = Some(endpoint.named.endpoint_id);
            out.url = Some(caller.shown_url(endpoint.named.url));
            out.disabled_reason = endpoint.disabled_reason;
            out.waiting = Some(waiting);
            out.held = Some(held);
            out.died_last_hour = endpoint.died_last_hour;
            out.last_status_code = endpoint.last_status;
            let failure = endpoint.last_failure.as_deref();
            out.last_error = endpoint.last_error.map(|error| shown_error(caller, failure, error));
            out.last_failure = endpoint.last_failure.map(|failure| shown_failure(caller, failure));
        }
    }
    out
}

async fn set_known(
    state: &ApiState,
    caller: &Caller,
    path: &IncidentPath,
    known: bool,
) -> Result<Json<IncidentOut>, ApiError> {
    let environment = caller.whole_environment()?;
    let there = derive(state, environment, None).await?;
    there.iter().find(|it| it.id == path.id).ok_or(ApiError::NoSuch("incident"))?;
    state.rollups.acknowledge_incident(caller.actor(), environment, &path.id, known).await?;
    state.views.forget_overviews(environment).await;
    let now = state.history.database_time().await?;
    let there = derive(state, environment, None).await?.into_iter().filter(|it| it.id == path.id).collect();
    let shown = shown(state, caller, environment, there, now).await?;
    shown.into_iter().next().map(Json).ok_or(ApiError::NoSuch("incident"))
}

/// Say that somebody knows of an incident.
///
/// It can wait from then on, and says who knows and since when. One that ends and begins anew is a new incident.
#[utoipa::path(
    post, path = "/api/v1/incident/{incident_id}/acknowledge", operation_id = "v1.console.acknowledge-incident",
    tag = "console",
    params(IncidentPath),
    responses((status = 200, description = "The incident.", body = IncidentOut))
)]
async fn acknowledge(
    State(state): State<SharedState>,
    caller: Caller,
    path: IncidentPath,
) -> Result<Json<IncidentOut>, ApiError> {
    set_known(&state, &caller, &path, true).await
}

/// Take back that somebody knows of an incident.
#[utoipa::path(
    delete, path = "/api/v1/incident/{incident_id}/acknowledge", operation_id = "v1.console.unacknowledge-incident",
    tag = "console",
    params(IncidentPath),
    responses((status = 200, description = "The incident.", body = IncidentOut))
)]
async fn unacknowledge(
    State(state): State<SharedState>,
    caller: Caller,
    path: IncidentPath,
) -> Result<Json<IncidentOut>, ApiError> {
    set_known(&state, &caller, &path, false).await
}

/// The routes of this part.
pub(super) fn routes() -> OpenApiRouter<SharedState> {
    OpenApiRouter::new().routes(routes!(acknowledge, unacknowledge))
}
