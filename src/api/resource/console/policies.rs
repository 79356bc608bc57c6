//! What holds for an endpoint, and who says so: the endpoint itself, its application, its environment, or the server.

use std::time::Duration;

use serde::Serialize;
use utoipa::ToSchema;

use crate::api::shared_views::ServerPolicies;
use crate::domain::policy::{DeliveryPolicy, EffectivePolicy, PolicyLevel};

/// A number that holds, and who says so.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(example = json!({"value": 100.0, "from": "application"}))]
pub(in crate::api) struct PolicyNumber {
    /// `null`: no limit.
    #[schema(required)]
    value: Option<f64>,
    /// Who says so.
    from: PolicyLevel,
}

/// What holds for an endpoint, and who says so.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(in crate::api) struct PoliciesOut {
    /// The waits before each retry, in seconds.
    retry_schedule: Vec<f64>,
    /// Who says so.
    retry_schedule_from: PolicyLevel,
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

fn number(value: impl Into<f64>, from: PolicyLevel) -> PolicyNumber {
    PolicyNumber { value: Some(value.into()), from }
}

fn of_server(value: Option<Duration>) -> PolicyNumber {
    PolicyNumber { value: value.map(|it| it.as_secs_f64()), from: PolicyLevel::Server }
}

/// Each level has a limit of its own; the lower one is felt first.
fn rate_limit(policy: &EffectivePolicy) -> PolicyNumber {
    let own = policy.rate_limit.map(|limit| (limit, PolicyLevel::Endpoint));
    let shared = policy.application_rate_limit.map(|limit| (limit, PolicyLevel::Application));
    let lowest = own.into_iter().chain(shared).min_by_key(|(limit, _)| *limit);
    lowest.map_or(of_server(None), |(limit, from)| number(limit, from))
}

impl PoliciesOut {
    /// Where an endpoint, its application and its environment set this.
    pub(super) fn of(server: &ServerPolicies, levels: &[DeliveryPolicy; 3]) -> Self {
        let (policy, origins) = EffectivePolicy::resolve_with_origins(levels.each_ref(), &server.deliveries);
        Self {
            retry_schedule: policy.retry_schedule.waits().iter().map(Duration::as_secs_f64).collect(),
            retry_schedule_from: origins.retry_schedule,
            rate_limit: rate_limit(&policy),
            max_in_flight: number(policy.max_in_flight, origins.max_in_flight),
            deadline_seconds: number(policy.timeout.as_secs_f64(), origins.timeout),
            disable_after_seconds: of_server(server.disable_after),
            hold_seconds: of_server(Some(server.hold_limit)),
        }
    }
}
