//! The schema. The migrations are part of the binary; they run under a lock of the database's, so any number of
//! nodes can start at once.

use sqlx::migrate::{Migrate as _, MigrateError as Failure, Migrator};
use sqlx::{Connection as _, PgConnection};

use crate::store::StoreError;

use super::Database;

static MIGRATIONS: Migrator = sqlx::migrate!();

/// Why the schema cannot be brought up to date.
#[derive(Debug, thiserror::Error)]
pub enum MigrateError {
    /// The database was migrated by a newer Postrider.
    #[error("the database's schema is at version {0}, which this Postrider does not know: run a newer one")]
    Newer(i64),
    /// A migration that ran is not the one in this binary.
    #[error("migration {0} in the database differs from this Postrider's: it was changed after it ran")]
    Changed(i64),
    /// A migration stopped half way; an operator must look.
    #[error("migration {0} did not end when it last ran; the database needs repair")]
    Dirty(i64),
    /// A migration failed; the database is as it was before it.
    #[error("the schema could not be brought up to date")]
    Failed(#[source] Failure),
    /// The database cannot be reached.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl From<Failure> for MigrateError {
    fn from(failure: Failure) -> Self {
        match failure {
            Failure::VersionMissing(version) => Self::Newer(version),
            Failure::VersionMismatch(version) => Self::Changed(version),
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
    /// [`MigrateError::Newer`] when the database is ahead of this binary.
    pub async fn migrate(&self) -> Result<(), MigrateError> {
        // A connection of its own: migrations may take long, and one that fails keeps its lock.
        let mut connection = PgConnection::connect_with(&self.options).await.map_err(StoreError::from)?;
        let done = MIGRATIONS.run(&mut connection).await;
        // The lock goes with the socket in any case.
        let _ = connection.close().await;
        Ok(done?)
    }

    /// Whether the schema is what this binary expects.
    ///
    /// # Errors
    /// [`MigrateError::Newer`] when the database is ahead of this binary.
    pub async fn schema_is_current(&self) -> Result<bool, MigrateError> {
        let mut connection = PgConnection::connect_with(&self.options).await.map_err(StoreError::from)?;
        let applied = match connection.list_applied_migrations(&MIGRATIONS.table_name).await {
            Ok(applied) => applied,
            Err(Failure::Execute(error)) if is_missing_table(&error) => return Ok(false),
            Err(failure) => return Err(failure.into()),
        };
        let known = |version| MIGRATIONS.version_exists(version);
        if let Some(newer) =
            applied.iter().map(|migration| migration.version).find(|version| !known(*version))
        {
            return Err(MigrateError::Newer(newer));
        }
        Ok(applied.len() == MIGRATIONS.iter().count())
    }
}

fn is_missing_table(error: &sqlx::Error) -> bool {
    error.as_database_error().and_then(sqlx::error::DatabaseError::code).is_some_and(|code| code == "42P01")
}
