//! Disables endpoints to which every delivery has failed for too long. Their deliveries are held until they are enabled.
//!
//! Several nodes may do this at once: an endpoint is disabled by one of them, and only if it still fails.

use std::time::Duration;

use chrono::{DateTime, Utc};
use tokio_util::sync::CancellationToken;

use crate::domain::access::actor::Actor;
use crate::store::{StoreError, UpkeepStore};

use super::failures::Failures;

/// How often to check; a short time is checked more often.
pub(super) fn check_interval(after: Duration) -> Duration {
    (after / 10).clamp(Duration::from_secs(1), Duration::from_secs(60))
}

/// When so many endpoints could not be disabled, the others are left to the next pass.
const MAX_FAILED: u32 = 10;

/// One pass, until the process stops.
///
/// # Errors
/// The first [`StoreError`] of an endpoint; the others were disabled all the same.
pub(super) async fn disable_failing(
    upkeep: &UpkeepStore,
    after: Duration,
    stop: &CancellationToken,
) -> Result<(), StoreError> {
    let maintenance = Actor::system("maintenance");
    let mut failures = Failures::default();
    for endpoint in upkeep.failing_endpoints(after).await? {
        if stop.is_cancelled() || failures.are(MAX_FAILED) {
            break;
        }
        let disabled = upkeep.disable_failing(&maintenance, &endpoint).await;
        if failures.note("disabling an endpoint", disabled) == Some(true) {
            let (id, since) = (endpoint.id, endpoint.since);
            tracing::warn!(endpoint = %id, %since, "an endpoint that only failed is disabled");
        }
    }
    failures.first()
}

/// Who fails for so long is told.
const TOLD_AFTER: Duration = Duration::from_secs(60 * 60);
/// So many endpoints are named in a minute.
const MAX_TOLD: i64 = 50;

/// Tells of endpoints that have failed for an hour, once each. The round before told of those up to when it began.
///
/// # Errors
/// [`StoreError`].
pub(super) async fn tell_failing(
    upkeep: &UpkeepStore,
    last_begun_at: Option<DateTime<Utc>>,
) -> Result<(), StoreError> {
    let found = upkeep.failing_for(TOLD_AFTER, last_begun_at, MAX_TOLD).await?;
    for endpoint in &found {
        tracing::warn!(
            endpoint = %endpoint.id, application = %endpoint.application_id, since = %endpoint.since,
            failed_attempts = endpoint.failed_attempts, "a receiver has been failing for an hour"
        );
    }
    if found.len() >= usize::try_from(MAX_TOLD).unwrap_or(usize::MAX) {
        tracing::warn!("further receivers may have been failing for an hour; the console lists them");
    }
    Ok(())
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
