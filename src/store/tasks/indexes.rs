//! The steps of tasks go by indexes, whatever the planner thinks of it.

use crate::store::StoreError;
use crate::store::database::connection::Connection;

/// A step goes through a few thousand rows in the order of an index. Plans that read whole tables may look cheaper for
/// one step, and cost everybody else.
pub(super) async fn stay_with_indexes(tx: &mut Connection) -> Result<(), StoreError> {
    sqlx::query!(
        r#"-- background_task::stay_with_indexes
        SELECT set_config(name, 'off', true) FROM unnest(ARRAY[
            'enable_seqscan', 'enable_bitmapscan', 'enable_hashjoin', 'enable_mergejoin']) AS name"#
    )
    .fetch_all(tx)
    .await?;
    Ok(())
}
