//! The schema. The migrations are part of the binary; they run under a lock, so any number of nodes can start at once.
//! Each installation has its own record of them, in its own schema.
//!
//! A migration widens what is there, so that nodes of the version before go on working beside it; one that narrows says
//! in its name which programs it needs (`phase.rs`). So a database that is newer than this binary is worked with as long
//! as it allows it.

mod applied;
mod locks;
mod phase;
mod plan;

use std::sync::LazyLock;

use sqlx::migrate::{Migrate as _, MigrateError as Failure, Migrator};
use sqlx::postgres::{PgConnectOptions, PgConnection};
use sqlx::{AssertSqlSafe, Connection as _, Executor as _};

use crate::domain::database_schema::SchemaName;
use crate::store::StoreError;

use super::Database;
use super::unusable::UnusableDatabase;

use applied::Applied;

pub use applied::SchemaState;
pub use locks::{Blocked, TableLock};
pub use phase::Phase;
pub use plan::{MigrationPlan, PlannedMigration};

/// This module takes the lock and judges what it does not know.
static MIGRATIONS: LazyLock<Migrator> = LazyLock::new(|| {
    let mut migrations = sqlx::migrate!();
    migrations.set_locking(false).set_ignore_missing(true);
    migrations
});

/// A migration that waits for a lock makes every statement behind it wait as well.
const LOCK_TIMEOUT: &str = "10s";
/// The longest that one statement of a migration may take.
const STATEMENT_TIMEOUT: &str = "1h";

