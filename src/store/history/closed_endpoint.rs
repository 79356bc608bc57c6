//! Endpoints that nothing goes to for now, or never again.

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use uuid::Uuid;

use crate::domain::delivery::hold::{Hold, HoldReason};
use crate::domain::id::EndpointId;
use crate::store::StoreError;

use super::HistoryStore;

/// An endpoint that is closed.
#[derive(Debug, Clone, Copy)]
pub struct ClosedEndpoint {
    /// Why its deliveries are held.
    pub hold: Option<Hold>,
    /// When it was deleted.
    pub deleted_at: Option<DateTime<Utc>>,
}

impl HistoryStore {
    /// Those of these endpoints that are closed.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`].
    pub async fn closed_endpoints(
        &self,
        endpoints: &[EndpointId],
    ) -> Result<HashMap<EndpointId, ClosedEndpoint>, StoreError> {
        let ids: Vec<Uuid> = endpoints.iter().map(|id| id.uuid()).collect();
        let rows = sqlx::query!(
            r#"-- endpoint::closed
            SELECT e.id, e.deleted_at, e.disabled_at, e.paused_at, a.paused_at AS application_paused_at,
                   d.paused_at AS dispatching_paused_at
            FROM endpoint e JOIN application a ON a.id = e.application_id CROSS JOIN dispatching d
            WHERE e.id = ANY($1)
              AND coalesce(e.deleted_at, e.disabled_at, e.paused_at, a.paused_at, d.paused_at) IS NOT NULL"#,
            &ids,
        )
        .fetch_all(&self.pool)
        .await?;
        let closed = rows.into_iter().map(|row| {
            let holds = [
                (HoldReason::EndpointDisabled, row.disabled_at),
                (HoldReason::EndpointPaused, row.paused_at),
                (HoldReason::ApplicationPaused, row.application_paused_at),
                (HoldReason::DispatchingPaused, row.dispatching_paused_at),
            ];
            let hold = holds.into_iter().find_map(|(reason, since)| Some(Hold { reason, since: since? }));
            (EndpointId::from(row.id), ClosedEndpoint { hold, deleted_at: row.deleted_at })
        });
        Ok(closed.collect())
    }
}
