//! How much waits in the queue, and for how long. `pending` may be of any size: endpoints are found by skipping from
//! one to the next along its index, and each is counted up to a bound. (In the order of the index: without it Postgres
//! would look all of an endpoint's rows up before it stops at the bound.)

use chrono::{DateTime, Utc};
use uuid::Uuid;

use crate::domain::id::{ApplicationId, EndpointId, EnvironmentId};
use crate::domain::page::Scan;
use crate::store::StoreError;
use crate::store::queue::waiting_endpoints::{waiting_endpoints_after, waiting_endpoints_before};

use super::HistoryStore;

/// What waits for an endpoint.
#[derive(Debug, Clone)]
pub struct EndpointQueue {
    /// The endpoint.
    pub endpoint_id: EndpointId,
    /// Where it is.
    pub url: String,
    /// Its application.
    pub application_id: ApplicationId,
    /// What that is called.
    pub application_name: String,
    /// Its environment.
    pub environment_id: String,
    /// Whether it is disabled.
    pub disabled: bool,
    /// Whether it is paused, or its application is, or everything.
    pub paused: bool,
    /// Deliveries that wait, up to the bound and one more.
    pub waiting: i64,
    /// Those that are due, up to the bound and one more.
    pub due: i64,
    /// When the first is due.
    pub oldest_due_at: DateTime<Utc>,
    /// For how long it has been.
    pub oldest_age_seconds: f64,
}

/// What waits for a tenant.
#[derive(Debug, Clone)]
pub struct TenantQueue {
    /// The application.
    pub application_id: ApplicationId,
    /// What it is called.
    pub application_name: String,
    /// Its environment.
    pub environment_id: String,
    /// Endpoints that have something waiting.
    pub endpoints: i64,
    /// Deliveries that wait, each endpoint's up to the bound.
    pub waiting: i64,
    /// Those that are due.
    pub due: i64,
    /// Whether an endpoint has more than the bound.
    pub is_capped: bool,
    /// When the first is due.
    pub oldest_due_at: DateTime<Utc>,
    /// For how long it has been.
    pub oldest_age_seconds: f64,
}

/// What waits, by tenant.
#[derive(Debug, Clone)]
pub struct TenantQueues {
    /// Those for whom most waits come first.
    pub tenants: Vec<TenantQueue>,
    /// Endpoints that were found, up to the bound and one more.
    pub endpoints: i64,
}

impl HistoryStore {
    /// Endpoints that have something waiting, by id, each counted up to `bound`.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`].
    pub async fn queue_by_endpoint(
        &self,
        scan: &Scan<EndpointId>,
        bound: i64,
    ) -> Result<Vec<EndpointQueue>, StoreError> {
        let after = scan.after.map(EndpointId::uuid);
        let endpoints = if scan.ascending {
            waiting_endpoints_after(&self.pool, after.unwrap_or_default(), scan.limit).await?
        } else {
            waiting_endpoints_before(&self.pool, after.unwrap_or(Uuid::max()), scan.limit).await?
        };
        let rows = sqlx::query!(
            r#"-- queue_depth::of_endpoints
            SELECT c.endpoint_id AS "endpoint_id!", e.url, e.application_id, a.name AS application_name,
                   a.environment_id, e.disabled_at IS NOT NULL AS "disabled!",
                   e.paused_at IS NOT NULL OR a.paused_at IS NOT NULL OR g.paused_at IS NOT NULL AS "paused!",
                   w.waiting AS "waiting!", d.due AS "due!", o.due_at AS "oldest_due_at!",
                   greatest(extract(epoch FROM now() - o.due_at), 0)::float8 AS "oldest_age_seconds!"
            FROM unnest($1::uuid[]) WITH ORDINALITY c(endpoint_id, place)
            JOIN endpoint e ON e.id = c.endpoint_id
            JOIN application a ON a.id = e.application_id
            CROSS JOIN dispatching g
            CROSS JOIN LATERAL (
                SELECT due_at FROM pending p WHERE p.endpoint_id = c.endpoint_id AND p.due_at > '-infinity'
                ORDER BY p.due_at LIMIT 1
            ) o
            CROSS JOIN LATERAL (
                SELECT count(*) AS waiting FROM (
                    SELECT FROM pending p WHERE p.endpoint_id = c.endpoint_id AND p.due_at > '-infinity'
                    ORDER BY p.due_at LIMIT $2::bigint + 1
                ) counted
            ) w
            CROSS JOIN LATERAL (
                SELECT count(*) AS due FROM (
                    SELECT FROM pending p
                    WHERE p.endpoint_id = c.endpoint_id AND p.due_at > '-infinity' AND p.due_at <= now()
                    ORDER BY p.due_at LIMIT $2::bigint + 1
                ) counted
            ) d
            ORDER BY c.place"#,
            &endpoints,
            bound,
        )
        .fetch_all(&self.pool)
        .await?;
        let queue = rows.into_iter().map(|row| EndpointQueue {
            endpoint_id: row.endpoint_id.into(),
            url: row.url,
            application_id: row.application_id.into(),
            application_name: row.application_name,
            environment_id: row.environment_id,
            disabled: row.disabled,
            paused: row.paused,
            waiting: row.waiting,
            due: row.due,
            oldest_due_at: row.oldest_due_at,
            oldest_age_seconds: row.oldest_age_seconds,
        });
        Ok(queue.collect())
    }

