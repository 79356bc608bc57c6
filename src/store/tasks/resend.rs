//! Resend: puts a message back to work for one endpoint, whatever became of it there before, even if it was
//! never fanned out to it. A resend starts the schedule anew.

use serde_json::json;

use crate::domain::access::actor::Actor;
use crate::domain::delivery::DeliveryState;
use crate::domain::id::{ApplicationId, EndpointId, MessageId};
use crate::store::StoreError;
use crate::store::access::audit::{Entry, note};
use crate::store::database::connection::Connection;
use crate::store::queue::announce::announce_due;

use super::TaskStore;

/// What became of a resend.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ResendOutcome {
    /// It is due now.
    Started,
    /// An attempt is being made right now; it is left alone.
    UnderWay,
    /// The message is not there, or no longer.
    NotFound,
    /// The message's content was expunged: there is nothing to send.
    ContentGone,
}

/// How often to look again when the delivery moves between two looks.
const MAX_TRIES: u32 = 5;

impl TaskStore {
    /// Makes the message due now for the endpoint. Both are the application's: the caller has looked them up.
    pub async fn resend(
        &self,
        actor: &Actor,
        application: ApplicationId,
        message: MessageId,
        endpoint: EndpointId,
    ) -> Result<ResendOutcome, StoreError> {
        for _ in 0..MAX_TRIES {
            if let Some(outcome) = self.try_resend(actor, application, message, endpoint).await? {
                return Ok(outcome);
            }
        }
        // It moved each time: the dispatcher has it in hand.
        Ok(ResendOutcome::UnderWay)
    }

    /// `None` when the delivery moved between the look at the queue and the lock on the delivery.
    async fn try_resend(
        &self,
        actor: &Actor,
        application: ApplicationId,
        message: MessageId,
        endpoint: EndpointId,
    ) -> Result<Option<ResendOutcome>, StoreError> {
        let mut tx = self.pool.begin().await?;
        let content = sqlx::query_scalar!(
            r#"-- message::has_content
            SELECT payload IS NOT NULL AS "has_content!" FROM message WHERE id = $1 AND application_id = $2"#,
            message.uuid(),
            application.uuid(),
        )
        .fetch_optional(&mut *tx)
        .await?;
        match content {
            None => return Ok(Some(ResendOutcome::NotFound)),
            Some(false) => return Ok(Some(ResendOutcome::ContentGone)),
            Some(true) => {}
        }
        if let Some(claimed) = lock_pending(&mut tx, message, endpoint).await? {
            if claimed {
                return Ok(Some(ResendOutcome::UnderWay));
            }
            make_due(&mut tx, message, endpoint).await?;
        } else {
            match lock_delivery(&mut tx, message, endpoint).await? {
                Some(DeliveryState::InFlight) => return Ok(Some(ResendOutcome::UnderWay)),
                Some(DeliveryState::Waiting | DeliveryState::Held) => return Ok(None),
                Some(DeliveryState::Delivered | DeliveryState::Dead | DeliveryState::Cancelled) | None => {}
            }
            match begin_anew(&mut tx, application, message, endpoint).await {
                Ok(()) => {}
                Err(StoreError::Conflict(_)) => return Ok(None),
                Err(other) => return Err(other),
            }
        }
        let entry = Entry::in_application(application, "message.resent", message);
        note(&mut tx, actor, entry.details(json!({ "endpointId": endpoint }))).await?;
        announce_due(&mut tx, &[endpoint]).await?;
        tx.commit().await?;
        Ok(Some(ResendOutcome::Started))
    }
}

/// Locks the queue's row and tells whether a node holds it under a lease.
async fn lock_pending(
    tx: &mut Connection,
    message: MessageId,
    endpoint: EndpointId,
) -> Result<Option<bool>, StoreError> {
    Ok(sqlx::query_scalar!(
        r#"-- pending::lock
        SELECT (owner IS NOT NULL AND due_at > now()) AS "claimed!" FROM pending
        WHERE message_id = $1 AND endpoint_id = $2 FOR UPDATE"#,
        message.uuid(),
        endpoint.uuid(),
    )
    .fetch_optional(tx)
    .await?)
}

async fn make_due(tx: &mut Connection, message: MessageId, endpoint: EndpointId) -> Result<(), StoreError> {
    sqlx::query!(
        r#"-- pending::make_due
        WITH due AS (
            UPDATE pending SET due_at = now(), attempts = 0, refusals = 0, trigger = 'manual', owner = NULL
            WHERE message_id = $1 AND endpoint_id = $2
            RETURNING message_id, endpoint_id
        )
        UPDATE delivery d SET attempts = 0 FROM due
        WHERE d.message_id = $1 AND d.endpoint_id = $2 AND d.message_id = due.message_id"#,
        message.uuid(),
        endpoint.uuid(),
    )
    .execute(tx)
    .await?;
    Ok(())
}

async fn lock_delivery(
    tx: &mut Connection,
    message: MessageId,
    endpoint: EndpointId,
) -> Result<Option<DeliveryState>, StoreError> {
    let state = sqlx::query_scalar!(
        r#"-- delivery::lock_one
        SELECT state::text AS "state!" FROM delivery WHERE message_id = $1 AND endpoint_id = $2 FOR UPDATE"#,
        message.uuid(),
        endpoint.uuid(),
    )
    .fetch_optional(tx)
    .await?;
    state
        .map(|name| {
            DeliveryState::from_name(&name)
                .ok_or_else(|| StoreError::Inconsistent(format!("a delivery in state {name}")))
        })
        .transpose()
}

/// The delivery is settled or was never there: a new round begins. A dead letter of it counts as replayed.
async fn begin_anew(
    tx: &mut Connection,
    application: ApplicationId,
    message: MessageId,
    endpoint: EndpointId,
) -> Result<(), StoreError> {
    sqlx::query!(
        r#"-- delivery::begin_anew
        WITH waiting AS (
            INSERT INTO delivery (message_id, endpoint_id, state, attempts) VALUES ($1, $2, 'waiting', 0)
            ON CONFLICT (message_id, endpoint_id)
            DO UPDATE SET state = 'waiting', attempts = 0, owner = NULL, settled_at = NULL
        ), replayed AS (
            UPDATE dead_letter SET replayed_at = now(), discarded_at = NULL
            WHERE message_id = $1 AND endpoint_id = $2 AND replayed_at IS NULL
        )
        INSERT INTO pending (message_id, endpoint_id, application_id, due_at, attempts, trigger)
        VALUES ($1, $2, $3, now(), 0, 'manual')"#,
        message.uuid(),
        endpoint.uuid(),
        application.uuid(),
    )
    .execute(tx)
    .await?;
    Ok(())
}
