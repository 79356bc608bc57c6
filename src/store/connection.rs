//! Connections to the database, with a limit on everything that is waited for: a free connection, a new one, and the
//! answer to each statement. A connection that did not answer in time, or whose statement was given up half-way, is
//! closed and never used again, and those that were opened before it are looked at with distrust.
//!
//! The limits are this side's own. `statement_timeout` and `lock_timeout` are set as well, so that a server that can
//! still think ends its work first; but a server behind a proxy that has fallen silent can do nothing for us.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use deadpool::managed::{
    BuildError, Manager, Metrics, Object, PoolError, QueueMode, RecycleError, RecycleResult, TimeoutType,
};
use futures_util::future::BoxFuture;
use futures_util::stream::{self, BoxStream, StreamExt, TryStreamExt};
use sqlx::postgres::{PgConnectOptions, PgConnection, PgQueryResult, PgRow, PgStatement, PgTypeInfo};
use sqlx::{Connection as _, Describe, Either, Error, Execute, Executor, Postgres, SqlStr};

use super::transaction::Transaction;

/// A connection that was not used for so long is asked whether it lives before it is used again.
const DOUBTED_AFTER: Duration = Duration::from_secs(5);
/// How long a connection has to answer that it lives, to roll back, or to say goodbye.
pub(super) const CLOSING_TIMEOUT: Duration = Duration::from_secs(1);

/// How long things may take on the connections of a pool.
#[derive(Debug, Clone, Copy)]
pub(super) struct Limits {
    /// Connections at most.
    pub(super) connections: usize,
    /// Waiting for one of them to be free, and, separately, for a new one to be made.
    pub(super) acquire: Duration,
    /// The answer to a statement, on this side. The server gives up a second sooner.
    pub(super) statement: Duration,
    /// A lock that somebody else holds.
    pub(super) lock: Duration,
    /// Whether a connection is asked each time whether it lives.
    pub(super) test_each: bool,
}

impl Limits {
    /// The server's settings that go with them.
    pub(super) fn settings(self) -> [(&'static str, String); 2] {
        let server = self.statement.saturating_sub(Duration::from_secs(1)).max(Duration::from_millis(500));
        let ms = |limit: Duration| format!("{}ms", limit.as_millis());
        [("statement_timeout", ms(server)), ("lock_timeout", ms(self.lock.min(server)))]
    }
}

/// The connections for one kind of work.
#[derive(Clone)]
pub(super) struct Pool {
    inner: deadpool::managed::Pool<Opener>,
    limits: Limits,
}

/// Opens connections.
struct Opener {
    options: PgConnectOptions,
    limits: Limits,
    /// Raised when a connection broke: those from before are not used again.
    generation: Arc<AtomicU64>,
}

/// An open connection, and when it was opened.
struct Opened {
    connection: PgConnection,
    generation: u64,
}

impl Manager for Opener {
    type Type = Opened;
    type Error = Error;

    async fn create(&self) -> Result<Opened, Error> {
        let generation = self.generation.load(Ordering::Acquire);
        let options = self.options.clone().options(self.limits.settings());
        Ok(Opened { connection: PgConnection::connect_with(&options).await?, generation })
    }

    async fn recycle(&self, opened: &mut Opened, metrics: &Metrics) -> RecycleResult<Error> {
        if opened.generation != self.generation.load(Ordering::Acquire) {
            return Err(RecycleError::message("a connection of its time broke"));
        }
        if self.limits.test_each || metrics.last_used() > DOUBTED_AFTER {
            opened.connection.ping().await.map_err(RecycleError::Backend)?;
        }
        Ok(())
    }
}

impl Pool {
    /// A pool that opens connections when they are wanted.
    pub(super) fn new(options: PgConnectOptions, limits: Limits) -> Result<Self, BuildError> {
        let opener = Opener { options, limits, generation: Arc::default() };
        let inner = deadpool::managed::Pool::builder(opener)
            .max_size(limits.connections)
            .queue_mode(QueueMode::Lifo)
            .wait_timeout(Some(limits.acquire))
            .create_timeout(Some(limits.acquire))
            .recycle_timeout(Some(CLOSING_TIMEOUT))
            .runtime(deadpool::Runtime::Tokio1)
            .build()?;
        Ok(Self { inner, limits })
    }

    /// One connection, for several statements.
    pub(super) async fn connection(&self) -> Result<Connection, Error> {
        let opened = match self.inner.get().await {
            Ok(opened) => opened,
            Err(PoolError::Backend(error)) => return Err(error),
            Err(PoolError::Closed) => return Err(Error::PoolClosed),
            Err(PoolError::Timeout(TimeoutType::Wait)) => return Err(Error::PoolTimedOut),
            Err(error) => return Err(timed_out(&format!("no connection to the database: {error}"))),
        };
        let generation = self.inner.manager().generation.clone();
        Ok(Connection { opened: Some(opened), limit: self.limits.statement, usable: true, generation })
    }

    /// A transaction. It is rolled back unless it is committed.
    pub(super) async fn begin(&self) -> Result<Transaction, Error> {
        Transaction::begin(self.connection().await?).await
    }

