//! How single endpoints and applications are now: whether something keeps deliveries back and who did that, what waits,
//! what was set.

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use uuid::Uuid;

use crate::domain::delivery::dead_letter::DeathReason;
use crate::domain::id::{ApplicationId, EndpointId, EnvironmentId};
use crate::domain::policy::DeliveryPolicy;
use crate::domain::rollup::closure::Closure;
use crate::domain::rollup::incident::FAILURES_IN_ROW;
use crate::store::database::stored_policy::stored_policy;
use crate::store::{Capped, StoreError};

use super::RollupStore;
use super::incident::EVERYTHING;
use super::sample::COUNTED_PER_ENDPOINT;

/// Of one endpoint, so many are counted of a kind.
const COUNTED_ALONE: i64 = 10_000;
/// So many of an endpoint's newest deliveries are looked at for those that a node has in memory.
const NEWEST_LOOKED_AT: i64 = 1_000;

/// An endpoint as it stands.
#[derive(Debug, Clone)]
pub struct EndpointState {
    /// The name of its application.
    pub application_name: String,
    /// Why nothing goes out, if so, and since when.
    pub closed: Option<(Closure, DateTime<Utc>)>,
    /// Who did that.
    pub closed_by: Option<String>,
    /// Since when what waits counts as held, and becomes dead letters in the end. A pause of everything buries nothing.
    pub held_since: Option<DateTime<Utc>>,
    /// How its deliveries are treated, as the endpoint, its application and its environment set it.
    pub policies: [DeliveryPolicy; 3],
    /// Due, or would be if nothing kept it back.
    pub due: Capped,
    /// Due later.
    pub later: Capped,
    /// With a node, which claimed it from the queue or has had it in memory since it was posted. Of the latter those are counted
    /// that are among the last thousand to this endpoint.
    pub with_nodes: Capped,
    /// When that which is due first was accepted.
    pub oldest_at: Option<DateTime<Utc>>,
    /// When the first that waits is due.
    pub first_due_at: Option<DateTime<Utc>>,
    /// When the next goes.
    pub next_at: Option<DateTime<Utc>>,
    /// Open dead letters.
    pub dead_open: Capped,
    /// When the oldest of them died.
    pub oldest_died_at: Option<DateTime<Utc>>,
    /// Until when nothing is sent, because its receiver asked for that.
    pub throttled_until: Option<DateTime<Utc>>,
    /// The time by the database's clock.
    pub now: DateTime<Utc>,
}

/// What is under way at an endpoint or an application.
#[derive(Debug, Clone, Copy, Default)]
pub struct UnderWay {
    /// Waits.
    pub waiting: Capped,
    /// Is held.
    pub held: Capped,
    /// Endpoints, of an application.
    pub endpoints: i64,
    /// Endpoints with an incident now, of an application.
    pub troubled: i64,
}

