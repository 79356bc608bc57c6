//! Open dead letters by endpoint and reason. Without a filter, groups are found by skipping from one to the next along an
//! index and each is counted up to a bound; with one, a bounded number of letters is looked at.

use chrono::{DateTime, Utc};
use uuid::Uuid;

use crate::domain::delivery::dead_letter::{DeadLetterFilter, DeathReason};
use crate::domain::id::{DeadLetterId, EndpointId, EnvironmentId};
use crate::store::dead_letter_filter::filter_dead_letters;
use crate::store::{Capped, StoreError};

use super::{NamedEndpoint, RollupStore};

/// So many groups are found, and so many are shown.
const GROUPS_FOUND: i64 = 1_000;
/// Of those that are found, each is counted so far to see which are the largest.
const COUNTED_TO_COMPARE: i64 = 1_000;
/// Of those that are shown, each is counted so far; and so many letters are looked at under a filter.
const COUNTED: i64 = 100_000;

/// Open dead letters of one endpoint that died for one reason.
#[derive(Debug, Clone)]
pub struct DeadLetterGroup {
    /// Whose they are.
    pub named: NamedEndpoint,
    /// Why they died.
    pub reason: DeathReason,
    /// How many.
    pub count: Capped,
    /// When the oldest died.
    pub oldest_at: DateTime<Utc>,
    /// When the newest died.
    pub newest_at: DateTime<Utc>,
    /// The last status of the newest.
    pub last_status: Option<i16>,
    /// What went wrong the last time with the newest.
    pub last_failure: Option<String>,
    /// The beginning of the endpoint's last answer that was a failure.
    pub last_error: Option<String>,
    /// When the endpoint was deleted.
    pub endpoint_deleted_at: Option<DateTime<Utc>>,
}

/// Which letters, by the ids of the oldest and the newest.
#[derive(Debug, Clone)]
pub struct FoundGroup {
    endpoint_id: Uuid,
    reason: String,
    count: i64,
    oldest: Uuid,
    newest: Uuid,
}

impl RollupStore {
    /// Groups of open dead letters, up to a thousand, each counted up to a thousand.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`].
    pub async fn find_dead_letter_groups(
        &self,
        environment: &EnvironmentId,
    ) -> Result<Vec<FoundGroup>, StoreError> {
        Ok(sqlx::query_as!(
            FoundGroup,
            r#"-- dead_letter_group::find
            WITH RECURSIVE found AS (
                (SELECT d.endpoint_id, d.reason, d.id AS oldest, 1::bigint AS place FROM dead_letter d
                 WHERE d.environment_id = $1 AND d.replayed_at IS NULL AND d.discarded_at IS NULL
                 ORDER BY d.endpoint_id, d.reason, d.id LIMIT 1)
                UNION ALL
                SELECT next.endpoint_id, next.reason, next.id, f.place + 1 FROM found f CROSS JOIN LATERAL (
                    SELECT d.endpoint_id, d.reason, d.id FROM dead_letter d
                    WHERE d.environment_id = $1 AND d.replayed_at IS NULL AND d.discarded_at IS NULL
                      AND (d.endpoint_id, d.reason) > (f.endpoint_id, f.reason)
                    ORDER BY d.endpoint_id, d.reason, d.id LIMIT 1
                ) next
                WHERE f.place < $2
            )
            SELECT f.endpoint_id AS "endpoint_id!", f.reason AS "reason!", f.oldest AS "oldest!", newest.id AS "newest!",
                   counted.count AS "count!"
            FROM found f
            CROSS JOIN LATERAL (
                SELECT d.id FROM dead_letter d
                WHERE d.environment_id = $1 AND d.replayed_at IS NULL AND d.discarded_at IS NULL
                  AND d.endpoint_id = f.endpoint_id AND d.reason = f.reason ORDER BY d.id DESC LIMIT 1
            ) newest
            CROSS JOIN LATERAL (
                SELECT count(*) AS count FROM (
                    SELECT FROM dead_letter d
                    WHERE d.environment_id = $1 AND d.replayed_at IS NULL AND d.discarded_at IS NULL
                      AND d.endpoint_id = f.endpoint_id AND d.reason = f.reason LIMIT $3
                ) letters
            ) counted"#,
            environment.as_str(),
            GROUPS_FOUND,
            COUNTED_TO_COMPARE + 1,
        )
        .fetch_all(&self.reading)
        .await?)
    }