    /// Closes every connection that is free, and those in use when they are given back.
    pub(super) async fn close(&self) {
        let free = self.inner.retain(|_, _| false).removed;
        self.inner.close();
        for opened in free {
            // The database ends it in any case when the socket closes.
            let _ = tokio::time::timeout(CLOSING_TIMEOUT, opened.connection.close()).await;
        }
    }
}

/// A connection of a pool. It goes back when it is dropped, unless it may be in the middle of something.
pub(super) struct Connection {
    opened: Option<Object<Opener>>,
    limit: Duration,
    /// False while a statement is under way, and for good when one was given up.
    usable: bool,
    generation: Arc<AtomicU64>,
}

impl Connection {
    /// Closes it for good, and with it whatever the session holds.
    pub(super) async fn close(mut self) {
        if let Some(opened) = self.opened.take() {
            let opened = Object::take(opened);
            let _ = tokio::time::timeout(CLOSING_TIMEOUT, opened.connection.close()).await;
        }
    }

    /// Whether it may be used for another statement.
    pub(super) fn is_usable(&self) -> bool {
        self.usable
    }

    fn parts(&mut self) -> Result<(&mut PgConnection, &mut bool, Duration), Error> {
        match &mut self.opened {
            Some(opened) if self.usable => Ok((&mut opened.connection, &mut self.usable, self.limit)),
            _ => Err(timed_out("this connection was given up")),
        }
    }

    async fn fetch_all_results<'q, E>(&mut self, query: E) -> Result<Vec<Either<PgQueryResult, PgRow>>, Error>
    where
        E: 'q + Execute<'q, Postgres>,
    {
        let (connection, usable, limit) = self.parts()?;
        *usable = false;
        let answer = tokio::time::timeout(limit, connection.fetch_many(query).try_collect()).await;
        conclude(usable, answer, limit)
    }
}

impl Drop for Connection {
    fn drop(&mut self) {
        let Some(opened) = self.opened.take() else { return };
        if !self.usable {
            self.generation.fetch_add(1, Ordering::AcqRel);
            drop(Object::take(opened));
        }
    }
}

/// What an answer says of the connection that it came by.
fn conclude<T>(
    usable: &mut bool,
    answer: Result<Result<T, Error>, tokio::time::error::Elapsed>,
    limit: Duration,
) -> Result<T, Error> {
    let answer = answer.unwrap_or_else(|_| {
        Err(timed_out(&format!("the database did not answer within {} s", limit.as_secs_f32())))
    });
    *usable = match &answer {
        Ok(_) => true,
        Err(error) => leaves_connection_usable(error),
    };
    answer
}

/// Whether the session goes on after this error: the server refused the statement, or this side could not read it.
fn leaves_connection_usable(error: &Error) -> bool {
    match error {
        // A class of its own: the server ends the session, whatever it says.
        Error::Database(error) => !error.code().is_some_and(|code| code.starts_with("57P")),
        Error::RowNotFound | Error::ColumnDecode { .. } | Error::Decode(_) | Error::Encode(_) => true,
        _ => false,
    }
}

fn timed_out(why: &str) -> Error {
    Error::Io(std::io::Error::new(std::io::ErrorKind::TimedOut, why.to_owned()))
}

impl std::fmt::Debug for Connection {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Connection").field("usable", &self.usable).finish_non_exhaustive()
    }
}

impl std::fmt::Debug for Pool {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Pool").field("limits", &self.limits).finish_non_exhaustive()
    }
}

/// The results of one statement, as a stream that owns them.
type Results<'e> = BoxStream<'e, Result<Either<PgQueryResult, PgRow>, Error>>;

fn one_by_one<'e>(
    answer: impl Future<Output = Result<Vec<Either<PgQueryResult, PgRow>>, Error>> + Send + 'e,
) -> Results<'e> {
    stream::once(answer).map_ok(|results| stream::iter(results.into_iter().map(Ok))).try_flatten().boxed()
}

impl<'c> Executor<'c> for &'c mut Connection {
    type Database = Postgres;

    fn fetch_many<'e, 'q: 'e, E>(self, query: E) -> Results<'e>
    where
        'c: 'e,
        E: 'q + Execute<'q, Postgres>,
    {
        one_by_one(async move { self.fetch_all_results(query).await })
    }

    fn fetch_optional<'e, 'q: 'e, E>(self, query: E) -> BoxFuture<'e, Result<Option<PgRow>, Error>>
    where
        'c: 'e,
        E: 'q + Execute<'q, Postgres>,
    {
        Box::pin(async move {
            let (connection, usable, limit) = self.parts()?;
            *usable = false;
            // It reads to the end of the answer, and so past the commit, before it returns the row.
            let answer = tokio::time::timeout(limit, connection.fetch_optional(query)).await;
            conclude(usable, answer, limit)
        })
    }

    fn prepare_with<'e>(
        self,
        sql: SqlStr,
        parameters: &'e [PgTypeInfo],
    ) -> BoxFuture<'e, Result<PgStatement, Error>>
    where
        'c: 'e,
    {
        Box::pin(async move {
            let (connection, usable, limit) = self.parts()?;
            *usable = false;
            let answer = tokio::time::timeout(limit, connection.prepare_with(sql, parameters)).await;
            conclude(usable, answer, limit)
        })
    }

    fn describe<'e>(self, sql: SqlStr) -> BoxFuture<'e, Result<Describe<Postgres>, Error>>
    where
        'c: 'e,
    {
        Box::pin(async move { self.parts()?.0.describe(sql).await })
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
