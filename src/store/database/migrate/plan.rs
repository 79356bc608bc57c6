//! What bringing the schema up to date would do, for an operator who wants to know it before.

use std::collections::BTreeSet;

use serde::Serialize;

use crate::domain::database_schema::SchemaName;

use super::applied::SchemaState;
use super::locks::{TableLock, read_locks};
use super::phase::Phase;
use super::{LOCK_TIMEOUT, MIGRATIONS};

/// What would be done.
#[derive(Debug, Clone)]
pub struct MigrationPlan {
    /// In which schema.
    pub schema: SchemaName,
    /// How it stands now.
    pub state: SchemaState,
    /// The migrations that would run, in their order.
    pub migrations: Vec<PlannedMigration>,
}

/// A migration that would run.
#[derive(Debug, Clone)]
pub struct PlannedMigration {
    /// Its number.
    pub version: i64,
    /// What it is about.
    pub description: String,
    /// What it does to programs of the version before.
    pub phase: Phase,
    /// The tables that are there already and that it keeps others from, until it has ended.
    pub locks: Vec<TableLock>,
}

/// The plan as programs read it.
#[derive(Serialize)]
struct Row<'a> {
    version: i64,
    description: &'a str,
    phase: &'static str,
    minimum_version: i64,
    locks: &'a [TableLock],
}

impl MigrationPlan {
    pub(super) fn new(schema: SchemaName, state: &SchemaState, is_applied: impl Fn(i64) -> bool) -> Self {
        // A table that is made here, nobody waits for.
        let mut made = BTreeSet::new();
        let missing = MIGRATIONS.iter().filter(|migration| !is_applied(migration.version));
        let planned = missing.map(|migration| PlannedMigration {
            version: migration.version,
            description: migration.description.clone().into_owned(),
            phase: Phase::of(migration.version, &migration.description),
            locks: read_locks(migration.sql.as_str(), &mut made),
        });
        Self { schema, state: *state, migrations: planned.collect() }
    }

    /// The plan for people.
    #[must_use]
    pub fn text(&self) -> String {
        let SchemaState { found, known, .. } = self.state;
        let head = if self.state.is_newer() {
            format!(
                "the schema {} is at version {found}, which is newer than this program's {known}",
                self.schema
            )
        } else {
            format!("the schema {} is at version {found}; this program's is {known}", self.schema)
        };
        if self.migrations.is_empty() {
            return format!("{head}\nnothing is to be done");
        }
        let steps: Vec<String> = self.migrations.iter().map(PlannedMigration::text).collect();
        format!(
            "{head}\n{}\neach runs in a transaction of its own; one that does not get a lock within {LOCK_TIMEOUT} is \
             undone, and can be run again",
            steps.join("\n")
        )
    }

    /// The plan for programs.
    ///
    /// # Errors
    /// When it cannot be written as JSON.
    pub fn json(&self) -> Result<String, serde_json::Error> {
        let rows: Vec<Row<'_>> = self.migrations.iter().map(PlannedMigration::row).collect();
        serde_json::to_string_pretty(&serde_json::json!({
            "schema": self.schema.as_str(),
            "found": self.state.found,
            "known": self.state.known,
            "migrations": rows,
        }))
    }
}

impl PlannedMigration {
    fn text(&self) -> String {
        let phase = match self.phase {
            Phase::Expand => "expands: nodes of the version before go on working".to_owned(),
            Phase::Contract { after } => {
                format!("contracts: every node must be of a program that knows version {after}")
            }
        };
        let mut lines = vec![format!("  {:04} {}; {phase}", self.version, self.description)];
        if self.locks.is_empty() {
            lines.push("       locks nothing that is there".to_owned());
        }
        lines.extend(self.locks.iter().map(|lock| format!("       {lock}")));
        lines.join("\n")
    }

    fn row(&self) -> Row<'_> {
        Row {
            version: self.version,
            description: &self.description,
            phase: if self.phase == Phase::Expand { "expand" } else { "contract" },
            minimum_version: self.phase.minimum_version(),
            locks: &self.locks,
        }
    }
}
