//! The look at the whole queue: what waits for each endpoint, counted up to a bound along an index that has all that is
//! needed, and what the gauges remember of it. Endpoints are found by skipping from one to the next.

use std::time::Duration;

use chrono::{DateTime, Utc};
use uuid::Uuid;

use crate::store::StoreError;
use crate::store::database::interval::interval;
use crate::store::queue::waiting_endpoints::waiting_endpoints_after;

use super::RollupStore;
use super::write::{HALF_HOUR, MINUTE};

/// No endpoint is counted further.
pub(in crate::store) const COUNTED_PER_ENDPOINT: i64 = 1_000;
/// Open dead letters of an environment are counted so far.
pub(in crate::store) const DEAD_COUNTED: i64 = 100_000;
/// So long a look may take before another node begins one.
const AT_MOST: Duration = Duration::from_secs(120);
/// When so many environments could not be counted, the others are left to the next look.
const MAX_FAILED: usize = 10;
/// Nobody rests for longer. What is due later than that was noted by a clock that was ahead.
const MAX_REST: Duration = Duration::from_secs(60 * 60);

impl RollupStore {
    /// Begins a look, if one is due and nobody is at it. Returns its number.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`].
    pub async fn begin_sampling(&self) -> Result<Option<i64>, StoreError> {
        Ok(sqlx::query_scalar!(
            r#"-- queue_sampling::begin
            UPDATE queue_sampling SET round = round + 1, next_at = now() + $1::interval
            WHERE next_at <= now() OR next_at > now() + $2::interval + interval '1 minute' RETURNING round"#,
            interval(AT_MOST),
            interval(MAX_REST),
        )
        .fetch_optional(&self.writing)
        .await?)
    }

    /// Ends it, after the gauges were written, and keeps what it found in all; the next begins after `rest`.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`].
    pub async fn end_sampling(&self, round: i64, rest: Duration) -> Result<(), StoreError> {
        sqlx::query!(
            "-- queue_sampling::end
            UPDATE queue_sampling q
            SET next_at = now() + $2::interval, ended_at = now(), due = s.due, later = s.later, paused = s.paused,
                disabled = s.disabled, oldest_due_at = s.oldest_due_at, dead_open = g.dead_open
            FROM (
                SELECT coalesce(sum(due) FILTER (WHERE closed IS NULL), 0) AS due,
                       coalesce(sum(later) FILTER (WHERE closed IS NULL), 0) AS later,
                       coalesce(sum(due + later) FILTER (WHERE closed = 'paused'), 0) AS paused,
                       coalesce(sum(due + later) FILTER (WHERE closed = 'disabled'), 0) AS disabled,
                       min(first_due_at) FILTER (WHERE closed IS NULL AND due > 0) AS oldest_due_at
                FROM queue_sample
            ) s, (
                -- Of each environment the newest, because one may not have been counted by this look.
                SELECT coalesce(sum(newest.dead_open), 0) AS dead_open FROM (
                    SELECT DISTINCT ON (scope) dead_open FROM rollup_gauge
                    WHERE step = $3 AND at <= now() AND at >= (
                        SELECT max(at) FROM rollup_gauge WHERE step = $3 AND at <= now()) - interval '10 minutes'
                    ORDER BY scope, at DESC
                ) newest
            ) g
            WHERE q.round = $1",
            round,
            interval(rest.min(MAX_REST)),
            MINUTE,
        )
        .execute(&self.writing)
        .await?;
        Ok(())
    }

    /// Looks at the next endpoints after `after` that something waits for, and forgets those up to there that nothing
    /// waits for any more. Returns where to go on.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`].
    pub async fn sample_queue(
        &self,
        round: i64,
        after: Uuid,
        endpoints: i64,
    ) -> Result<Option<Uuid>, StoreError> {
        let found = waiting_endpoints_after(&self.writing, after, endpoints).await?;
        let next =
            found.last().copied().filter(|_| i64::try_from(found.len()).unwrap_or(i64::MAX) == endpoints);
        sqlx::query!(
            r#"-- queue_sample::write
            INSERT INTO queue_sample AS s (endpoint_id, application_id, environment_id, round, closed, due, later,
                                           oldest_accepted_at, first_due_at, next_due_at)
            SELECT e.id, e.application_id, a.environment_id, $2,
                   CASE WHEN e.disabled_at IS NOT NULL THEN 'disabled'
                        WHEN e.paused_at IS NOT NULL OR a.paused_at IS NOT NULL OR d.paused_at IS NOT NULL THEN 'paused' END,
                   due.count, later.count, uuid_moment(first.message_id), first.due_at, next.due_at
            FROM unnest($1::uuid[]) AS c(id)
            JOIN endpoint e ON e.id = c.id
            JOIN application a ON a.id = e.application_id
            CROSS JOIN dispatching d
            CROSS JOIN LATERAL (
                SELECT p.message_id, p.due_at FROM pending p WHERE p.endpoint_id = c.id AND p.due_at > '-infinity'
                ORDER BY p.due_at, p.message_id LIMIT 1
            ) first
            CROSS JOIN LATERAL (
                SELECT count(*)::integer AS count FROM (
                    SELECT FROM pending p WHERE p.endpoint_id = c.id AND p.due_at > '-infinity' AND p.due_at <= now()
                    ORDER BY p.due_at LIMIT $3
                ) counted
            ) due
            CROSS JOIN LATERAL (
                SELECT count(*)::integer AS count FROM (
                    SELECT FROM pending p WHERE p.endpoint_id = c.id AND p.due_at > '-infinity' AND p.due_at > now()
                    ORDER BY p.due_at LIMIT $3
                ) counted
            ) later
            LEFT JOIN LATERAL (
                SELECT p.due_at FROM pending p WHERE p.endpoint_id = c.id AND p.due_at > '-infinity' AND p.due_at > now()
                ORDER BY p.due_at LIMIT 1
            ) next ON true
            WHERE a.purpose IS NULL AND a.deleted_at IS NULL AND e.deleted_at IS NULL
            ON CONFLICT (endpoint_id) DO UPDATE SET
                round = excluded.round, closed = excluded.closed, due = excluded.due, later = excluded.later,
                oldest_accepted_at = excluded.oldest_accepted_at, first_due_at = excluded.first_due_at,
                next_due_at = excluded.next_due_at"#,
            &found,
            round,
            COUNTED_PER_ENDPOINT,
        )
        .execute(&self.writing)
        .await?;
        sqlx::query!(
            "-- queue_sample::forget
            DELETE FROM queue_sample WHERE endpoint_id > $1 AND endpoint_id <= $2 AND round <> $3",
            after,
            next.unwrap_or(Uuid::max()),
            round,
        )
        .execute(&self.writing)
        .await?;
        Ok(next)
    }

