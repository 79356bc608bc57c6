//! What holds for an endpoint, and who says so: the endpoint itself, its application, or the server.

use std::time::Duration;

use serde::Serialize;
use utoipa::ToSchema;

use crate::store::EndpointState;

use super::shared::ServerPolicies;

/// A number that holds, and who says so.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(example = json!({"value": 100.0, "from": "application"}))]
pub(in crate::api) struct PolicyNumber {
    /// `null`: no limit.
    #[schema(required)]
    value: Option<f64>,
    /// `server`, `application` or `endpoint`.
    from: &'static str,
}

/// What holds for an endpoint, and who says so.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(in crate::api) struct PoliciesOut {
    /// The waits before each retry, in seconds.
    retry_schedule: Vec<f64>,
    /// Who says so: `server`, `application` or `endpoint`.
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

fn of_server(value: Option<Duration>) -> PolicyNumber {
    PolicyNumber { value: value.map(|it| it.as_secs_f64()), from: "server" }
}

/// The first that is set, the endpoint's own before its application's.
fn nearest<T>(own: Option<T>, tenants: Option<T>) -> (Option<T>, &'static str) {
    match (own, tenants) {
        (Some(own), _) => (Some(own), "endpoint"),
        (None, Some(tenants)) => (Some(tenants), "application"),
        (None, None) => (None, "server"),
    }
}

impl PoliciesOut {
    pub(super) fn of(server: &ServerPolicies, endpoint: &EndpointState) -> Self {
        let (own, tenants) = endpoint.retry_schedule_ms.clone();
        let (schedule, retry_schedule_from) = nearest(own, tenants);
        let retry_schedule = match schedule {
            #[expect(clippy::cast_precision_loss, reason = "waits are days at most")]
            Some(waits) => waits.into_iter().map(|ms| ms as f64 / 1e3).collect(),
            None => server.retry_schedule.iter().map(Duration::as_secs_f64).collect(),
        };
        let rate_limit = match endpoint.rate_limit {
            (Some(own), Some(tenants)) if tenants < own => (Some(tenants), "application"),
            (own, tenants) => nearest(own, tenants),
        };
        let (at_once, at_once_from) = nearest(endpoint.max_in_flight, None);
        let at_once = at_once.map_or_else(|| f64::from(server.max_in_flight), f64::from);
        Self {
            retry_schedule,
            retry_schedule_from,
            rate_limit: PolicyNumber { value: rate_limit.0.map(f64::from), from: rate_limit.1 },
            max_in_flight: PolicyNumber { value: Some(at_once), from: at_once_from },
            deadline_seconds: of_server(Some(server.request_timeout)),
            disable_after_seconds: of_server(server.disable_after),
            hold_seconds: of_server(Some(server.hold_limit)),
        }
    }
}