    /// Tenants that have something waiting: of the first `max_endpoints` endpoints that have, each counted up to `bound`.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`].
    pub async fn queue_by_tenant(
        &self,
        environment: Option<&EnvironmentId>,
        max_endpoints: i64,
        bound: i64,
    ) -> Result<TenantQueues, StoreError> {
        let scan = Scan { after: None, ascending: true, limit: max_endpoints + 1 };
        let found = self.queue_by_endpoint(&scan, bound).await?;
        let endpoints = i64::try_from(found.len()).unwrap_or(i64::MAX);
        let chosen = found.into_iter().take(usize::try_from(max_endpoints).unwrap_or(usize::MAX));
        let chosen = chosen.filter(|queue| environment.is_none_or(|id| id.as_str() == queue.environment_id));
        Ok(TenantQueues { tenants: by_tenant(chosen, bound), endpoints })
    }
}

/// Sums up by application; those for whom most waits come first.
fn by_tenant(endpoints: impl Iterator<Item = EndpointQueue>, bound: i64) -> Vec<TenantQueue> {
    let mut tenants = std::collections::BTreeMap::<ApplicationId, TenantQueue>::new();
    for queue in endpoints {
        let is_capped = queue.waiting > bound;
        let tenant = tenants.entry(queue.application_id).or_insert_with(|| TenantQueue {
            application_id: queue.application_id,
            application_name: queue.application_name,
            environment_id: queue.environment_id,
            endpoints: 0,
            waiting: 0,
            due: 0,
            is_capped: false,
            oldest_due_at: queue.oldest_due_at,
            oldest_age_seconds: 0.0,
        });
        tenant.endpoints += 1;
        tenant.waiting += queue.waiting.min(bound);
        tenant.due += queue.due.min(bound);
        tenant.is_capped |= is_capped;
        tenant.oldest_due_at = tenant.oldest_due_at.min(queue.oldest_due_at);
        tenant.oldest_age_seconds = tenant.oldest_age_seconds.max(queue.oldest_age_seconds);
    }
    let mut tenants: Vec<_> = tenants.into_values().collect();
    tenants.sort_by_key(|tenant| std::cmp::Reverse(tenant.waiting));
    tenants
}

#[cfg(test)]
mod tests {
    use super::*;

    fn queue(application_id: ApplicationId, waiting: i64, age: f64) -> EndpointQueue {
        EndpointQueue {
            endpoint_id: EndpointId::generate(),
            url: "https://example.com".to_owned(),
            application_id,
            application_name: "One".to_owned(),
            environment_id: "org_a".to_owned(),
            disabled: false,
            paused: false,
            waiting,
            due: waiting,
            oldest_due_at: DateTime::UNIX_EPOCH,
            oldest_age_seconds: age,
        }
    }

    #[test]
    fn a_tenants_endpoints_are_summed_up_to_the_bound() {
        let (small, large) = (ApplicationId::generate(), ApplicationId::generate());
        let queues = [queue(small, 3, 9.0), queue(large, 11, 1.0), queue(large, 2, 5.0)];
        let tenants = by_tenant(queues.into_iter(), 10);
        let seen: Vec<_> =
            tenants.iter().map(|it| (it.application_id, it.endpoints, it.waiting, it.is_capped)).collect();
        assert_eq!(seen, [(large, 2, 12, true), (small, 1, 3, false)]);
        assert_eq!([tenants[0].oldest_age_seconds, tenants[1].oldest_age_seconds], [5.0, 9.0]);
    }
}
