//! What becomes of an outcome of which the database refuses a value: it is recorded without what the receiver answered.
//! What is refused even then is refused for a reason that nobody has thought of; its delivery becomes a dead letter.

use bytes::Bytes;

use crate::domain::delivery::NextStep;
use crate::domain::delivery::attempt::AttemptOutcome;
use crate::domain::delivery::dead_letter::DeathReason;
use crate::store::{OutcomeRow, StoreError};

use super::{FIRST_BACKOFF, LONGEST_BACKOFF, Outcome, Recorder};

impl<K: Send + Sync + 'static> Recorder<K> {
    /// Records an outcome that was refused with `error`, as much of it as can be.
    pub(super) async fn set_aside(&self, outcome: &Outcome<K>, error: &StoreError) {
        tracing::error!(
            error = error as &dyn std::error::Error,
            message = %outcome.message.id,
            endpoint = %outcome.endpoint.id,
            "an outcome is recorded without its answer: the database refuses a value of it"
        );
        let bare = AttemptOutcome {
            response_headers: Vec::new(),
            response_body: Bytes::from_static(b"(the answer could not be stored)"),
            ..outcome.attempt.clone()
        };
        let row = OutcomeRow { outcome: &bare, ..outcome.row() };
        if self.record_alone(outcome.epoch, &row).await.is_ok() {
            self.rollups.recorded(std::iter::once(outcome.counted()));
            return;
        }
        tracing::error!(
            message = %outcome.message.id,
            endpoint = %outcome.endpoint.id,
            "an outcome cannot be recorded; its delivery becomes a dead letter"
        );
        let row = OutcomeRow { next: NextStep::Bury(DeathReason::Unrecordable), url: "", ..row };
        if let Err(error) = self.record_alone(outcome.epoch, &row).await {
            // It stays this node's in the database and in nobody's memory, which is what the net looks for.
            tracing::error!(
                error = &error as &dyn std::error::Error,
                message = %outcome.message.id,
                endpoint = %outcome.endpoint.id,
                "a delivery cannot be made a dead letter"
            );
        }
    }

    /// Tries until the database takes the row or refuses a value of it.
    async fn record_alone(&self, epoch: i64, row: &OutcomeRow<'_>) -> Result<(), StoreError> {
        let mut backoff = FIRST_BACKOFF;
        loop {
            match self.queue.record_outcomes(epoch, std::slice::from_ref(row)).await {
                Ok(_) => return Ok(()),
                Err(error @ StoreError::ValueRefused(_)) => return Err(error),
                Err(error) => {
                    tracing::warn!(
                        error = &error as &dyn std::error::Error,
                        "an outcome waits for the database"
                    );
                    tokio::time::sleep(backoff).await;
                    backoff = (backoff * 2).min(LONGEST_BACKOFF);
                }
            }
        }
    }
}
