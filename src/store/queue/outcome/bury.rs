//! Deliveries that ended without success become dead letters, each with its own copy of the message.

use uuid::Uuid;

use crate::domain::delivery::NextStep;
use crate::domain::delivery::attempt::Failure;
use crate::domain::id::{ApplicationId, DeadLetterId, EndpointId};
use crate::store::StoreError;
use crate::store::database::connection::Connection;

use super::OutcomeRow;

/// A dead letter that was opened, or opened again.
pub(super) struct Buried {
    pub(super) id: DeadLetterId,
    pub(super) application_id: ApplicationId,
    pub(super) endpoint_id: EndpointId,
}

/// Opens the dead letters of deliveries that ended so. One that is there from before a replay is opened again.
pub(super) async fn bury(tx: &mut Connection, moved: &[&OutcomeRow<'_>]) -> Result<Vec<Buried>, StoreError> {
    let mut dead = Vec::new();
    let mut reasons = Vec::new();
    for row in moved {
        if let NextStep::Bury(reason) = row.next {
            dead.push(*row);
            reasons.push(reason.name());
        }
    }
    if dead.is_empty() {
        return Ok(Vec::new());
    }
    let ids: Vec<Uuid> = dead.iter().map(|_| DeadLetterId::generate().uuid()).collect();
    let applications: Vec<Uuid> = dead.iter().map(|row| row.application_id.uuid()).collect();
    let endpoints: Vec<Uuid> = dead.iter().map(|row| row.endpoint_id.uuid()).collect();
    let messages: Vec<Uuid> = dead.iter().map(|row| row.message_id.uuid()).collect();
    let statuses: Vec<Option<i16>> = dead.iter().map(|row| row.http_status()).collect();
    let failures: Vec<Option<&str>> = dead.iter().map(|row| row.outcome.failure.map(Failure::name)).collect();
    let numbers: Vec<i16> = dead.iter().map(|row| row.number()).collect();
    Ok(sqlx::query_as!(
        Buried,
        r#"-- outcome::bury
        INSERT INTO dead_letter (id, environment_id, application_id, endpoint_id, message_id, event_type, event_id,
                                 channels, tags, payload, headers, reason, last_status, last_failure, attempts)
        SELECT d.id, a.environment_id, d.application_id, d.endpoint_id, d.message_id, m.event_type, m.event_id,
               m.channels, m.tags, m.payload, m.headers, d.reason, d.http_status, d.failure, d.number
        FROM unnest($1::uuid[], $2::uuid[], $3::uuid[], $4::uuid[], $5::text[], $6::smallint[], $7::text[],
                    $8::smallint[])
            AS d(id, application_id, endpoint_id, message_id, reason, http_status, failure, number)
        JOIN application a ON a.id = d.application_id
        JOIN message m ON m.id = d.message_id
        ON CONFLICT (message_id, endpoint_id) DO UPDATE
        SET reason = excluded.reason, last_status = excluded.last_status, last_failure = excluded.last_failure,
            attempts = excluded.attempts, died_at = now(), replayed_at = NULL, discarded_at = NULL
        RETURNING id, application_id, endpoint_id"#,
        &ids,
        &applications,
        &endpoints,
        &messages,
        &reasons as &[&str],
        &statuses as &[Option<i16>],
        &failures as &[Option<&str>],
        &numbers,
    )
    .fetch_all(tx)
    .await?)
}
