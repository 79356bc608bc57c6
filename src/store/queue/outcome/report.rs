//! What operational webhooks report of outcomes: deliveries that begin to fail, that recover, that failed at their last
//! attempt, and dead letters. Nothing is written where nobody in the environment listens.

use uuid::Uuid;

use crate::domain::delivery::NextStep;
use crate::domain::delivery::dead_letter::DeathReason;
use crate::domain::delivery::operational::{FAILING_ATTEMPTS, MAX_NAMED, NoticeKind};
use crate::store::StoreError;
use crate::store::database::connection::Connection;

use super::OutcomeRow;
use super::bury::Buried;

/// The columns of what is reported.
#[derive(Default)]
struct Columns {
    kinds: Vec<&'static str>,
    applications: Vec<Uuid>,
    endpoints: Vec<Uuid>,
    subjects: Vec<Uuid>,
    attempts: Vec<Option<Uuid>>,
    statuses: Vec<Option<i16>>,
}

/// Writes a notice for each endpoint and kind.
pub(super) async fn write_notices(
    tx: &mut Connection,
    moved: &[&OutcomeRow<'_>],
    buried: &[Buried],
) -> Result<(), StoreError> {
    let mut c = Columns::default();
    for row in moved {
        let Some(kind) = reported(row) else { continue };
        c.kinds.push(kind.name());
        c.applications.push(row.application_id.uuid());
        c.endpoints.push(row.endpoint_id.uuid());
        c.subjects.push(row.message_id.uuid());
        c.attempts.push(Some(row.outcome.id.uuid()));
        c.statuses.push(row.http_status());
    }
    for dead_letter in buried {
        c.kinds.push(NoticeKind::DeadLetterCreated.name());
        c.applications.push(dead_letter.application_id.uuid());
        c.endpoints.push(dead_letter.endpoint_id.uuid());
        c.subjects.push(dead_letter.id.uuid());
        c.attempts.push(None);
        c.statuses.push(None);
    }
    if c.kinds.is_empty() {
        return Ok(());
    }
    // The message of an attempt is the notice's subject. `OFFSET 0` keeps the look-up of the environment a look-up by
    // keys, once for each row.
    sqlx::query!(
        r#"-- outcome::write_notices
        INSERT INTO operational_notice (environment_id, application_id, endpoint_id, kind, number, subjects, details)
        SELECT l.environment_id, r.application_id, r.endpoint_id, r.kind, count(*),
               (array_agg(r.subject ORDER BY r.subject))[1:$7],
               jsonb_strip_nulls(jsonb_build_object(
                   'message', (array_agg(r.subject ORDER BY r.attempt_id DESC) FILTER (WHERE r.attempt_id IS NOT NULL))[1],
                   'attempt', (array_agg(r.attempt_id ORDER BY r.attempt_id DESC))[1],
                   'status', (array_agg(r.http_status ORDER BY r.attempt_id DESC))[1]))
        FROM unnest($1::text[], $2::uuid[], $3::uuid[], $4::uuid[], $5::uuid[], $6::smallint[])
            AS r(kind, application_id, endpoint_id, subject, attempt_id, http_status)
        CROSS JOIN LATERAL (
            SELECT a.environment_id FROM application a JOIN environment n ON n.id = a.environment_id
            WHERE a.id = r.application_id
              AND (n.operational_application_id IS NOT NULL AND a.purpose IS NULL) IS TRUE
            OFFSET 0
        ) l
        GROUP BY l.environment_id, r.application_id, r.endpoint_id, r.kind"#,
        &c.kinds as &[&str],
        &c.applications,
        &c.endpoints,
        &c.subjects,
        &c.attempts as &[Option<Uuid>],
        &c.statuses as &[Option<i16>],
        i32::try_from(MAX_NAMED).unwrap_or(i32::MAX),
    )
    .execute(tx)
    .await?;
    Ok(())
}

fn reported(row: &OutcomeRow<'_>) -> Option<NoticeKind> {
    match row.next {
        NextStep::RetryAfter(_) if row.number() == FAILING_ATTEMPTS => Some(NoticeKind::AttemptFailing),
        NextStep::Settle if row.number() > FAILING_ATTEMPTS => Some(NoticeKind::AttemptRecovered),
        NextStep::Bury(DeathReason::Exhausted | DeathReason::NotRetryable) => {
            Some(NoticeKind::AttemptExhausted)
        }
        NextStep::RetryAfter(_) | NextStep::Settle | NextStep::Bury(_) => None,
    }
}
