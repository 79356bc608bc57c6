//! A pool: the connections for one kind of work, with the limits that fit it.

use std::sync::Arc;
use std::time::Instant;

use deadpool::managed::{BuildError, PoolError, QueueMode, TimeoutType};
use futures_util::future::BoxFuture;
use sqlx::postgres::{PgRow, PgStatement, PgTypeInfo};
use sqlx::{Connection as _, Describe, Error, Execute, Executor, Postgres, SqlStr};

use crate::telemetry::metrics;
use crate::telemetry::metrics::PoolMetrics;

use super::connection::{Connection, Results, one_by_one, timed_out};
use super::limits::Limits;
use super::opener::{CLOSING_TIMEOUT, Opener};
use super::session_settings::SessionOptions;
use super::transaction::Transaction;

/// The connections for one kind of work.
#[derive(Clone)]
pub(in crate::store) struct Pool {
    inner: deadpool::managed::Pool<Opener>,
    limits: Limits,
    metrics: PoolMetrics,
}

impl Pool {
    /// A pool that opens connections when they are wanted. Metrics know it by its name.
    pub(in crate::store) fn new(
        name: &'static str,
        options: &SessionOptions,
        limits: Limits,
    ) -> Result<Self, BuildError> {
        let opener = Opener { options: options.with(&limits.settings()), limits, generation: Arc::default() };
        let inner = deadpool::managed::Pool::builder(opener)
            .max_size(limits.connections)
            .queue_mode(QueueMode::Lifo)
            .wait_timeout(Some(limits.acquire))
            .create_timeout(Some(limits.acquire))
            .recycle_timeout(Some(CLOSING_TIMEOUT))
            .runtime(deadpool::Runtime::Tokio1)
            .build()?;
        Ok(Self { inner, limits, metrics: metrics::current().pool(name) })
    }

    /// One connection, for several statements.
    pub(in crate::store) async fn connection(&self) -> Result<Connection, Error> {
        let began = Instant::now();
        let got = self.inner.get().await;
        metrics::record(&self.metrics.wait_seconds, began.elapsed());
        let opened = match got {
            Ok(opened) => opened,
            Err(PoolError::Backend(error)) => return Err(error),
            Err(PoolError::Closed) => return Err(Error::PoolClosed),
            Err(PoolError::Timeout(TimeoutType::Wait)) => {
                self.metrics.timeouts.increment(1);
                return Err(Error::PoolTimedOut);
            }
            Err(error) => return Err(timed_out(&format!("no connection to the database: {error}"))),
        };
        Ok(Connection::new(opened, self.limits.statement, self.inner.manager().generation.clone()))
    }

    /// A transaction. It is rolled back unless it is committed.
    pub(in crate::store) async fn begin(&self) -> Result<Transaction, Error> {
        Transaction::begin(self.connection().await?).await
    }

    /// The limits of its connections.
    pub(in crate::store) const fn limits(&self) -> Limits {
        self.limits
    }

    /// Tells the metrics how many connections there are.
    pub(in crate::store) fn measure(&self) {
        let status = self.inner.status();
        let idle = status.available.min(status.size);
        metrics::set(&self.metrics.idle, idle);
        metrics::set(&self.metrics.used, status.size - idle);
        metrics::set(&self.metrics.limit, status.max_size);
    }

    /// Closes every connection that is free, and those in use when they are given back.
    pub(in crate::store) async fn close(&self) {
        let free = self.inner.retain(|_, _| false).removed;
        self.inner.close();
        for opened in free {
            // The database ends it in any case when the socket closes.
            let _ = tokio::time::timeout(CLOSING_TIMEOUT, opened.connection.close()).await;
        }
    }
}

impl std::fmt::Debug for Pool {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Pool").field("limits", &self.limits).finish_non_exhaustive()
    }
}

impl<'p> Executor<'p> for &'p Pool {
    type Database = Postgres;

    fn fetch_many<'e, 'q: 'e, E>(self, query: E) -> Results<'e>
    where
        'p: 'e,
        E: 'q + Execute<'q, Postgres>,
    {
        one_by_one(async move { self.connection().await?.fetch_all_results(query).await })
    }

    fn fetch_optional<'e, 'q: 'e, E>(self, query: E) -> BoxFuture<'e, Result<Option<PgRow>, Error>>
    where
        'p: 'e,
        E: 'q + Execute<'q, Postgres>,
    {
        Box::pin(async move { self.connection().await?.fetch_optional(query).await })
    }

    fn prepare_with<'e>(
        self,
        sql: SqlStr,
        parameters: &'e [PgTypeInfo],
    ) -> BoxFuture<'e, Result<PgStatement, Error>>
    where
        'p: 'e,
    {
        Box::pin(async move { self.connection().await?.prepare_with(sql, parameters).await })
    }

    fn describe<'e>(self, sql: SqlStr) -> BoxFuture<'e, Result<Describe<Postgres>, Error>>
    where
        'p: 'e,
    {
        Box::pin(async move { self.connection().await?.describe(sql).await })
    }
}