impl RollupStore {
    /// How an endpoint stands.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`].
    pub async fn endpoint_state(
        &self,
        environment: &EnvironmentId,
        endpoint: EndpointId,
    ) -> Result<Option<EndpointState>, StoreError> {
        let reasons = DeathReason::ALL.map(DeathReason::name);
        let row = sqlx::query!(
            r#"-- console::endpoint_state
            SELECT a.name, now() AS "now!", a.id AS application_id,
                   CASE WHEN e.disabled_reason = 'request' THEN 'disabled_by_request'
                        WHEN e.disabled_at IS NOT NULL THEN 'disabled_' || e.disabled_reason
                        WHEN e.paused_at IS NOT NULL THEN 'endpoint_paused'
                        WHEN a.paused_at IS NOT NULL THEN 'application_paused'
                        WHEN g.paused_at IS NOT NULL THEN 'all_paused' END AS closed,
                   coalesce(e.disabled_at, e.paused_at, a.paused_at, g.paused_at) AS closed_at,
                   least(e.disabled_at, e.paused_at, a.paused_at) AS held_since,
                   e.policy, a.policy AS application_policy, n.policy AS environment_policy,
                   due.count AS "due!", later.count AS "later!", later.claimed AS "claimed!", kept.count AS "in_memory!",
                   first.oldest_at AS "oldest_at?", first.due_at AS "first_due_at?", next.due_at AS "next_at?",
                   dead.count AS "dead!", oldest.died_at AS "oldest_died_at?",
                   (endpoint_throttle_of(e.id) ->> 'until')::timestamptz AS throttled_until
            FROM endpoint e JOIN application a ON a.id = e.application_id JOIN environment n ON n.id = a.environment_id
            CROSS JOIN dispatching g
            CROSS JOIN LATERAL (SELECT count(*) AS count FROM (
                SELECT FROM pending p WHERE p.endpoint_id = e.id AND p.due_at > '-infinity' AND p.due_at <= now()
                ORDER BY p.due_at LIMIT $3) c) due
            CROSS JOIN LATERAL (SELECT count(*) AS count, count(owner) AS claimed FROM (
                SELECT p.owner FROM pending p WHERE p.endpoint_id = e.id AND p.due_at > '-infinity' AND p.due_at > now()
                ORDER BY p.due_at LIMIT $3) c) later
            CROSS JOIN LATERAL (SELECT count(*) FILTER (WHERE c.state = 'in_flight') AS count FROM (
                SELECT d.state FROM delivery d WHERE d.endpoint_id = e.id ORDER BY d.message_id DESC LIMIT $5) c) kept
            LEFT JOIN LATERAL (
                SELECT uuid_moment(p.message_id) AS oldest_at, p.due_at FROM pending p
                WHERE p.endpoint_id = e.id AND p.due_at > '-infinity' ORDER BY p.due_at, p.message_id LIMIT 1) first ON true
            LEFT JOIN LATERAL (
                SELECT p.due_at FROM pending p
                WHERE p.endpoint_id = e.id AND p.due_at > '-infinity' AND p.due_at > now() AND p.owner IS NULL
                ORDER BY p.due_at LIMIT 1) next ON true
            CROSS JOIN LATERAL (SELECT count(*) AS count FROM (
                SELECT FROM dead_letter d WHERE d.environment_id = $1 AND d.endpoint_id = e.id
                  AND d.replayed_at IS NULL AND d.discarded_at IS NULL LIMIT $3) c) dead
            CROSS JOIN LATERAL (SELECT min(f.died_at) AS died_at FROM unnest($4::text[]) AS r(reason) CROSS JOIN LATERAL (
                SELECT d.died_at FROM dead_letter d WHERE d.environment_id = $1 AND d.endpoint_id = e.id
                  AND d.reason = r.reason AND d.replayed_at IS NULL AND d.discarded_at IS NULL
                ORDER BY d.id LIMIT 1) f) oldest
            WHERE e.id = $2 AND a.environment_id = $1 AND e.deleted_at IS NULL"#,
            environment.as_str(),
            endpoint.uuid(),
            COUNTED_ALONE + 1,
            &reasons as &[&str],
            NEWEST_LOOKED_AT,
        )
        .fetch_optional(&self.reading)
        .await?;
        let Some(row) = row else { return Ok(None) };
        let closed = row.closed.as_deref().and_then(Closure::from_name).zip(row.closed_at);
        let closed_by = match closed {
            Some((Closure::AllPaused, at)) => self.who_changed(EVERYTHING, at).await?,
            Some((Closure::ApplicationPaused, at)) => {
                self.who_changed(&ApplicationId::from(row.application_id).to_string(), at).await?
            }
            Some((_, at)) => self.who_changed(&endpoint.to_string(), at).await?,
            None => None,
        };
        let later = Capped::of(row.later, COUNTED_ALONE);
        Ok(Some(EndpointState {
            application_name: row.name,
            closed,
            closed_by,
            held_since: row.held_since,
            policies: [
                stored_policy(row.policy, endpoint)?,
                stored_policy(row.application_policy, "its application")?,
                stored_policy(row.environment_policy, environment.as_str())?,
            ],
            due: Capped::of(row.due, COUNTED_ALONE),
            later: Capped { count: (later.count - row.claimed).max(0), ..later },
            with_nodes: Capped {
                count: row.claimed + row.in_memory,
                is_capped: row.in_memory >= NEWEST_LOOKED_AT,
            },
            oldest_at: row.oldest_at,
            first_due_at: row.first_due_at,
            next_at: row.next_at,
            dead_open: Capped::of(row.dead, COUNTED_ALONE),
            oldest_died_at: row.oldest_died_at,
            throttled_until: row.throttled_until,
            now: row.now,
        }))
    }

