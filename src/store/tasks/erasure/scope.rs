//! Whose an erasure is: one application, or each of an environment, deleted ones included.

use uuid::Uuid;

use crate::domain::erasure::ErasureOrder;
use crate::store::StoreError;
use crate::store::database::connection::Connection;
use crate::store::tasks::chunk::LockedTask;

/// The next application after `after` that is meant.
pub(super) async fn next_application(
    tx: &mut Connection,
    task: &LockedTask,
    order: &ErasureOrder,
    after: Uuid,
) -> Result<Option<Uuid>, StoreError> {
    if let Some(only) = order.application_id {
        return Ok(Some(only.uuid()).filter(|only| *only > after));
    }
    let next = sqlx::query_scalar!(
        r#"-- erasure::next_application
        SELECT id FROM application WHERE environment_id = $1 AND purpose IS NULL AND id > $2 ORDER BY id LIMIT 1"#,
        task.environment_id,
        after,
    )
    .fetch_optional(tx)
    .await?;
    Ok(next)
}