    /// The same for those of a filter, among the first hundred thousand open letters that match.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`].
    pub async fn filter_dead_letter_groups(
        &self,
        environment: &EnvironmentId,
        filter: &DeadLetterFilter,
    ) -> Result<Vec<FoundGroup>, StoreError> {
        Ok(filter_dead_letters!(
            query_as!(FoundGroup),
            "-- dead_letter_group::filter",
            r#"WITH matching AS MATERIALIZED (
                SELECT l.endpoint_id, l.reason, l.id, l.died_at FROM dead_letter l"#,
            r#"AND l.replayed_at IS NULL AND l.discarded_at IS NULL
              LIMIT $9
            )
            SELECT endpoint_id AS "endpoint_id!", reason AS "reason!", count(*) AS "count!",
                   (array_agg(id ORDER BY died_at))[1] AS "oldest!", (array_agg(id ORDER BY died_at DESC))[1] AS "newest!"
            FROM matching GROUP BY endpoint_id, reason"#,
            environment.as_str(),
            filter,
            COUNTED,
        )
        .fetch_all(&self.reading)
        .await?)
    }

    /// What is shown of groups that were found; each is counted further, if `anew`.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`].
    pub async fn show_dead_letter_groups(
        &self,
        environment: &EnvironmentId,
        groups: &[FoundGroup],
        anew: bool,
    ) -> Result<Vec<DeadLetterGroup>, StoreError> {
        let endpoints: Vec<Uuid> = groups.iter().map(|group| group.endpoint_id).collect();
        let reasons: Vec<&str> = groups.iter().map(|group| group.reason.as_str()).collect();
        let counts: Vec<i64> = groups.iter().map(|group| group.count).collect();
        let oldest: Vec<Uuid> = groups.iter().map(|group| group.oldest).collect();
        let newest: Vec<Uuid> = groups.iter().map(|group| group.newest).collect();
        let rows = sqlx::query!(
            r#"-- dead_letter_group::show
            SELECT g.endpoint_id AS "endpoint_id!", g.reason AS "reason!", coalesce(counted.count, g.count) AS "count!",
                   o.died_at AS oldest_at, n.died_at AS newest_at, n.last_status, n.last_failure,
                   h.last_error AS "last_error?", e.deleted_at, e.url, e.application_id, a.name
            FROM unnest($2::uuid[], $3::text[], $4::bigint[], $5::uuid[], $6::uuid[])
                 AS g(endpoint_id, reason, count, oldest, newest)
            JOIN dead_letter o ON o.id = g.oldest
            JOIN dead_letter n ON n.id = g.newest
            JOIN endpoint e ON e.id = g.endpoint_id
            JOIN application a ON a.id = e.application_id
            LEFT JOIN endpoint_health h ON h.endpoint_id = g.endpoint_id
            LEFT JOIN LATERAL (
                SELECT count(*) AS count FROM (
                    SELECT FROM dead_letter d
                    WHERE d.environment_id = $1 AND d.replayed_at IS NULL AND d.discarded_at IS NULL
                      AND d.endpoint_id = g.endpoint_id AND d.reason = g.reason LIMIT $8
                ) letters
            ) counted ON $7"#,
            environment.as_str(),
            &endpoints,
            &reasons as &[&str],
            &counts,
            &oldest,
            &newest,
            anew,
            COUNTED + 1,
        )
        .fetch_all(&self.reading)
        .await?;
        let groups = rows.into_iter().map(|row| {
            let unknown = || StoreError::Inconsistent(format!("nothing dies for the reason {}", row.reason));
            Ok(DeadLetterGroup {
                reason: DeathReason::from_name(&row.reason).ok_or_else(unknown)?,
                named: NamedEndpoint {
                    application_id: row.application_id.into(),
                    application_name: row.name,
                    endpoint_id: row.endpoint_id.into(),
                    url: row.url,
                },
                count: Capped::of(row.count, COUNTED),
                oldest_at: row.oldest_at,
                newest_at: row.newest_at,
                last_status: row.last_status,
                last_failure: row.last_failure,
                last_error: row.last_error,
                endpoint_deleted_at: row.deleted_at,
            })
        });
        let mut shown = groups.collect::<Result<Vec<_>, StoreError>>()?;
        shown.sort_by_key(|group| (std::cmp::Reverse(group.count.count), group.named.endpoint_id));
        Ok(shown)
    }

    /// All open dead letters of an environment, and those of the last day, each counted up to `bound`.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`].
    pub async fn count_open_dead_letters(
        &self,
        environment: &EnvironmentId,
        bound: i64,
    ) -> Result<(Capped, Capped), StoreError> {
        let row = sqlx::query!(
            r#"-- dead_letter_group::count_open
            SELECT (SELECT count(*) FROM (
                        SELECT FROM dead_letter d
                        WHERE d.environment_id = $1 AND d.replayed_at IS NULL AND d.discarded_at IS NULL LIMIT $2
                    ) counted) AS "open!",
                   (SELECT count(*) FROM (
                        SELECT FROM dead_letter d
                        WHERE d.environment_id = $1 AND d.id >= uuid_at(now() - interval '1 day')
                          AND d.replayed_at IS NULL AND d.discarded_at IS NULL LIMIT $2
                    ) counted) AS "lately!""#,
            environment.as_str(),
            bound + 1,
        )
        .fetch_one(&self.reading)
        .await?;
        Ok((Capped::of(row.open, bound), Capped::of(row.lately, bound)))
    }

    /// The same for those of a filter, counted up to a hundred thousand.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`].
    pub async fn count_dead_letters_of(
        &self,
        environment: &EnvironmentId,
        filter: &DeadLetterFilter,
    ) -> Result<(Capped, Capped), StoreError> {
        let row = filter_dead_letters!(
            query!(),
            "-- dead_letter_group::count_filtered",
            r#"SELECT count(*) AS "open!", count(*) FILTER (WHERE lately) AS "lately!" FROM (
                SELECT l.died_at >= now() - interval '1 day' AS lately FROM dead_letter l"#,
            r#"AND l.replayed_at IS NULL AND l.discarded_at IS NULL
              LIMIT $9
            ) counted"#,
            environment.as_str(),
            filter,
            COUNTED + 1,
        )
        .fetch_one(&self.reading)
        .await?;
        Ok(counted(row.open, row.lately, COUNTED))
    }
}

/// All, and those of the last day. Where not all were counted, there may be more of both.
fn counted(open: i64, lately: i64, bound: i64) -> (Capped, Capped) {
    let open = Capped::of(open, bound);
    (open, Capped { count: lately.min(bound), is_capped: open.is_capped })
}

impl FoundGroup {
    /// The endpoint.
    #[must_use]
    pub fn endpoint(&self) -> EndpointId {
        self.endpoint_id.into()
    }

    /// How many were counted so far.
    #[must_use]
    pub fn count(&self) -> i64 {
        self.count
    }

    /// When the first of them died.
    #[must_use]
    pub fn oldest_at(&self) -> DateTime<Utc> {
        DeadLetterId::from(self.oldest).created_at()
    }
}