    /// What waits for each of these endpoints, or for each of these applications, as the last look at the queue found it.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`].
    pub async fn under_way_of(
        &self,
        ids: &[Uuid],
        are_endpoints: bool,
    ) -> Result<HashMap<Uuid, UnderWay>, StoreError> {
        let rows = sqlx::query!(
            r#"-- queue_sample::under_way
            SELECT c.id AS "id!", w.waiting AS "waiting!", w.held AS "held!", w.is_capped AS "is_capped!",
                   n.endpoints AS "endpoints!", n.troubled AS "troubled!"
            FROM unnest($1::uuid[]) AS c(id)
            CROSS JOIN LATERAL (
                SELECT coalesce(sum(s.due + s.later) FILTER (WHERE s.closed IS NULL), 0)::bigint AS waiting,
                       coalesce(sum(s.due + s.later) FILTER (WHERE s.closed IS NOT NULL), 0)::bigint AS held,
                       coalesce(bool_or(greatest(s.due, s.later) >= $3), false) AS is_capped
                FROM queue_sample s
                WHERE $2 AND s.endpoint_id = c.id OR NOT $2 AND s.application_id = c.id
            ) w
            CROSS JOIN LATERAL (
                SELECT count(*) AS endpoints, count(*) FILTER (
                    WHERE e.disabled_reason IN ('gone', 'failing') AND e.disabled_at > now() - interval '7 days'
                       OR e.disabled_at IS NULL AND h.failed_in_row >= $4 AND h.last_failed_at > now() - interval '1 day'
                ) AS troubled
                FROM endpoint e LEFT JOIN endpoint_health h ON h.endpoint_id = e.id
                WHERE NOT $2 AND e.application_id = c.id AND e.deleted_at IS NULL
            ) n"#,
            ids,
            are_endpoints,
            i32::try_from(COUNTED_PER_ENDPOINT).unwrap_or(i32::MAX),
            FAILURES_IN_ROW,
        )
        .fetch_all(&self.reading)
        .await?;
        let of = |count: i64, is_capped: bool| Capped { count, is_capped: is_capped && count > 0 };
        let under_way = rows.into_iter().map(|row| {
            let waits = UnderWay {
                waiting: of(row.waiting, row.is_capped),
                held: of(row.held, row.is_capped),
                endpoints: row.endpoints,
                troubled: row.troubled,
            };
            (row.id, waits)
        });
        Ok(under_way.collect())
    }

    /// Open dead letters of each of these applications, up to a thousand each.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`].
    pub async fn dead_open_of_applications(
        &self,
        environment: &EnvironmentId,
        applications: &[Uuid],
    ) -> Result<HashMap<Uuid, Capped>, StoreError> {
        let rows = sqlx::query!(
            r#"-- dead_letter::open_of_applications
            SELECT c.id AS "id!", l.count AS "count!" FROM unnest($2::uuid[]) AS c(id) CROSS JOIN LATERAL (
                SELECT count(*) AS count FROM (
                    SELECT FROM endpoint e JOIN dead_letter d ON d.endpoint_id = e.id
                    WHERE e.application_id = c.id AND d.environment_id = $1
                      AND d.replayed_at IS NULL AND d.discarded_at IS NULL LIMIT $3
                ) counted
            ) l"#,
            environment.as_str(),
            applications,
            COUNTED_PER_ENDPOINT + 1,
        )
        .fetch_all(&self.reading)
        .await?;
        Ok(rows.into_iter().map(|row| (row.id, Capped::of(row.count, COUNTED_PER_ENDPOINT))).collect())
    }
}
