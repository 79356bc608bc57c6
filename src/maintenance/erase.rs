//! Erases what deleted applications left, a chunk of each in turn. It ends after some seconds and goes on with the next round,
//! so that other parts of the round are not late for it; and one application whose chunk fails keeps no other waiting.

use std::time::{Duration, Instant};

use crate::store::{StoreError, UpkeepStore};

use super::chunks::Chunks;

/// For so long in one round.
const TIME_PER_ROUND: Duration = Duration::from_secs(15);
/// Messages, dead letters or endpoints that are gone through in one transaction.
const ERASED_PER_CHUNK: i64 = 500;
/// Applications that are looked for in one statement.
const APPLICATIONS_PER_TURN: i64 = 100;

/// Erases until nothing is left for the moment, the time is over, or the process stops.
///
/// # Errors
/// [`StoreError`], when it is not that of one application alone; what was done before stays done.
pub(super) async fn erase_deleted(upkeep: &UpkeepStore, chunks: Chunks<'_>) -> Result<(), StoreError> {
    let (began, mut rows) = (Instant::now(), 0);
    'round: loop {
        let in_turn = upkeep.applications_to_erase(APPLICATIONS_PER_TURN).await?;
        if in_turn.is_empty() {
            break;
        }
        for application in in_turn {
            if chunks.stop.is_cancelled() || began.elapsed() >= TIME_PER_ROUND {
                break 'round;
            }
            match upkeep.erase_deleted(application, ERASED_PER_CHUNK).await {
                Ok(0) => {}
                Ok(erased) => {
                    rows += erased;
                    chunks.pause().await;
                }
                Err(error) => {
                    tracing::warn!(
                        error = &error as &dyn std::error::Error,
                        %application,
                        "what a deleted application left is not erased yet"
                    );
                    upkeep.postpone_erasing(application).await?;
                }
            }
        }
    }
    if rows > 0 {
        tracing::info!(rows, "erased of deleted applications");
    }
    Ok(())
}
