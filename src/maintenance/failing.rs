//! Endpoints that have taken nothing for too long are disabled. What they hold stays held until they are enabled.
//!
//! Several nodes may do this at once: an endpoint is disabled by one of them, and only if it still takes nothing.

use std::time::Duration;

use crate::domain::access::actor::Actor;
use crate::store::{StoreError, UpkeepStore};

/// How often to look; a short time is looked at more often.
pub(super) fn every(after: Duration) -> Duration {
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
    fn a_short_time_is_looked_at_more_often() {
        let secs = Duration::from_secs;
        assert_eq!([secs(2), secs(100), secs(432_000)].map(every), [secs(1), secs(10), secs(60)]);
    }
}
