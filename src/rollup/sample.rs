//! The look at the whole queue: what waits for each endpoint, each counted up to a bound, by an index alone. One node at a
//! time takes it, and rests for as long as it took several times over, so that a queue of any size costs a small share.

use std::time::{Duration, Instant};

use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use crate::store::{RollupStore, StoreError};

/// At least so long from one look to the next.
const EVERY: Duration = Duration::from_secs(10);
/// How often a node asks whether a look is due.
const ASK_EVERY: Duration = Duration::from_secs(3);
/// It rests so many times as long as it took.
const REST: u32 = 10;
/// Endpoints that are looked at in one statement.
const ENDPOINTS_AT_ONCE: i64 = 500;

/// Takes the looks that are due and that no other node takes, until it is stopped. One that is broken off is taken anew by
/// whoever asks after its time is over.
pub(super) async fn run(store: RollupStore, stop: CancellationToken) {
    let looks = async {
        loop {
            tokio::time::sleep(ASK_EVERY).await;
            if let Err(error) = look_if_due(&store).await {
                let error = &error as &dyn std::error::Error;
                tracing::warn!(error, "what waits in the queue could not be counted for the console");
            }
        }
    };
    stop.run_until_cancelled(looks).await;
}

async fn look_if_due(store: &RollupStore) -> Result<(), StoreError> {
    let began = Instant::now();
    let Some(round) = store.begin_sampling().await? else { return Ok(()) };
    let mut after = Some(Uuid::nil());
    while let Some(place) = after {
        after = store.sample_queue(round, place, ENDPOINTS_AT_ONCE).await?;
    }
    let written = store.write_gauges().await;
    store.end_sampling(round, EVERY.max(began.elapsed() * REST)).await?;
    written
}
