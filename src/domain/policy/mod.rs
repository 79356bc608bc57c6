//! How an endpoint's deliveries are treated. Every level may set some of it: the endpoint, its application, its
//! environment; what none of them sets, the server decides. [`EffectivePolicy::resolve`] is the only place that knows in
//! which order.
//!
//! To add a setting: a field of [`DeliveryPolicy`], its default in [`EffectivePolicy::resolve`], and its effect where the
//! effective policy is used. What the API takes and answers, its description, the audit log and the stored form follow.

pub mod retry_on;
pub mod schedule;
mod stored;

use std::sync::Arc;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use retry_on::RetryOn;
use schedule::RetrySchedule;

pub use stored::UnknownPolicy;

/// What one level sets. A field that is `None` is left to the next level.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct DeliveryPolicy {
    /// At most this many requests a second, all nodes together: to the endpoint, or to all endpoints of the application
    /// together.
    #[schema(minimum = 1, maximum = 1_000_000)]
    pub rate_limit: Option<u32>,
    /// At most this many requests at once, all nodes together. Where it is not set, the server's number for each node.
    #[schema(minimum = 1, maximum = 1_000)]
    pub max_in_flight: Option<u32>,
    /// The waits before each retry, in seconds; an empty list for no retries. Where an endpoint has none, its application's
    /// schedule; where that has none, the server's.
    #[schema(value_type = Option<Vec<f64>>, max_items = 15, example = json!([60, 300, 1800]))]
    pub retry_schedule: Option<Arc<RetrySchedule>>,
    /// An attempt may take so many seconds, 1 to 30. Where it is not set, as long as the server allows.
    #[schema(minimum = 1, maximum = 30)]
    pub timeout: Option<u32>,
    /// Which failures are tried again, where it is not all of them: `network`, `timeout`, classes and statuses of answers.
    /// The narrowest entry decides; `all` stands for the rest, and a `!` takes out. 410 is always final.
    #[schema(value_type = Option<Vec<String>>, max_items = 32, example = json!(["network", "timeout", "5xx", "429"]))]
    pub retry_on: Option<RetryOn>,
    /// Whether each request has the signature's headers a second time, as `svix-id`, `svix-timestamp` and `svix-signature`,
    /// for receivers that are being migrated.
    pub svix_headers: Option<bool>,
    /// Whether the certificate of an `https` receiver is taken as it is, whoever it is from and whatever it is for. Only
    /// where the operator allows it.
    pub insecure_tls: Option<bool>,
}

/// No attempt takes longer, whoever sets it.
pub const LONGEST_TIMEOUT: Duration = Duration::from_secs(30);

impl DeliveryPolicy {
    /// The fields that applications may set.
    pub const OF_APPLICATIONS: [&str; 4] = ["rateLimit", "retrySchedule", "retryOn", "svixHeaders"];

    /// The fields that environments may set.
    pub const OF_ENVIRONMENTS: [&str; 5] =
        ["maxInFlight", "retrySchedule", "timeout", "retryOn", "svixHeaders"];
}

/// What the server decides where no other level does.
#[derive(Debug, Clone)]
pub struct ServerPolicy {
    /// Requests at once to an endpoint.
    pub max_in_flight: u32,
    /// The most that any other level gets of them, also where more was set before it was so few.
    pub max_in_flight_cap: u32,
    /// The waits before each retry.
    pub retry_schedule: Arc<RetrySchedule>,
    /// The deadline of an attempt.
    pub timeout: Duration,
    /// Which failures are tried again.
    pub retry_on: RetryOn,
    /// Whether the signature's headers are sent under the names of Svix, too.
    pub svix_headers: bool,
    /// Whether endpoints may have certificates that are not verified.
    pub allow_insecure_tls: bool,
}

impl Default for ServerPolicy {
    /// As the server decides when it is not configured otherwise.
    fn default() -> Self {
        Self {
            max_in_flight: 16,
            max_in_flight_cap: 64,
            retry_schedule: Arc::default(),
            timeout: Duration::from_secs(15),
            retry_on: RetryOn::default(),
            svix_headers: false,
            allow_insecure_tls: false,
        }
    }
}

