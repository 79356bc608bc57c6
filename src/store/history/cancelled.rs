//! How many deliveries were called off.

use crate::domain::id::EndpointId;
use crate::store::{StoreError, TimeBounds};

use super::HistoryStore;

impl HistoryStore {
    /// What was called off at an endpoint, in full hours.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`].
    pub async fn cancelled_at(&self, endpoint: EndpointId, bounds: TimeBounds) -> Result<i64, StoreError> {
        Ok(sqlx::query_scalar!(
            r#"-- endpoint_hour::cancelled
            SELECT coalesce(sum(cancelled), 0)::bigint AS "cancelled!" FROM endpoint_hour
            WHERE endpoint_id = $1 AND ($2::timestamptz IS NULL OR hour >= date_trunc('hour', $2, 'UTC'))
              AND ($3::timestamptz IS NULL OR hour < $3)"#,
            endpoint.uuid(),
            bounds.since,
            bounds.until,
        )
        .fetch_one(&self.pool)
        .await?)
    }
}
