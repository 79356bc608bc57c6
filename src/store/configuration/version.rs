//! What every change of configuration does besides: it raises the application's `config_version`, so that no
//! message is fanned out against an older snapshot, and tells the other nodes.
//!
//! Lock order: the application's row comes before the rows of its endpoints.

use crate::domain::id::ApplicationId;
use crate::store::StoreError;
use crate::store::database::connection::Connection;

/// Raises the version and notifies, in the caller's transaction. False when there is no such application.
pub(in crate::store) async fn raise_version(
    connection: &mut Connection,
    application: ApplicationId,
) -> Result<bool, StoreError> {
    let raised = sqlx::query!(
        "-- application::raise_config_version
        WITH raised AS (
            UPDATE application SET config_version = config_version + 1
            WHERE id = $1 AND deleted_at IS NULL
            RETURNING id
        )
        SELECT pg_notify('postrider_config' || current_setting('postrider.cell'), id::text) AS told FROM raised",
        application.uuid(),
    )
    .fetch_optional(connection)
    .await?;
    Ok(raised.is_some())
}
