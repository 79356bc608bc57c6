//! Incidents as they are derived from what is there. `domain/rollup/incident.rs` has the rule of who has to get up for one.

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use uuid::Uuid;

use crate::api::error::ApiError;
use crate::api::state::ApiState;
use crate::domain::id::{EndpointId, EnvironmentId};
use crate::domain::rollup::incident::{Band, IncidentKind, bucket_seconds};
use crate::domain::rollup::node_state::NodeState;
use crate::domain::rollup::range::Buckets;
use crate::domain::rollup::tally::Tally;
use crate::store::{Acknowledgement, Gauge, NodeSeen, RollupScope, TroubledEndpoint};

use super::series::gauges_of_endpoint;

/// Buckets of an incident's series.
const BUCKETS: usize = 40;

/// What an incident is about.
pub(super) enum Subject {
    Node(NodeSeen),
    Dispatching,
    Endpoint(TroubledEndpoint),
}

/// Something that is wrong now.
pub(super) struct Incident {
    pub(super) id: String,
    pub(super) kind: IncidentKind,
    pub(super) since: DateTime<Utc>,
    pub(super) subject: Subject,
    pub(super) band: Band,
    pub(super) acknowledged: Option<Acknowledgement>,
}

impl Incident {
    fn new(
        kind: IncidentKind,
        object: &str,
        since: DateTime<Utc>,
        subject: Subject,
        known: &mut HashMap<String, Acknowledgement>,
    ) -> Self {
        let id = kind.id(object, since);
        let acknowledged = known.remove(&id);
        let died = match &subject {
            Subject::Endpoint(endpoint) => endpoint.died_last_hour,
            Subject::Node(_) | Subject::Dispatching => 0,
        };
        let band = Band::of(kind, acknowledged.is_some(), died);
        Self { id, kind, since, subject, band, acknowledged }
    }

    /// The endpoint that it is about.
    pub(super) fn endpoint(&self) -> Option<&TroubledEndpoint> {
        match &self.subject {
            Subject::Endpoint(endpoint) => Some(endpoint),
            Subject::Node(_) | Subject::Dispatching => None,
        }
    }

    fn affected(&self) -> i64 {
        self.endpoint().map_or(0, |endpoint| endpoint.queued.count + endpoint.died_last_hour)
    }
}

/// Everything that is wrong in an environment, what needs somebody first; of one endpoint alone, if it is named.
pub(super) async fn derive(
    state: &ApiState,
    environment: &EnvironmentId,
    endpoint: Option<EndpointId>,
) -> Result<Vec<Incident>, ApiError> {
    let rollups = &state.rollups;
    let only = endpoint.map(EndpointId::uuid);
    let (failing, disabled, overdue, mut known) = tokio::try_join!(
        rollups.failing_now(environment, only),
        rollups.disabled_by_answers(environment, only),
        rollups.overdue(environment, only),
        rollups.acknowledgements(environment),
    )?;
    let mut incidents = Vec::new();
    if endpoint.is_none() {
        for node in rollups.nodes_seen().await? {
            if node.state == NodeState::Stopped && !node.left {
                let (kind, since, run) = (IncidentKind::NodeStopped, node.seen_at, node.writer.to_string());
                incidents.push(Incident::new(kind, &run, since, Subject::Node(node), &mut known));
            }
        }
        if let Some(pause) = rollups.dispatching_pause().await? {
            let kind = IncidentKind::DispatchingPaused;
            incidents.push(Incident::new(kind, "all", pause.since, Subject::Dispatching, &mut known));
        }
    }
    for (kind, endpoints) in [
        (IncidentKind::Overdue, overdue),
        (IncidentKind::EndpointFailing, failing),
        (IncidentKind::EndpointDisabled, disabled),
    ] {
        for endpoint in endpoints {
            let (object, since) = (endpoint.named.endpoint_id.to_string(), endpoint.since);
            incidents.push(Incident::new(kind, &object, since, Subject::Endpoint(endpoint), &mut known));
        }
    }
    incidents.sort_by_key(|it| (it.band, std::cmp::Reverse(it.affected()), it.since));
    Ok(incidents)
}

/// How something began, in buckets; `None` where nobody looked.
#[derive(Default)]
pub(super) struct Beginning {
    pub(super) bucket_seconds: i64,
    pub(super) series: Vec<Option<u64>>,
}

