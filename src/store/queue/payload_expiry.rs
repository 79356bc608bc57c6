//! Payloads that are to go before their messages.

use uuid::Uuid;

use crate::store::StoreError;
use crate::store::database::connection::Connection;

/// Notes when payloads are to go, in the transaction that stores their messages. Those of messages that were not
/// stored are left out.
pub(super) async fn note_expiries(
    tx: &mut Connection,
    messages: &[Uuid],
    hours: &[i32],
) -> Result<(), StoreError> {
    sqlx::query!(
        r#"-- payload_expiry::note
        INSERT INTO payload_expiry (message_id, expires_at)
        SELECT u.message_id, now() + make_interval(hours => u.hours)
        FROM unnest($1::uuid[], $2::integer[]) AS u(message_id, hours)
        WHERE EXISTS (SELECT FROM message m WHERE m.id = u.message_id)"#,
        messages,
        hours,
    )
    .execute(tx)
    .await?;
    Ok(())
}
