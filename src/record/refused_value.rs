//! What happens to an outcome if the database refuses one of its values: it is recorded without what the receiver answered.
//! If that is refused as well, for a reason that is not known here, its delivery becomes a dead letter.

use bytes::Bytes;

use crate::domain::delivery::NextStep;
use crate::domain::delivery::attempt::AttemptOutcome;
use crate::domain::delivery::dead_letter::DeathReason;
use crate::store::{OutcomeRow, StoreError};

use super::measure::Moved;
use super::{FIRST_BACKOFF, MAX_BACKOFF, Outcome, Recorder};

impl<G: Send + Sync + 'static> Recorder<G> {
    /// Records an outcome that was refused with `error`, as much of it as can be.
    pub(super) async fn record_without_answer(&self, outcome: &Outcome<G>, error: &StoreError) {
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
        if let Ok(moved) = self.record_alone(outcome.epoch, &row).await {
            self.note_recorded(std::slice::from_ref(outcome), &moved);
            return;
        }
        tracing::error!(
            message = %outcome.message.id,
            endpoint = %outcome.endpoint.id,
            "an outcome cannot be recorded; its delivery becomes a dead letter"
        );
        let row = OutcomeRow { next: NextStep::Bury(DeathReason::Unrecordable), url: "", ..row };
        if let Err(error) = self.record_alone(outcome.epoch, &row).await {
            // The database says that this node works on it, and no memory has it. The rescuer finds that.
            tracing::error!(
                error = &error as &dyn std::error::Error,
                message = %outcome.message.id,
                endpoint = %outcome.endpoint.id,
                "a delivery cannot be made a dead letter"
            );
        }
    }

    /// Tries until the database takes the row or refuses a value of it.
    async fn record_alone(&self, epoch: i64, row: &OutcomeRow<'_>) -> Result<Moved, StoreError> {
        let mut backoff = FIRST_BACKOFF;
        loop {
            match self.queue.record_outcomes(epoch, std::slice::from_ref(row)).await {
                Ok(moved) => return Ok(Moved::These(moved)),
                Err(error @ StoreError::ValueRefused(_)) => return Err(error),
                Err(error) => {
                    tracing::warn!(
                        error = &error as &dyn std::error::Error,
                        "an outcome waits for the database"
                    );
                    tokio::time::sleep(backoff).await;
                    backoff = (backoff * 2).min(MAX_BACKOFF);
                }
            }
        }
    }
}
