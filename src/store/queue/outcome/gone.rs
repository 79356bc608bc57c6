//! Endpoints that answered 410 want no more: they are disabled in the commit that records the attempt.

use serde_json::json;
use uuid::Uuid;

use crate::domain::access::actor::Actor;
use crate::domain::delivery::NextStep;
use crate::domain::delivery::dead_letter::DeathReason;
use crate::domain::delivery::operational::NoticeKind;
use crate::domain::id::EndpointId;
use crate::store::StoreError;
use crate::store::access::audit::{Entry, note};
use crate::store::database::connection::Connection;
use crate::store::operational::write_notice::write_notice;

use super::OutcomeRow;

/// Disables the endpoints that answered 410, and tells every node.
pub(super) async fn disable_endpoints(
    tx: &mut Connection,
    rows: &[OutcomeRow<'_>],
) -> Result<(), StoreError> {
    let endpoints: Vec<Uuid> = rows
        .iter()
        .filter(|row| row.next == NextStep::Bury(DeathReason::Gone))
        .map(|row| row.endpoint_id.uuid())
        .collect();
    if endpoints.is_empty() {
        return Ok(());
    }
    // Applications before their endpoints, as every change of configuration locks them.
    sqlx::query!(
        r#"-- application::lock_of_endpoints
        SELECT a.id FROM application a
        WHERE a.id IN (SELECT e.application_id FROM endpoint e WHERE e.id = ANY($1))
        ORDER BY a.id FOR UPDATE"#,
        &endpoints,
    )
    .fetch_all(&mut *tx)
    .await?;
    let closed = sqlx::query!(
        r#"-- endpoint::disable_gone
        WITH closed AS (
            UPDATE endpoint SET disabled_at = now(), disabled_reason = 'gone', updated_at = now()
            WHERE id = ANY($1) AND disabled_at IS NULL AND deleted_at IS NULL
            RETURNING id, application_id
        ), bumped AS (
            UPDATE application SET config_version = config_version + 1
            WHERE id IN (SELECT application_id FROM closed)
            RETURNING id
        )
        SELECT closed.id, closed.application_id, pg_notify('postrider_config' || current_setting('postrider.cell'), bumped.id::text) AS told
        FROM closed JOIN bumped ON bumped.id = closed.application_id"#,
        &endpoints,
    )
    .fetch_all(&mut *tx)
    .await?;
    let dispatcher = Actor::system("dispatcher");
    for endpoint in closed {
        let id = EndpointId::from(endpoint.id);
        let entry = Entry::in_application(endpoint.application_id.into(), "endpoint.disabled", id);
        note(tx, &dispatcher, entry.details(json!({ "reason": "gone" }))).await?;
        let application = endpoint.application_id.into();
        write_notice(tx, application, id, NoticeKind::EndpointDisabled, json!({ "reason": "gone" })).await?;
    }
    Ok(())
}
