//! What many open consoles ask for every few seconds is computed once for all of them, and kept for a moment.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use chrono::{DateTime, TimeDelta, Utc};
use moka::future::Cache;

use crate::domain::id::EnvironmentId;
use crate::domain::policy::ServerPolicy;
use crate::domain::rollup::range::Range;

use super::error::ApiError;

/// How long an overview is as good as new.
const OVERVIEW_LIVES: Duration = Duration::from_secs(2);
/// The same for the counts of endpoints that ask for each event type.
const ASKERS_LIVE: Duration = Duration::from_secs(10);
/// So many of each are kept.
const MOST_KEPT: u64 = 64;

/// What holds where nothing else is set.
#[derive(Debug, Clone)]
pub struct ServerPolicies {
    /// How deliveries are treated.
    pub deliveries: ServerPolicy,
    /// After so long without a success an endpoint is disabled; `None` for never.
    pub disable_after: Option<Duration>,
    /// So long deliveries are held.
    pub hold_limit: Duration,
    /// So long messages are kept.
    pub retention: Duration,
}

impl ServerPolicies {
    /// When the first delivery that is held becomes a dead letter: it is held from when its endpoint was closed or from
    /// when it was due, whichever is later.
    pub(in crate::api) fn held_until(
        &self,
        held_since: Option<DateTime<Utc>>,
        first_due_at: Option<DateTime<Utc>>,
    ) -> Option<DateTime<Utc>> {
        let limit = TimeDelta::from_std(self.hold_limit).ok()?;
        held_since?.max(first_due_at?).checked_add_signed(limit)
    }
}

/// How many enabled endpoints name each event type, and how many get all.
#[derive(Debug)]
pub(in crate::api) struct Askers {
    pub(in crate::api) by_name: Vec<(String, i64)>,
    pub(in crate::api) everything: i64,
}

/// Whose overview, of which range, and whether an operator sees it.
pub(in crate::api) type OverviewKey = (EnvironmentId, Range, bool);

/// What views of the console share. Cheap to clone.
#[derive(Clone)]
pub struct SharedViews {
    pub(in crate::api) policies: Arc<ServerPolicies>,
    /// As JSON.
    overviews: Cache<OverviewKey, Bytes>,
    askers: Cache<EnvironmentId, Arc<Askers>>,
}

impl SharedViews {
    /// Nothing computed yet.
    #[must_use]
    pub fn new(policies: ServerPolicies) -> Self {
        Self {
            policies: Arc::new(policies),
            overviews: Cache::builder().max_capacity(MOST_KEPT).time_to_live(OVERVIEW_LIVES).build(),
            askers: Cache::builder().max_capacity(MOST_KEPT).time_to_live(ASKERS_LIVE).build(),
        }
    }

    /// The overview, which `compute` makes unless it is there.
    pub(in crate::api) async fn overview(
        &self,
        key: OverviewKey,
        compute: impl Future<Output = Result<Bytes, ApiError>>,
    ) -> Result<Bytes, ApiError> {
        self.overviews.try_get_with(key, compute).await.map_err(|error| shared_error(&error))
    }

    /// The counts, which `compute` makes unless they are there.
    pub(in crate::api) async fn askers(
        &self,
        key: EnvironmentId,
        compute: impl Future<Output = Result<Arc<Askers>, ApiError>>,
    ) -> Result<Arc<Askers>, ApiError> {
        self.askers.try_get_with(key, compute).await.map_err(|error| shared_error(&error))
    }

    /// Something that overviews show was changed by a person, who wants to see it.
    pub(in crate::api) async fn forget_overviews(&self, environment: &EnvironmentId) {
        for range in Range::ALL {
            for is_operator in [false, true] {
                self.overviews.invalidate(&(environment.clone(), range, is_operator)).await;
            }
        }
    }

    /// The same, of every environment.
    pub(in crate::api) fn forget_all_overviews(&self) {
        self.overviews.invalidate_all();
    }
}

/// All who waited for one computation get its error.
fn shared_error(error: &Arc<ApiError>) -> ApiError {
    match error.as_ref() {
        ApiError::Unavailable => ApiError::Unavailable,
        _ => ApiError::Internal,
    }
}