/// How each of these began: failed attempts; what was held at a disabled endpoint; what was sent to an overdue one, by a
/// node, or by all of them.
pub(super) async fn beginnings(
    state: &ApiState,
    environment: &EnvironmentId,
    incidents: &[Incident],
    now: DateTime<Utc>,
) -> Result<Vec<Beginning>, ApiError> {
    let of_environment = RollupScope::Environment(environment).uuid();
    let mut by_length: HashMap<(i64, bool), Vec<Uuid>> = HashMap::new();
    for incident in incidents {
        let scope = incident.endpoint().map_or(of_environment, |it| it.named.endpoint_id.uuid());
        by_length.entry((length(incident, now), counts_held(incident))).or_default().push(scope);
    }
    let (mut tallies, mut gauges) = (HashMap::new(), HashMap::new());
    for ((seconds, held), scopes) in by_length {
        let buckets = Buckets::ending(now, seconds, BUCKETS);
        if held {
            let looked_at: Vec<Uuid> = scopes.into_iter().chain([of_environment]).collect();
            gauges.insert(seconds, state.rollups.gauges(&looked_at, false, &buckets).await?);
        } else {
            tallies.insert(seconds, state.rollups.tallies(&scopes, &buckets).await?);
        }
    }
    let mut beginnings = Vec::new();
    for incident in incidents {
        let seconds = length(incident, now);
        let of_all = |count: &dyn Fn(&Tally) -> u64, scope| -> Vec<Option<u64>> {
            let found = tallies.get(&seconds).and_then(|found| found.get(&scope));
            found.map_or_else(|| vec![Some(0); BUCKETS], |found| found.iter().map(count).map(Some).collect())
        };
        let series = match &incident.subject {
            Subject::Node(node) => {
                let buckets = Buckets::ending(now, seconds, BUCKETS);
                let sent = state.rollups.attempts_by(of_environment, node.writer, &buckets).await?;
                sent.into_iter().map(Some).collect()
            }
            Subject::Dispatching => of_all(&Tally::attempts, of_environment),
            Subject::Endpoint(endpoint) => {
                let scope = endpoint.named.endpoint_id.uuid();
                if counts_held(incident) {
                    held(gauges.get(&seconds), scope, of_environment)
                } else if incident.kind == IncidentKind::Overdue {
                    of_all(&Tally::attempts, scope)
                } else {
                    of_all(&Tally::failed, scope)
                }
            }
        };
        beginnings.push(Beginning { bucket_seconds: seconds, series });
    }
    Ok(beginnings)
}

/// What was held at each look.
fn held(
    gauges: Option<&HashMap<Uuid, Vec<Option<Gauge>>>>,
    scope: Uuid,
    environment: Uuid,
) -> Vec<Option<u64>> {
    let of = |scope| gauges.and_then(|found| found.get(&scope));
    let kept = gauges_of_endpoint(of(scope).cloned(), of(environment)).unwrap_or_default();
    let held = |place: usize| kept.get(place)?.as_ref().map(|gauge| u64::from(gauge.held.unsigned_abs()));
    (0..BUCKETS).map(held).collect()
}

fn counts_held(incident: &Incident) -> bool {
    incident.kind == IncidentKind::EndpointDisabled
}

/// Gauges of endpoints are kept by half hours.
fn length(incident: &Incident, now: DateTime<Utc>) -> i64 {
    let seconds = bucket_seconds(incident.since, now, i64::try_from(BUCKETS).unwrap_or(i64::MAX));
    if counts_held(incident) { seconds.max(1_800) } else { seconds }
}

/// When the first that is held becomes a dead letter.
pub(super) fn held_until(state: &ApiState, incident: &Incident) -> Option<DateTime<Utc>> {
    let endpoint = incident.endpoint().filter(|it| it.queued.count > 0)?;
    state.views.policies.held_until(endpoint.held_since, endpoint.first_due_at)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_held_is_unknown_where_nobody_looked_and_nothing_where_somebody_did() {
        let (endpoint, environment) = (Uuid::from_u128(1), Uuid::from_u128(2));
        let (mut own, mut looks) = (vec![None; BUCKETS], vec![None; BUCKETS]);
        looks[1..3].fill(Some(Gauge::default()));
        own[2] = Some(Gauge { waiting: 0, held: 7, dead_open: None });
        let found = HashMap::from([(endpoint, own), (environment, looks)]);
        let shown = held(Some(&found), endpoint, environment);
        assert_eq!((&shown[..4], shown.len()), (&[None, Some(0), Some(7), None][..], BUCKETS));
        assert_eq!(held(None, endpoint, environment), [None; BUCKETS]);
    }
}
