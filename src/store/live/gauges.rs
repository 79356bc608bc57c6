//! How much there is of something at the moment, as others have counted it lately.

use crate::domain::live::scope::Scope;
use crate::store::StoreError;
use crate::store::rollup::RollupScope;

use super::LiveStore;

/// How much there is; `None` for what is not known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Gauges {
    /// Requests under way.
    pub in_flight: Option<i64>,
    /// Deliveries that are due and wait, those of an endpoint counted up to a thousand.
    pub due: Option<i64>,
    /// Dead letters that nobody has dealt with.
    pub dead_open: Option<i64>,
}

impl Gauges {
    /// Nothing is known.
    pub const UNKNOWN: Self = Self { in_flight: None, due: None, dead_open: None };
}

impl LiveStore {
    /// How much there is of a scope.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`].
    pub async fn gauges(&self, scope: &Scope) -> Result<Gauges, StoreError> {
        let due = match scope {
            Scope::Endpoint(id) => {
                sqlx::query_scalar!(
                    r#"-- live::due_of_endpoint
                    SELECT coalesce(sum(due), 0) AS "due!" FROM queue_sample WHERE endpoint_id = $1 AND closed IS NULL"#,
                    id.uuid(),
                )
                .fetch_one(&self.pool)
                .await?
            }
            Scope::Application(id) => {
                sqlx::query_scalar!(
                    r#"-- live::due_of_application
                    SELECT coalesce(sum(due), 0) AS "due!" FROM queue_sample WHERE application_id = $1 AND closed IS NULL"#,
                    id.uuid(),
                )
                .fetch_one(&self.pool)
                .await?
            }
            Scope::Environment(id) => {
                let row = sqlx::query!(
                    r#"-- live::of_environment
                    SELECT (SELECT coalesce(sum(due), 0) FROM queue_sample
                            WHERE environment_id = $1 AND closed IS NULL) AS "due!",
                           (SELECT dead_open::bigint FROM rollup_gauge WHERE scope = $2 AND step = 60
                            ORDER BY at DESC LIMIT 1) AS dead_open,
                           (SELECT coalesce(sum((in_flight_of->>$1)::bigint), 0)::bigint FROM node_presence
                            WHERE seen_at > now() - interval '20 s' AND left_at IS NULL) AS "in_flight!""#,
                    id.as_str(),
                    RollupScope::Environment(id).uuid(),
                )
                .fetch_one(&self.pool)
                .await?;
                return Ok(Gauges {
                    in_flight: Some(row.in_flight),
                    due: Some(row.due),
                    dead_open: row.dead_open,
                });
            }
        };
        Ok(Gauges { due: Some(due), ..Gauges::UNKNOWN })
    }
}
