//! Disables endpoints to which every delivery has failed for too long. Their deliveries are held until they are enabled.
//!
//! Several nodes may do this at once: an endpoint is disabled by one of them, and only if it still fails.

use std::time::Duration;

use crate::domain::access::actor::Actor;
use crate::store::{StoreError, UpkeepStore};

/// How often to check; a short time is checked more often.
pub(super) fn check_interval(after: Duration) -> Duration {
    (after / 10).clamp(Duration::from_secs(1), Duration::from_secs(60))
}

/// One pass. Returns how many were disabled.
///
/// # Errors
/// [`StoreError`]; what was done before stays done.
pub(super) async fn disable_failing(upkeep: &UpkeepStore, after: Duration) -> Result<usize, StoreError> {
    let maintenance = Actor::system("maintenance");
    let mut disabled = 0;
    for endpoint in upkeep.failing_endpoints(after).await? {
        if upkeep.disable_failing(&maintenance, &endpoint).await? {
            disabled += 1;
            let (id, since) = (endpoint.id, endpoint.since);
            tracing::warn!(endpoint = %id, %since, "an endpoint that only failed is disabled");
        }
    }
    Ok(disabled)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_short_time_is_checked_more_often() {
        let secs = Duration::from_secs;
        assert_eq!([secs(2), secs(100), secs(432_000)].map(check_interval), [secs(1), secs(10), secs(60)]);
    }
}
