//! What holds for an endpoint, and who says so: the endpoint itself, its application, its environment, or the server.

use std::time::Duration;

use serde::Serialize;
use utoipa::ToSchema;

use crate::domain::policy::{DeliveryPolicy, LONGEST_TIMEOUT};
use crate::store::EndpointState;

use crate::api::shared_views::ServerPolicies;

/// A number that holds, and who says so.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(example = json!({"value": 100.0, "from": "application"}))]
pub(in crate::api) struct PolicyNumber {
    /// `null`: no limit.
    #[schema(required)]
    value: Option<f64>,
    /// `server`, `environment`, `application` or `endpoint`.
    from: &'static str,
}

/// What holds for an endpoint, and who says so.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(in crate::api) struct PoliciesOut {
    /// The waits before each retry, in seconds.
    retry_schedule: Vec<f64>,
    /// Who says so: `server`, `environment`, `application` or `endpoint`.
    #[schema(example = "server")]
    retry_schedule_from: &'static str,
    /// Requests a second; the smaller one, where the endpoint and its application have one.
    rate_limit: PolicyNumber,
    /// Requests at once.
    max_in_flight: PolicyNumber,
    /// The deadline of a request.
    deadline_seconds: PolicyNumber,
    /// After so long without a success it is disabled.
    disable_after_seconds: PolicyNumber,
    /// So long deliveries are held.
    hold_seconds: PolicyNumber,
}

/// The levels that set policies, the nearest first, as [`EndpointState::policies`] has them.
const LEVELS: [&str; 3] = ["endpoint", "application", "environment"];

/// What the nearest level sets that sets it, and which one that is.
fn nearest<T>(
    policies: &[DeliveryPolicy; 3],
    field: impl Fn(&DeliveryPolicy) -> Option<T>,
) -> (Option<T>, &'static str) {
    let set = policies.iter().zip(LEVELS).find_map(|(policy, level)| Some((field(policy)?, level)));
    set.map_or((None, "server"), |(value, level)| (Some(value), level))
}

fn of_server(value: Option<Duration>) -> PolicyNumber {
    PolicyNumber { value: value.map(|it| it.as_secs_f64()), from: "server" }
}

impl PoliciesOut {
    pub(super) fn of(server: &ServerPolicies, endpoint: &EndpointState) -> Self {
        let policies = &endpoint.policies;
        let (schedule, retry_schedule_from) = nearest(policies, |it| it.retry_schedule.clone());
        let waits = schedule.as_ref().map_or(server.retry_schedule.as_slice(), |schedule| schedule.waits());
        let (at_once, at_once_from) = nearest(policies, |it| it.max_in_flight);
        let (timeout, deadline_from) = nearest(policies, |it| it.timeout);
        let deadline = timeout.map_or(server.request_timeout, |seconds| Duration::from_secs(seconds.into()));
        // Each level has a limit of its own; the lower one is felt first.
        let [own, application, _] = policies;
        let limits = [(own.rate_limit, "endpoint"), (application.rate_limit, "application")];
        let lowest =
            limits.into_iter().filter_map(|(limit, level)| Some((limit?, level))).min_by_key(|it| it.0);
        let rate_limit = lowest.map_or(PolicyNumber { value: None, from: "server" }, |(limit, from)| {
            PolicyNumber { value: Some(f64::from(limit)), from }
        });
        Self {
            retry_schedule: waits.iter().map(Duration::as_secs_f64).collect(),
            retry_schedule_from,
            rate_limit,
            max_in_flight: PolicyNumber {
                value: Some(f64::from(at_once.unwrap_or(server.max_in_flight))),
                from: at_once_from,
            },
            deadline_seconds: PolicyNumber {
                value: Some(deadline.min(LONGEST_TIMEOUT).as_secs_f64()),
                from: deadline_from,
            },
            disable_after_seconds: of_server(server.disable_after),
            hold_seconds: of_server(Some(server.hold_limit)),
        }
    }
}
