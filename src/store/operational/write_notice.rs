//! Writes notices, in the transaction of what they are about.

use serde_json::Value;

use crate::domain::delivery::operational::NoticeKind;
use crate::domain::id::{ApplicationId, EndpointId};
use crate::store::StoreError;
use crate::store::database::connection::Connection;

/// Writes that something happened to an endpoint, in the caller's transaction.
pub(in crate::store) async fn write_notice(
    tx: &mut Connection,
    application: ApplicationId,
    endpoint: EndpointId,
    kind: NoticeKind,
    details: Value,
) -> Result<(), StoreError> {
    sqlx::query!(
        "-- operational_notice::write
        INSERT INTO operational_notice (environment_id, application_id, endpoint_id, kind, details, sealed)
        SELECT n.id, a.id, $2, $3, $4, true FROM application a JOIN environment n ON n.id = a.environment_id
        WHERE a.id = $1 AND a.purpose IS NULL AND n.operational_application_id IS NOT NULL",
        application.uuid(),
        endpoint.uuid(),
        kind.name(),
        details,
    )
    .execute(tx)
    .await?;
    Ok(())
}

/// Writes that an application's endpoints are about to be deleted with it.
pub(in crate::store) async fn write_deletion_notices(
    tx: &mut Connection,
    application: ApplicationId,
) -> Result<(), StoreError> {
    sqlx::query!(
        "-- operational_notice::write_deletion_notices
        INSERT INTO operational_notice (environment_id, application_id, endpoint_id, kind, sealed)
        SELECT n.id, a.id, e.id, 'endpoint.deleted', true
        FROM application a
        JOIN environment n ON n.id = a.environment_id
        JOIN endpoint e ON e.application_id = a.id
        WHERE a.id = $1 AND a.purpose IS NULL AND n.operational_application_id IS NOT NULL AND e.deleted_at IS NULL",
        application.uuid(),
    )
    .execute(tx)
    .await?;
    Ok(())
}

/// Has notices written from now on if the hidden application has an endpoint, and none if it has not. Does nothing
/// for any other application. The caller has the application's row locked.
pub(in crate::store) async fn refresh_operational_application(
    tx: &mut Connection,
    application: ApplicationId,
) -> Result<(), StoreError> {
    sqlx::query!(
        "-- environment::refresh_operational_application
        UPDATE environment n
        SET operational_application_id = (
            SELECT a.id WHERE EXISTS (SELECT FROM endpoint e WHERE e.application_id = a.id AND e.deleted_at IS NULL))
        FROM application a
        WHERE a.id = $1 AND a.purpose = 'operational' AND n.id = a.environment_id",
        application.uuid(),
    )
    .execute(tx)
    .await?;
    Ok(())
}
