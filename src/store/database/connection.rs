//! Connections to the database, with a limit on everything that is waited for: a free connection, a new one, and the
//! answer to each statement. A connection that did not answer in time, or broke, is closed and never used again, and so are
//! those that were opened before it. One whose statement was given up half-way, because nobody waits for it any more, is
//! closed as well; it says nothing of the others.
//!
//! The limits are this side's own. `statement_timeout` and `lock_timeout` are set as well, so that a server that can
//! still think ends its work first; but a server behind a proxy that has fallen silent can do nothing for us.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use deadpool::managed::Object;
use futures_util::future::BoxFuture;
use futures_util::stream::{self, BoxStream, StreamExt, TryStreamExt};
use sqlx::postgres::{PgConnection, PgQueryResult, PgRow, PgStatement, PgTypeInfo};
use sqlx::{Connection as _, Describe, Either, Error, Execute, Executor, Postgres, SqlStr};

use super::measured::{Measured, Measuring};
use super::opener::{CLOSING_TIMEOUT, Opener};

/// A connection of a pool. It goes back when it is dropped, unless it may be in the middle of something.
pub(in crate::store) struct Connection {
    opened: Option<Object<Opener>>,
    limit: Duration,
    state: State,
    generation: Arc<AtomicU64>,
}

/// What a connection can be used for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    /// For the next statement.
    Free,
    /// A statement is under way: when it is given up, nobody knows what comes next.
    UnderWay,
    /// For nothing: it did not answer in time, or broke.
    Broken,
}

impl Connection {
    /// One that a pool has handed out.
    pub(super) fn new(opened: Object<Opener>, limit: Duration, generation: Arc<AtomicU64>) -> Self {
        Self { opened: Some(opened), limit, state: State::Free, generation }
    }

    /// Closes it for good, and with it whatever the session holds.
    pub(in crate::store) async fn close(mut self) {
        if let Some(opened) = self.opened.take() {
            let opened = Object::take(opened);
            let _ = tokio::time::timeout(CLOSING_TIMEOUT, opened.connection.close()).await;
        }
    }

    /// Whether it may be used for another statement.
    pub(super) fn is_usable(&self) -> bool {
        self.state == State::Free
    }

    /// Says that it did not answer in time, where somebody else measured that.
    pub(super) fn did_not_answer(&mut self) {
        self.state = State::Broken;
    }

    fn parts(&mut self) -> Result<(&mut PgConnection, &mut State, Duration), Error> {
        match &mut self.opened {
            Some(opened) if self.state == State::Free => {
                Ok((&mut opened.connection, &mut self.state, self.limit))
            }
            _ => Err(timed_out("this connection was given up")),
        }
    }

    pub(super) async fn fetch_all_results<'q, E>(
        &mut self,
        query: E,
    ) -> Result<Vec<Either<PgQueryResult, PgRow>>, Error>
    where
        E: 'q + Execute<'q, Postgres>,
    {
        let (connection, state, limit) = self.parts()?;
        let (query, measuring) = Measured::begin(query);
        *state = State::UnderWay;
        let answer = tokio::time::timeout(limit, connection.fetch_many(query).try_collect()).await;
        conclude(state, measuring, answer, limit)
    }
}

impl Drop for Connection {
    fn drop(&mut self) {
        let Some(opened) = self.opened.take() else { return };
        if self.state == State::Broken {
            self.generation.fetch_add(1, Ordering::AcqRel);
        }
        if self.state != State::Free {
            drop(Object::take(opened));
        }
    }
}

/// What an answer says of the connection that it came by.
fn conclude<T>(
    state: &mut State,
    measuring: Measuring,
    answer: Result<Result<T, Error>, tokio::time::error::Elapsed>,
    limit: Duration,
) -> Result<T, Error> {
    let answer = answer.unwrap_or_else(|_| {
        Err(timed_out(&format!("the database did not answer within {} s", limit.as_secs_f32())))
    });
    measuring.ended(answer.is_ok());
    *state = match &answer {
        Err(error) if !leaves_connection_usable(error) => State::Broken,
        _ => State::Free,
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

pub(super) fn timed_out(why: &str) -> Error {
    Error::Io(std::io::Error::new(std::io::ErrorKind::TimedOut, why.to_owned()))
}

impl std::fmt::Debug for Connection {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Connection").field("state", &self.state).finish_non_exhaustive()
    }
}

/// The results of one statement, as a stream that owns them.
pub(super) type Results<'e> = BoxStream<'e, Result<Either<PgQueryResult, PgRow>, Error>>;

pub(super) fn one_by_one<'e>(
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
            let (connection, state, limit) = self.parts()?;
            let (query, measuring) = Measured::begin(query);
            *state = State::UnderWay;
            // It reads to the end of the answer, and so past the commit, before it returns the row.
            let answer = tokio::time::timeout(limit, connection.fetch_optional(query)).await;
            conclude(state, measuring, answer, limit)
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
            let (connection, state, limit) = self.parts()?;
            *state = State::UnderWay;
            let answer = tokio::time::timeout(limit, connection.prepare_with(sql, parameters)).await;
            conclude(state, Measuring::none(), answer, limit)
        })
    }

    fn describe<'e>(self, sql: SqlStr) -> BoxFuture<'e, Result<Describe<Postgres>, Error>>
    where
        'c: 'e,
    {
        Box::pin(async move { self.parts()?.0.describe(sql).await })
    }
}
