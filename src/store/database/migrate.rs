//! The schema. The migrations are part of the binary; they run under a lock of the database's, so any number of
//! nodes can start at once.

use sqlx::migrate::{AppliedMigration, Migrate as _, MigrateError as Failure, Migrator};
use sqlx::postgres::PgConnectOptions;
use sqlx::{Connection as _, PgConnection};

use crate::store::StoreError;

use super::Database;
use super::unusable::UnusableDatabase;

static MIGRATIONS: Migrator = sqlx::migrate!();

/// Why the schema cannot be brought up to date.
#[derive(Debug, thiserror::Error)]
pub enum MigrateError {
    /// The database was migrated by a newer Postrider.
    #[error("the database's schema is at version {0}, which this Postrider does not know: run a newer one")]
    Newer(i64),
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
/// SQLSTATE of a table that is not there.
const UNDEFINED_TABLE: &str = "42P01";

impl MigrateError {
    fn of(failure: Failure, options: &PgConnectOptions) -> Self {
        match failure {
            Failure::Execute(error) | Failure::ExecuteMigration(error, _)
                if has_code(&error, INSUFFICIENT_PRIVILEGE) =>
            {
                Self::Unusable(UnusableDatabase::of(&error, options))
            }
            Failure::VersionMissing(version) => Self::Newer(version),
            Failure::VersionMismatch(version) => Self::Unreleased(version),
            Failure::Dirty(version) => Self::Dirty(version),
            Failure::Execute(error) => Self::Store(error.into()),
            other => Self::Failed(other),
        }
    }
}

impl Database {
    /// Brings the schema up to date. Other nodes that do the same wait for each other.
    ///
    /// # Errors
    /// [`MigrateError::Newer`] when the database is ahead of this binary, [`MigrateError::Unreleased`] when its
    /// migrations are not those of a release.
    pub async fn migrate(&self) -> Result<(), MigrateError> {
        // A connection of its own: migrations may take long, and one that fails keeps its lock.
        let unusable = |error| UnusableDatabase::of(&error, &self.options);
        let mut connection = PgConnection::connect_with(&self.options).await.map_err(unusable)?;
        let done = run(&mut connection, &self.options).await;
        // The lock goes with the socket in any case.
        let _ = connection.close().await;
        done
    }

    /// Whether the schema is what this binary expects.
    ///
    /// # Errors
    /// As [`Database::migrate`].
    pub async fn schema_is_current(&self) -> Result<bool, MigrateError> {
        let options = self.options.clone().options([("statement_timeout", "15s"), ("lock_timeout", "5s")]);
        let unusable = |error| UnusableDatabase::of(&error, &self.options);
        let mut connection = PgConnection::connect_with(&options).await.map_err(unusable)?;
        Ok(applied(&mut connection, &options).await? == MIGRATIONS.iter().count())
    }
}

async fn run(connection: &mut PgConnection, options: &PgConnectOptions) -> Result<(), MigrateError> {
    let failed = |failure| MigrateError::of(failure, options);
    // Nodes that start together take turns, however long a migration takes.
    connection.lock().await.map_err(failed)?;
    applied(connection, options).await?;
    // A migration that waits for a lock makes every statement behind it wait as well.
    sqlx::raw_sql("SET lock_timeout = '10s'; SET statement_timeout = '1h'")
        .execute(&mut *connection)
        .await
        .map_err(StoreError::from)?;
    MIGRATIONS.run(connection).await.map_err(failed)
}

/// How many migrations the database has, each of which is one of this binary's.
async fn applied(connection: &mut PgConnection, options: &PgConnectOptions) -> Result<usize, MigrateError> {
    let applied = match connection.list_applied_migrations(&MIGRATIONS.table_name).await {
        Ok(applied) => applied,
        Err(Failure::Execute(error)) if has_code(&error, UNDEFINED_TABLE) => return Ok(0),
        Err(failure) => return Err(MigrateError::of(failure, options)),
    };
    // Before versions that are unknown: an unreleased database may have more migrations than there are now.
    if let Some(other) = applied.iter().find(|migration| differs(migration)) {
        return Err(MigrateError::Unreleased(other.version));
    }
    if let Some(newer) = applied.iter().find(|migration| !MIGRATIONS.version_exists(migration.version)) {
        return Err(MigrateError::Newer(newer.version));
    }
    Ok(applied.len())
}

fn differs(applied: &AppliedMigration) -> bool {
    MIGRATIONS.iter().any(|known| known.version == applied.version && known.checksum != applied.checksum)
}

fn has_code(error: &sqlx::Error, expected: &str) -> bool {
    error.as_database_error().and_then(sqlx::error::DatabaseError::code).is_some_and(|code| code == expected)
}
