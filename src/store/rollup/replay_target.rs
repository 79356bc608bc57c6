//! What somebody wants to know before a replay or a discard of many: of which event types the dead letters are, where they
//! would go and how it stands there, and what would be left out.

use chrono::{DateTime, Utc};

use crate::domain::background_task::TaskKind;
use crate::domain::delivery::dead_letter::DeadLetterFilter;
use crate::domain::id::{EndpointId, EnvironmentId};
use crate::store::StoreError;
use crate::store::dead_letter_filter::filter_dead_letters;

use super::{NamedEndpoint, RollupStore};

/// Letters that are looked at.
const LOOKED_AT: i64 = 10_000;

/// Where dead letters would go, and how it stands there.
#[derive(Debug, Clone)]
pub struct ReplayTarget {
    /// The endpoint.
    pub named: NamedEndpoint,
    /// How many.
    pub count: i64,
    /// Requests a second, as set for the endpoint or its application.
    pub rate_limit: Option<i32>,
    /// It takes nothing: deleted, disabled, paused.
    pub closed: Option<String>,
    /// When something last arrived there.
    pub last_success_at: Option<DateTime<Utc>>,
    /// When it last failed.
    pub last_failed_at: Option<DateTime<Utc>>,
    /// Failures since its last success.
    pub failed_in_row: i32,
    /// The status of its last failure.
    pub last_status: Option<i16>,
    /// What went wrong the last time.
    pub last_failure: Option<String>,
}

/// What an operation on many dead letters would meet, of those that were looked at.
#[derive(Debug, Clone, Default)]
pub struct ReplayPreview {
    /// So many were.
    pub looked_at: i64,
    /// Their endpoint is deleted.
    pub endpoint_deleted: i64,
    /// There is nothing to send.
    pub payload_expunged: i64,
    /// Another endpoint has them already.
    pub already_delivered: i64,
    /// The ten event types with most.
    pub event_types: Vec<(String, i64)>,
    /// The ten endpoints with most.
    pub targets: Vec<ReplayTarget>,
}