/// What holds for an endpoint, all levels taken together.
#[derive(Debug, Clone)]
pub struct EffectivePolicy {
    /// At most this many requests a second; `None` for no limit.
    pub rate_limit: Option<u32>,
    /// At most this many requests a second to all endpoints of the application; `None` for no limit.
    pub application_rate_limit: Option<u32>,
    /// At most this many requests at once.
    pub max_in_flight: u32,
    /// Whether the endpoint or its environment set that number, so that it is one for all nodes together.
    pub has_own_max_in_flight: bool,
    /// When failed deliveries are tried again.
    pub retry_schedule: Arc<RetrySchedule>,
    /// The deadline of an attempt.
    pub timeout: Duration,
    /// Which failures are tried again.
    pub retry_on: RetryOn,
    /// Whether the signature's headers are sent under the names of Svix, too.
    pub svix_headers: bool,
    /// Whether certificates are taken as they are.
    pub insecure_tls: bool,
}

/// Who sets something, the nearest first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum PolicyLevel {
    /// The endpoint itself.
    Endpoint,
    /// Its application.
    Application,
    /// Its environment.
    Environment,
    /// The server, where no other level does.
    Server,
}

/// Which level sets what holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PolicyOrigins {
    /// Of requests at once.
    pub max_in_flight: PolicyLevel,
    /// Of the waits before retries.
    pub retry_schedule: PolicyLevel,
    /// Of the deadline of an attempt.
    pub timeout: PolicyLevel,
}

impl EffectivePolicy {
    /// What holds where the levels set this. A rate is not handed down: each level has a limit of its own.
    pub fn resolve(
        endpoint: &DeliveryPolicy,
        application: &DeliveryPolicy,
        environment: &DeliveryPolicy,
        server: &ServerPolicy,
    ) -> Self {
        Self::resolve_with_origins([endpoint, application, environment], server).0
    }

    /// The same for the levels in their order, and which of them sets it.
    pub fn resolve_with_origins(
        levels: [&DeliveryPolicy; 3],
        server: &ServerPolicy,
    ) -> (Self, PolicyOrigins) {
        let [endpoint, application, _] = levels;
        let max_in_flight = first(levels, |it| it.max_in_flight);
        let retry_schedule = first(levels, |it| it.retry_schedule.clone());
        let timeout = first(levels, |it| it.timeout);
        let origins = PolicyOrigins {
            max_in_flight: origin(max_in_flight.as_ref()),
            retry_schedule: origin(retry_schedule.as_ref()),
            timeout: origin(timeout.as_ref()),
        };
        let policy = Self {
            rate_limit: endpoint.rate_limit,
            application_rate_limit: application.rate_limit,
            has_own_max_in_flight: max_in_flight.is_some(),
            max_in_flight: max_in_flight
                .map_or(server.max_in_flight, |(_, value)| value.min(server.max_in_flight_cap)),
            retry_schedule: retry_schedule
                .map_or_else(|| server.retry_schedule.clone(), |(_, schedule)| schedule),
            timeout: timeout
                .map_or(server.timeout, |(_, seconds)| Duration::from_secs(seconds.into()))
                .min(LONGEST_TIMEOUT),
            retry_on: first(levels, |it| it.retry_on.clone())
                .map_or_else(|| server.retry_on.clone(), |(_, list)| list),
            svix_headers: first(levels, |it| it.svix_headers).map_or(server.svix_headers, |(_, set)| set),
            insecure_tls: server.allow_insecure_tls && endpoint.insecure_tls == Some(true),
        };
        (policy, origins)
    }

    /// Whether somebody set a limit that holds for all nodes together.
    pub fn is_limited(&self) -> bool {
        self.has_own_max_in_flight || self.rate_limit.is_some() || self.application_rate_limit.is_some()
    }

    /// What it takes in memory besides itself, in bytes.
    pub fn weight(&self) -> usize {
        size_of_val(self.retry_schedule.waits()) + self.retry_on.weight()
    }
}

impl Default for EffectivePolicy {
    /// What holds where nobody sets anything.
    fn default() -> Self {
        let none = DeliveryPolicy::default();
        Self::resolve(&none, &none, &none, &ServerPolicy::default())
    }
}

/// What the first level sets that sets it, and which one that is.
fn first<T>(
    levels: [&DeliveryPolicy; 3],
    field: impl Fn(&DeliveryPolicy) -> Option<T>,
) -> Option<(PolicyLevel, T)> {
    let order = [PolicyLevel::Endpoint, PolicyLevel::Application, PolicyLevel::Environment];
    order.into_iter().zip(levels).find_map(|(level, policy)| Some((level, field(policy)?)))
}

fn origin<T>(set: Option<&(PolicyLevel, T)>) -> PolicyLevel {
    set.map_or(PolicyLevel::Server, |(level, _)| *level)
}

#[cfg(test)]
mod tests;
