//! Importing event types: many at once, in one commit.

use sqlx::types::Json;

use crate::domain::access::actor::Actor;
use crate::domain::event_type::settings::EventTypeSettings;
use crate::domain::id::EnvironmentId;
use crate::store::StoreError;
use crate::store::access::audit::{Entry, note};

use super::ConfigurationStore;

/// How to import.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ImportMode {
    /// Archives every event type that is not among them.
    pub replace_all: bool,
    /// Changes nothing, and only tells what would be changed.
    pub dry_run: bool,
}

/// What an import changed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Imported {
    /// Created, changed or brought back, in the order of the import.
    pub modified: Vec<String>,
    /// Archived.
    pub archived: Vec<String>,
}

impl ConfigurationStore {
    /// Creates these event types, or makes those that are there like them. What is like them already stays untouched.
    pub async fn import_event_types(
        &self,
        actor: &Actor,
        environment: &EnvironmentId,
        event_types: &[(String, EventTypeSettings)],
        mode: ImportMode,
    ) -> Result<Imported, StoreError> {
        let mut tx = self.pool.begin().await?;
        let mut imported = Imported::default();
        for (name, settings) in event_types {
            let written = sqlx::query!(
                r#"-- event_type::import
                INSERT INTO event_type
                    (environment_id, name, description, group_name, schemas, feature_flags, archived, deprecated)
                VALUES ($1, $2, $3, $4, $5, $6, false, $7)
                ON CONFLICT (environment_id, name) DO UPDATE SET description = excluded.description,
                    group_name = excluded.group_name, schemas = excluded.schemas,
                    feature_flags = excluded.feature_flags, archived = false, deprecated = excluded.deprecated,
                    updated_at = now()
                    WHERE event_type.archived
                       OR (event_type.description, event_type.group_name, event_type.schemas,
                           event_type.feature_flags, event_type.deprecated)
                          IS DISTINCT FROM (excluded.description, excluded.group_name, excluded.schemas,
                           excluded.feature_flags, excluded.deprecated)"#,
                environment.as_str(),
                name,
                settings.description,
                settings.group_name,
                settings.schemas.as_ref().map(Json) as _,
                settings.feature_flags.as_deref(),
                settings.deprecated,
            )
            .execute(&mut *tx)
            .await?;
            if written.rows_affected() > 0 {
                note(&mut tx, actor, Entry::in_environment(environment, "event_type.imported", name)).await?;
                imported.modified.push(name.clone());
            }
        }
        if mode.replace_all {
            let kept: Vec<String> = event_types.iter().map(|(name, _)| name.clone()).collect();
            imported.archived = sqlx::query_scalar!(
                r#"-- event_type::archive_others
                UPDATE event_type SET archived = true, updated_at = now()
                WHERE environment_id = $1 AND NOT archived AND name <> ALL($2) RETURNING name"#,
                environment.as_str(),
                &kept,
            )
            .fetch_all(&mut *tx)
            .await?;
            imported.archived.sort_unstable();
            for name in &imported.archived {
                note(&mut tx, actor, Entry::in_environment(environment, "event_type.archived", name)).await?;
            }
        }
        if mode.dry_run {
            drop(tx);
        } else {
            tx.commit().await?;
        }
        Ok(imported)
    }
}