impl RollupStore {
    /// Looks at the first ten thousand dead letters of a filter.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`].
    pub async fn replay_preview(
        &self,
        environment: &EnvironmentId,
        kind: TaskKind,
        filter: &DeadLetterFilter,
    ) -> Result<ReplayPreview, StoreError> {
        let chosen = filter.chosen();
        let rows = filter_dead_letters!(
            query!(),
            "-- dead_letter::preview",
            r#"WITH matching AS MATERIALIZED (
                SELECT l.application_id, coalesce($10, l.endpoint_id) AS endpoint_id, l.event_type, l.message_id,
                       l.payload IS NULL AS expunged, l.endpoint_id <> coalesce($10, l.endpoint_id) AS elsewhere
                FROM dead_letter l"#,
            r#"AND l.replayed_at IS NULL AND (l.discarded_at IS NOT NULL) = $9
              AND ($13::uuid[] IS NULL OR l.id = ANY($13))
                LIMIT $12
            ), judged AS MATERIALIZED (
                SELECT m.endpoint_id, m.event_type,
                       CASE WHEN NOT $11 THEN 'goes'
                            WHEN e.deleted_at IS NOT NULL OR a.deleted_at IS NOT NULL THEN 'endpoint_deleted'
                            WHEN m.expunged THEN 'payload_expunged'
                            WHEN m.elsewhere AND (
                                SELECT d.state = 'delivered' FROM delivery d
                                WHERE d.message_id = m.message_id AND d.endpoint_id = m.endpoint_id) THEN 'already_delivered'
                            ELSE 'goes' END AS verdict
                FROM matching m
                JOIN endpoint e ON e.id = m.endpoint_id AND e.application_id = m.application_id
                JOIN application a ON a.id = m.application_id
            )
            SELECT verdict AS "what!", NULL AS "name?", NULL::uuid AS "endpoint_id?", count(*) AS "count!"
            FROM judged WHERE verdict <> 'goes' GROUP BY verdict
            UNION ALL
            SELECT 'looked_at', NULL, NULL, count(*) FROM judged
            UNION ALL
            (SELECT 'event_type', event_type, NULL, count(*) FROM judged WHERE verdict = 'goes'
             GROUP BY event_type ORDER BY count(*) DESC, event_type LIMIT 10)
            UNION ALL
            (SELECT 'endpoint', NULL, endpoint_id, count(*) FROM judged WHERE verdict = 'goes'
             GROUP BY endpoint_id ORDER BY count(*) DESC, endpoint_id LIMIT 10)"#,
            environment.as_str(),
            filter,
            filter.means_discarded(),
            filter.to_endpoint_id.map(EndpointId::uuid),
            kind == TaskKind::Replay,
            LOOKED_AT,
            chosen.as_deref(),
        )
        .fetch_all(&self.reading)
        .await?;
        let mut preview = ReplayPreview::default();
        let mut counts = Vec::new();
        for row in rows {
            match (row.what.as_str(), row.name, row.endpoint_id) {
                ("looked_at", ..) => preview.looked_at = row.count,
                ("endpoint_deleted", ..) => preview.endpoint_deleted = row.count,
                ("payload_expunged", ..) => preview.payload_expunged = row.count,
                ("already_delivered", ..) => preview.already_delivered = row.count,
                (_, Some(name), _) => preview.event_types.push((name, row.count)),
                (_, _, Some(endpoint)) => counts.push((endpoint, row.count)),
                _ => {}
            }
        }
        preview.targets = self.replay_targets(&counts).await?;
        Ok(preview)
    }

    async fn replay_targets(&self, counts: &[(uuid::Uuid, i64)]) -> Result<Vec<ReplayTarget>, StoreError> {
        let (ids, counts): (Vec<_>, Vec<_>) = counts.iter().copied().unzip();
        let rows = sqlx::query!(
            r#"-- dead_letter::replay_targets
            SELECT c.id AS "id!", c.count AS "count!", e.url, e.application_id, a.name,
                   least((e.policy->>'rateLimit')::integer, (a.policy->>'rateLimit')::integer) AS rate_limit,
                   CASE WHEN e.deleted_at IS NOT NULL OR a.deleted_at IS NOT NULL THEN 'deleted'
                        WHEN e.disabled_at IS NOT NULL THEN 'disabled'
                        WHEN e.paused_at IS NOT NULL OR a.paused_at IS NOT NULL OR g.paused_at IS NOT NULL THEN 'paused'
                   END AS closed,
                   good.at AS "last_success_at?", h.last_failed_at AS "last_failed_at?",
                   h.failed_in_row AS "failed_in_row?", h.last_status AS "last_status?", h.last_failure AS "last_failure?"
            FROM unnest($1::uuid[], $2::bigint[]) WITH ORDINALITY AS c(id, count, place)
            JOIN endpoint e ON e.id = c.id
            JOIN application a ON a.id = e.application_id
            CROSS JOIN dispatching g
            LEFT JOIN endpoint_health h ON h.endpoint_id = c.id
            LEFT JOIN LATERAL (
                SELECT max(r.last_delivered_at) AS at FROM endpoint_hour r
                WHERE r.endpoint_id = c.id AND r.hour > now() - interval '7 days'
            ) good ON true
            ORDER BY c.place"#,
            &ids,
            &counts,
        )
        .fetch_all(&self.reading)
        .await?;
        let targets = rows.into_iter().map(|row| ReplayTarget {
            named: NamedEndpoint {
                application_id: row.application_id.into(),
                application_name: row.name,
                endpoint_id: row.id.into(),
                url: row.url,
            },
            count: row.count,
            rate_limit: row.rate_limit,
            closed: row.closed,
            last_success_at: row.last_success_at,
            last_failed_at: row.last_failed_at,
            failed_in_row: row.failed_in_row.unwrap_or(0),
            last_status: row.last_status,
            last_failure: row.last_failure,
        });
        Ok(targets.collect())
    }
}
