//! The look at the whole queue: what waits for each endpoint, each counted up to a bound, by an index alone. One node at a
//! time takes it, and rests for as long as it took several times over, so that a queue of any size costs a small share.

use std::time::{Duration, Instant};

use uuid::Uuid;

use crate::store::{RollupStore, StoreError};

/// At least so long from one look to the next.
const EVERY: Duration = Duration::from_secs(10);
/// It rests so many times as long as it took.
const REST: u32 = 10;
/// Endpoints that are looked at in one statement.
const ENDPOINTS_AT_ONCE: i64 = 500;

/// Takes the look, if it is due and no other node is at it.
pub(super) async fn run_if_due(store: &RollupStore) {
    let began = Instant::now();
    match run(store).await {
        Ok(None) => {}
        Ok(Some(round)) => {
            let rest = EVERY.max(began.elapsed() * REST);
            if let Err(error) = store.end_sampling(round, rest).await {
                tracing::debug!(error = &error as &dyn std::error::Error, "the next look comes later");
            }
        }
        Err(error) => {
            let error = &error as &dyn std::error::Error;
            tracing::warn!(error, "what waits in the queue could not be counted for the console");
        }
    }
}

async fn run(store: &RollupStore) -> Result<Option<i64>, StoreError> {
    let Some(round) = store.begin_sampling().await? else { return Ok(None) };
    let mut after = Some(Uuid::nil());
    while let Some(place) = after {
        after = store.sample_queue(round, place, ENDPOINTS_AT_ONCE).await?;
    }
    store.write_gauges().await?;
    Ok(Some(round))
}
