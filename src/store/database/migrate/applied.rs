//! What a database has of the migrations, against those of this binary.

use std::collections::BTreeMap;

use sqlx::postgres::{PgConnectOptions, PgConnection};

use super::phase::Phase;
use super::{MIGRATIONS, MigrateError};

/// SQLSTATE of a table that is not there.
const UNDEFINED_TABLE: &str = "42P01";

/// How a schema stands to what this binary expects.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SchemaState {
    /// The newest migration that the database has; 0 for none.
    pub found: i64,
    /// The newest that this binary has.
    pub known: i64,
    /// How many of this binary's are missing.
    pub missing: usize,
}

impl SchemaState {
    /// Whether everything that this binary expects is there.
    #[must_use]
    pub fn is_complete(&self) -> bool {
        self.missing == 0
    }

    /// Whether a newer Postrider has migrated it.
    #[must_use]
    pub fn is_newer(&self) -> bool {
        self.found > self.known
    }
}

/// The migrations that ran, each of which is one of this binary's or newer than all of them: descriptions by version.
pub(super) struct Applied(BTreeMap<i64, String>);

impl Applied {
    pub(super) async fn read(
        connection: &mut PgConnection,
        options: &PgConnectOptions,
    ) -> Result<Self, MigrateError> {
        let rows: Result<Vec<(i64, String, Vec<u8>)>, _> = sqlx::query_as(
            "-- migrate::applied\nSELECT version, description, checksum FROM _sqlx_migrations ORDER BY version",
        )
        .persistent(false)
        .fetch_all(connection)
        .await;
        let rows = match rows {
            Ok(rows) => rows,
            Err(error) if is_of_missing_table(&error) => Vec::new(),
            Err(error) => return Err(MigrateError::of_statement(error, options)),
        };
        // Before versions that are unknown: an unreleased database may have more migrations than there are now.
        if let Some((version, ..)) = rows.iter().find(|(version, _, checksum)| differs(*version, checksum)) {
            return Err(MigrateError::Unreleased(*version));
        }
        Ok(Self(rows.into_iter().map(|(version, description, _)| (version, description)).collect()))
    }

    pub(super) fn has(&self, version: i64) -> bool {
        self.0.contains_key(&version)
    }

    /// How it stands, if this binary may work with it.
    pub(super) fn state(&self) -> Result<SchemaState, MigrateError> {
        let known = MIGRATIONS.iter().map(|migration| migration.version).max().unwrap_or_default();
        let found = self.0.keys().next_back().copied().unwrap_or_default();
        let unknown = self.0.iter().filter(|(version, _)| !MIGRATIONS.version_exists(**version));
        let minimum =
            unknown.map(|(version, description)| minimum_version(*version, description, known)).max();
        match minimum {
            Some(minimum) if minimum > known => Err(MigrateError::Newer { found, minimum, known }),
            _ => {
                let missing = MIGRATIONS.iter().filter(|migration| !self.has(migration.version)).count();
                Ok(SchemaState { found, known, missing })
            }
        }
    }
}

/// The oldest version that a program must know to work beside a migration that this binary does not have. One in the
/// middle of those it has was never released.
fn minimum_version(version: i64, description: &str, known: i64) -> i64 {
    if version < known { known + 1 } else { Phase::of(version, description).minimum_version() }
}

fn differs(version: i64, checksum: &[u8]) -> bool {
    MIGRATIONS.iter().any(|known| known.version == version && *known.checksum != *checksum)
}

fn is_of_missing_table(error: &sqlx::Error) -> bool {
    let code = error.as_database_error().and_then(sqlx::error::DatabaseError::code);
    code.is_some_and(|code| code == UNDEFINED_TABLE)
}