    /// Has the gauges remember what the look found: of environments each minute and half hour, of applications and
    /// endpoints each half hour in which something waits for them. An environment that cannot be counted keeps its last
    /// gauge, and no other from its own.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`], the first; what else could be written is.
    pub async fn write_gauges(&self) -> Result<(), StoreError> {
        let environments = sqlx::query!(
            r#"-- rollup_gauge::environments
            SELECT id, now() AS "now!" FROM environment ORDER BY id"#
        )
        .fetch_all(&self.writing)
        .await?;
        let mut errors = Vec::new();
        for environment in environments {
            errors.extend(self.write_environment_gauges(&environment.id, environment.now).await.err());
            if errors.len() >= MAX_FAILED {
                break;
            }
        }
        self.write_queue_gauges().await?;
        errors.into_iter().next().map_or(Ok(()), Err)
    }

    async fn write_environment_gauges(
        &self,
        environment: &str,
        now: DateTime<Utc>,
    ) -> Result<(), StoreError> {
        sqlx::query!(
            r#"-- rollup_gauge::of_environment
            INSERT INTO rollup_gauge (scope, step, at, waiting, held, dead_open)
            SELECT encode(substring(sha256($3::text::bytea), 1, 16), 'hex')::uuid, t.step,
                   date_bin(make_interval(secs => t.step), $4::timestamptz, '2000-01-01 00:00:00Z'),
                   w.waiting, w.held, l.count
            FROM unnest($1::integer[]) AS t(step)
            CROSS JOIN (
                SELECT coalesce(sum(s.due + s.later) FILTER (WHERE s.closed IS NULL), 0)::integer AS waiting,
                       coalesce(sum(s.due + s.later) FILTER (WHERE s.closed IS NOT NULL), 0)::integer AS held
                FROM queue_sample s WHERE s.environment_id = $3
            ) w
            CROSS JOIN (
                SELECT count(*)::integer AS count FROM (
                    SELECT FROM dead_letter d
                    WHERE d.environment_id = $3 AND d.replayed_at IS NULL AND d.discarded_at IS NULL LIMIT $2
                ) counted
            ) l
            ON CONFLICT (scope, step, at) DO UPDATE SET
                waiting = excluded.waiting, held = excluded.held, dead_open = excluded.dead_open"#,
            &[MINUTE, HALF_HOUR],
            DEAD_COUNTED,
            environment,
            now,
        )
        .execute(&self.writing)
        .await?;
        Ok(())
    }

    async fn write_queue_gauges(&self) -> Result<(), StoreError> {
        sqlx::query!(
            r#"-- rollup_gauge::of_queues
            INSERT INTO rollup_gauge (scope, step, at, waiting, held)
            SELECT q.scope, $1, date_bin(interval '30 minutes', now(), '2000-01-01 00:00:00Z'), q.waiting, q.held
            FROM (
                SELECT endpoint_id AS scope, CASE WHEN closed IS NULL THEN due + later ELSE 0 END AS waiting,
                       CASE WHEN closed IS NOT NULL THEN due + later ELSE 0 END AS held
                FROM queue_sample
                UNION ALL
                SELECT application_id, coalesce(sum(due + later) FILTER (WHERE closed IS NULL), 0)::integer,
                       coalesce(sum(due + later) FILTER (WHERE closed IS NOT NULL), 0)::integer
                FROM queue_sample GROUP BY application_id
            ) q
            ON CONFLICT (scope, step, at) DO UPDATE SET waiting = excluded.waiting, held = excluded.held"#,
            HALF_HOUR,
        )
        .execute(&self.writing)
        .await?;
        sqlx::query!(
            r#"-- rollup_gauge::emptied
            UPDATE rollup_gauge g SET waiting = 0, held = 0
            WHERE g.step = $1 AND g.at = date_bin(interval '30 minutes', now(), '2000-01-01 00:00:00Z')
              AND g.dead_open IS NULL AND g.waiting + g.held > 0
              AND NOT EXISTS (SELECT FROM queue_sample s WHERE s.endpoint_id = g.scope)
              AND NOT EXISTS (SELECT FROM queue_sample s WHERE s.application_id = g.scope)"#,
            HALF_HOUR,
        )
        .execute(&self.writing)
        .await?;
        Ok(())
    }
}