/// Why the schema cannot be brought up to date.
#[derive(Debug, thiserror::Error)]
pub enum MigrateError {
    /// The database was migrated by a newer Postrider, and no longer works with this one.
    #[error(
        "the database's schema is at version {found}, and works with programs that know version {minimum} at least; this \
         Postrider knows {known}: run a newer one"
    )]
    Newer {
        /// The newest that the database has.
        found: i64,
        /// The oldest that a program must know.
        minimum: i64,
        /// The newest that this one knows.
        known: i64,
    },
    /// A migration that ran is not the one in this binary: releases never change one, so it was not a release.
    #[error(
        "migration {0} in the database differs from this Postrider's: an unreleased version made this database, and \
         there is no upgrade from it; give Postrider an empty database (or, where it runs its own, another \
         data directory)"
    )]
    Unreleased(i64),
    /// A migration stopped half way; an operator must look.
    #[error("migration {0} did not end when it last ran; the database needs repair")]
    Dirty(i64),
    /// A migration failed; the database is as it was before it.
    #[error("the schema could not be brought up to date")]
    Failed(#[source] Failure),
    /// The database does not let its user do what is needed, or cannot be reached.
    #[error(transparent)]
    Unusable(#[from] UnusableDatabase),
    /// The database gave up.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// SQLSTATE of a missing privilege.
const INSUFFICIENT_PRIVILEGE: &str = "42501";

impl MigrateError {
    fn of(failure: Failure, options: &PgConnectOptions) -> Self {
        match failure {
            Failure::Execute(error) | Failure::ExecuteMigration(error, _) if lacks_privilege(&error) => {
                Self::Unusable(UnusableDatabase::of(&error, options))
            }
            Failure::VersionMismatch(version) => Self::Unreleased(version),
            Failure::Dirty(version) => Self::Dirty(version),
            Failure::Execute(error) => Self::Store(error.into()),
            other => Self::Failed(other),
        }
    }

    fn of_statement(error: sqlx::Error, options: &PgConnectOptions) -> Self {
        Self::of(Failure::Execute(error), options)
    }
}

fn lacks_privilege(error: &sqlx::Error) -> bool {
    let code = error.as_database_error().and_then(sqlx::error::DatabaseError::code);
    code.is_some_and(|code| code == INSUFFICIENT_PRIVILEGE)
}

impl Database {
    /// Brings the schema up to date; makes it, if it is not there. Other nodes that do the same wait for each other.
    ///
    /// # Errors
    /// [`MigrateError::Newer`] when the database is too far ahead of this binary, [`MigrateError::Unreleased`] when its
    /// migrations are not those of a release.
    pub async fn migrate(&self) -> Result<SchemaState, MigrateError> {
        // A connection of its own: migrations may take long, and one that fails keeps its lock.
        let mut connection = self.connect(&[]).await?;
        let done = run(&mut connection, self.sessions.connect_options(), self.sessions.schema()).await;
        // The lock goes with the socket in any case.
        let _ = connection.close().await;
        done
    }

    /// How the schema stands to what this binary expects. Nothing is changed.
    ///
    /// # Errors
    /// As [`Database::migrate`].
    pub async fn schema_state(&self) -> Result<SchemaState, MigrateError> {
        self.applied().await?.state()
    }

    /// What [`Database::migrate`] would do. Nothing is changed, and nothing is waited for.
    ///
    /// # Errors
    /// As [`Database::migrate`].
    pub async fn migration_plan(&self) -> Result<MigrationPlan, MigrateError> {
        let applied = self.applied().await?;
        let state = applied.state()?;
        Ok(MigrationPlan::new(self.sessions.schema().clone(), &state, |version| applied.has(version)))
    }

    /// The schema that the tables are in.
    #[must_use]
    pub fn schema(&self) -> &SchemaName {
        self.sessions.schema()
    }

    async fn applied(&self) -> Result<Applied, MigrateError> {
        let limits = [("statement_timeout", "15s"), ("lock_timeout", "5s")];
        let mut connection = self.connect(&limits).await?;
        let applied = Applied::read(&mut connection, self.sessions.connect_options()).await;
        let _ = connection.close().await;
        applied
    }

    async fn connect(&self, settings: &[(&'static str, &str)]) -> Result<PgConnection, UnusableDatabase> {
        let settings: Vec<(&'static str, String)> =
            settings.iter().map(|(name, value)| (*name, (*value).to_owned())).collect();
        let connected = self.sessions.with(&settings).connect().await;
        connected.map_err(|error| UnusableDatabase::of(&error, self.sessions.connect_options()))
    }
}

async fn run(
    connection: &mut PgConnection,
    options: &PgConnectOptions,
    schema: &SchemaName,
) -> Result<SchemaState, MigrateError> {
    let refused = |error| MigrateError::of_statement(error, options);
    lock(connection, schema).await.map_err(|failure| MigrateError::of(failure, options))?;
    make_schema(connection, schema).await.map_err(refused)?;
    Applied::read(connection, options).await?.state()?;
    let limits =
        format!("SET lock_timeout = '{LOCK_TIMEOUT}'; SET statement_timeout = '{STATEMENT_TIMEOUT}'");
    connection.execute(AssertSqlSafe(limits)).await.map_err(refused)?;
    MIGRATIONS.run(&mut *connection).await.map_err(|failure| MigrateError::of(failure, options))?;
    Applied::read(connection, options).await?.state()
}

/// Nodes that start together take turns, however long a migration takes. Another schema's do not wait.
async fn lock(connection: &mut PgConnection, schema: &SchemaName) -> Result<(), Failure> {
    if schema.is_public() {
        // The lock that the versions before this one take.
        return connection.lock().await;
    }
    sqlx::query("-- migrate::lock\nSELECT pg_advisory_lock(hashtextextended('postrider migrate ' || $1, 0))")
        .bind(schema.as_str())
        .execute(connection)
        .await?;
    Ok(())
}

/// `IF NOT EXISTS` asks for the privilege to make one even where it is there.
async fn make_schema(connection: &mut PgConnection, schema: &SchemaName) -> Result<(), sqlx::Error> {
    let is_there: bool = sqlx::query_scalar(
        "-- migrate::schema_is_there\nSELECT EXISTS (SELECT FROM pg_catalog.pg_namespace WHERE nspname = $1)",
    )
    .bind(schema.as_str())
    .fetch_one(&mut *connection)
    .await?;
    if !is_there {
        // The name has nothing that quotes would not keep.
        let make = format!("-- migrate::make_schema\nCREATE SCHEMA \"{schema}\"");
        connection.execute(AssertSqlSafe(make)).await?;
    }
    Ok(())
}
