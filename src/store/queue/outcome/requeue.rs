//! What an outcome changes in the queue: a retry waits there, and a delivery that ended leaves it.

use uuid::Uuid;

use crate::domain::delivery::NextStep;
use crate::store::StoreError;
use crate::store::database::connection::Connection;

use super::OutcomeRow;

/// Puts deliveries that are tried again into the queue, or back into it, due when their wait is over.
pub(super) async fn put_back_retries(
    tx: &mut Connection,
    moved: &[&OutcomeRow<'_>],
) -> Result<(), StoreError> {
    let retries: Vec<(&OutcomeRow<'_>, i64)> = moved
        .iter()
        .filter_map(|row| match row.next {
            NextStep::RetryAfter(wait) => Some((*row, i64::try_from(wait.as_millis()).unwrap_or(i64::MAX))),
            NextStep::Settle | NextStep::Bury(_) => None,
        })
        .collect();
    if retries.is_empty() {
        return Ok(());
    }
    let messages: Vec<Uuid> = retries.iter().map(|(row, _)| row.message_id.uuid()).collect();
    let endpoints: Vec<Uuid> = retries.iter().map(|(row, _)| row.endpoint_id.uuid()).collect();
    let applications: Vec<Uuid> = retries.iter().map(|(row, _)| row.application_id.uuid()).collect();
    let waits_ms: Vec<i64> = retries.iter().map(|(_, wait_ms)| *wait_ms).collect();
    let numbers: Vec<i16> = retries.iter().map(|(row, _)| row.number()).collect();
    let refusals: Vec<i16> =
        retries.iter().map(|(row, _)| i16::try_from(row.refusals).unwrap_or(i16::MAX)).collect();
    sqlx::query!(
        r#"-- outcome::put_back_retries
        INSERT INTO pending (message_id, endpoint_id, application_id, due_at, attempts, refusals)
        SELECT message_id, endpoint_id, application_id, now() + wait_ms * interval '1 ms', number, refusals
        FROM unnest($1::uuid[], $2::uuid[], $3::uuid[], $4::bigint[], $5::smallint[], $6::smallint[])
            AS r(message_id, endpoint_id, application_id, wait_ms, number, refusals)
        ON CONFLICT (message_id, endpoint_id) DO UPDATE
        SET due_at = excluded.due_at, attempts = excluded.attempts, refusals = excluded.refusals,
            trigger = 'scheduled', owner = NULL"#,
        &messages,
        &endpoints,
        &applications,
        &waits_ms,
        &numbers,
        &refusals,
    )
    .execute(tx)
    .await?;
    Ok(())
}

/// Takes deliveries that ended out of the queue. Those that were born leased have never been in it.
pub(super) async fn take_out_ended(tx: &mut Connection, moved: &[&OutcomeRow<'_>]) -> Result<(), StoreError> {
    let (messages, endpoints): (Vec<Uuid>, Vec<Uuid>) = moved
        .iter()
        .filter(|row| row.lease.is_some() && !matches!(row.next, NextStep::RetryAfter(_)))
        .map(|row| (row.message_id.uuid(), row.endpoint_id.uuid()))
        .unzip();
    if messages.is_empty() {
        return Ok(());
    }
    sqlx::query!(
        r#"-- outcome::take_out_ended
        DELETE FROM pending p USING unnest($1::uuid[], $2::uuid[]) AS e(message_id, endpoint_id)
        WHERE p.message_id = e.message_id AND p.endpoint_id = e.endpoint_id"#,
        &messages,
        &endpoints,
    )
    .execute(tx)
    .await?;
    Ok(())
}
