//! A transaction on a connection of a pool. What is dropped before its commit is rolled back in the background, within
//! a limit; a connection that does not do so in time is closed.

use std::ops::{Deref, DerefMut};

use sqlx::{Error, Executor};

use super::connection::Connection;
use super::opener::CLOSING_TIMEOUT;

/// A transaction. It derefs to its connection, on which statements run.
pub(in crate::store) struct Transaction {
    /// There until it is committed or dropped.
    connection: Option<Connection>,
}

impl Transaction {
    pub(super) async fn begin(mut connection: Connection) -> Result<Self, Error> {
        connection.execute("BEGIN").await?;
        Ok(Self { connection: Some(connection) })
    }

    /// Commits. After an error it is open whether it did.
    pub(in crate::store) async fn commit(mut self) -> Result<(), Error> {
        let Some(mut connection) = self.connection.take() else { return Ok(()) };
        connection.execute("COMMIT").await?;
        Ok(())
    }
}

impl Drop for Transaction {
    fn drop(&mut self) {
        let Some(mut connection) = self.connection.take().filter(Connection::is_usable) else { return };
        if let Ok(runtime) = tokio::runtime::Handle::try_current() {
            runtime.spawn(async move {
                // A rollback that is not answered closes the connection, which rolls back as well.
                if tokio::time::timeout(CLOSING_TIMEOUT, connection.execute("ROLLBACK")).await.is_err() {
                    connection.did_not_answer();
                }
            });
        }
    }
}

const GONE: &str = "a transaction is there until it is committed";

impl Deref for Transaction {
    type Target = Connection;

    #[expect(
        clippy::expect_used,
        reason = "only `commit` and `drop` take the connection, and nothing follows them"
    )]
    fn deref(&self) -> &Connection {
        self.connection.as_ref().expect(GONE)
    }
}

impl DerefMut for Transaction {
    #[expect(
        clippy::expect_used,
        reason = "only `commit` and `drop` take the connection, and nothing follows them"
    )]
    fn deref_mut(&mut self) -> &mut Connection {
        self.connection.as_mut().expect(GONE)
    }
}
