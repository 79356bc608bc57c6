//! Event types: an environment's catalogue.

use chrono::{DateTime, Utc};
use sqlx::types::Json;

use crate::domain::access::actor::Actor;
use crate::domain::event_type::settings::{EventTypeSettings, Schemas};
use crate::domain::id::EnvironmentId;
use crate::domain::page::{Scan, Stretch};
use crate::domain::settings::Settings;
use crate::store::StoreError;
use crate::store::access::audit::{Entry, note};
use crate::store::history::message::{ListedContent, stored_length};

use super::ConfigurationStore;

/// An event type as it is stored.
#[derive(Debug, Clone)]
pub struct EventTypeRecord {
    /// Its name.
    pub name: String,
    /// What was set.
    pub settings: EventTypeSettings,
    /// When it was created.
    pub created_at: DateTime<Utc>,
    /// When it was last changed.
    pub updated_at: DateTime<Utc>,
}

struct Row {
    name: String,
    description: String,
    group_name: Option<String>,
    schemas: Option<Json<Schemas>>,
    feature_flags: Option<Vec<String>>,
    archived: bool,
    deprecated: bool,
    created_at: DateTime<Utc>,
    updated_at: DateTime<Utc>,
}

impl From<Row> for EventTypeRecord {
    fn from(row: Row) -> Self {
        Self {
            name: row.name,
            settings: EventTypeSettings {
                description: row.description,
                group_name: row.group_name,
                schemas: row.schemas.map(|schemas| schemas.0),
                feature_flags: row.feature_flags,
                archived: row.archived,
                deprecated: row.deprecated,
            },
            created_at: row.created_at,
            updated_at: row.updated_at,
        }
    }
}

impl ConfigurationStore {
    /// The event type of that name, if it is there.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`].
    pub async fn event_type(
        &self,
        environment: &EnvironmentId,
        name: &str,
    ) -> Result<Option<EventTypeRecord>, StoreError> {
        let row = sqlx::query_as!(
            Row,
            r#"-- event_type::get
            SELECT name, description, group_name, schemas AS "schemas: Json<Schemas>", feature_flags, archived,
                deprecated, created_at, updated_at
            FROM event_type WHERE environment_id = $1 AND name = $2"#,
            environment.as_str(),
            name,
        )
        .fetch_optional(&self.pool)
        .await?;
        Ok(row.map(Into::into))
    }

    /// A stretch of the catalogue, by name; with `flags`, only what needs none of its own or one of these; with `asked`, only
    /// what has it in its name or description.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`].
    pub async fn event_types(
        &self,
        environment: &EnvironmentId,
        archived_too: bool,
        flags: Option<&[String]>,
        asked: Option<&str>,
        content: ListedContent,
        scan: &Scan<String>,
    ) -> Result<Stretch<EventTypeRecord>, StoreError> {
        let rows = sqlx::query!(
            r#"-- event_type::list
            SELECT name AS "name!", description AS "description!", group_name,
                CASE WHEN $7 THEN schemas END AS "schemas: Json<Schemas>", feature_flags, archived AS "archived!",
                deprecated AS "deprecated!", created_at AS "created_at!", updated_at AS "updated_at!",
                found AS "found!"
            FROM (
                SELECT *, count(*) OVER () AS found, row_number() OVER listed AS place,
                    sum(CASE WHEN $7 THEN octet_length(schemas::text) END)
                        OVER (listed ROWS UNBOUNDED PRECEDING) AS bytes
                FROM (
                    SELECT name, description, group_name, schemas, feature_flags, archived, deprecated, created_at,
                        updated_at
                    FROM event_type
                    WHERE environment_id = $1 AND ($2 OR NOT archived)
                        AND ($4::text IS NULL OR CASE WHEN $3 THEN name > $4 ELSE name < $4 END)
                        AND ($6::text[] IS NULL OR coalesce(feature_flags, '{}') = '{}' OR feature_flags && $6)
                        AND ($9::text IS NULL OR search_grams(ARRAY[name, description]) @> asked_grams($9)
                             AND has_text(ARRAY[name, description], $9))
                    ORDER BY CASE WHEN $3 THEN name END, CASE WHEN NOT $3 THEN name END DESC
                    LIMIT $5
                ) page
                WINDOW listed AS (ORDER BY CASE WHEN $3 THEN name END, CASE WHEN NOT $3 THEN name END DESC)
            ) weighed
            WHERE NOT $7 OR place = 1 OR coalesce(bytes, 0) <= $8
            ORDER BY place"#,
            environment.as_str(),
            archived_too,
            scan.ascending,
            scan.after.as_deref(),
            scan.limit,
            flags,
            content.is_included(),
            content.max_bytes(),
            asked,
        )
        .fetch_all(&self.pool)
        .await?;
        let is_cut = rows.first().is_some_and(|row| row.found > stored_length(rows.len()));
        let rows = rows.into_iter().map(|row| {
            let row = Row {
                name: row.name,
                description: row.description,
                group_name: row.group_name,
                schemas: row.schemas,
                feature_flags: row.feature_flags,
                archived: row.archived,
                deprecated: row.deprecated,
                created_at: row.created_at,
                updated_at: row.updated_at,
            };
            row.into()
        });
        Ok(Stretch { rows: rows.collect(), is_cut })
    }

    /// Creates an event type. An archived one of that name comes back with the new settings.
    ///
    /// # Errors
    /// [`StoreError::Conflict`] when the name is taken.
    pub async fn create_event_type(
        &self,
        actor: &Actor,
        environment: &EnvironmentId,
        name: &str,
        settings: &EventTypeSettings,
    ) -> Result<EventTypeRecord, StoreError> {
        let mut transaction = self.pool.begin().await?;
        let row = sqlx::query_as!(
            Row,
            r#"-- event_type::create
            INSERT INTO event_type
                (environment_id, name, description, group_name, schemas, feature_flags, archived, deprecated)
            VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
            ON CONFLICT (environment_id, name) DO UPDATE SET description = excluded.description,
                group_name = excluded.group_name, schemas = excluded.schemas,
                feature_flags = excluded.feature_flags, archived = excluded.archived,
                deprecated = excluded.deprecated, updated_at = now()
                WHERE event_type.archived
            RETURNING name, description, group_name, schemas AS "schemas: Json<Schemas>", feature_flags, archived,
                deprecated, created_at, updated_at"#,
            environment.as_str(),
            name,
            settings.description,
            settings.group_name,
            settings.schemas.as_ref().map(Json) as _,
            settings.feature_flags.as_deref(),
            settings.archived,
            settings.deprecated,
        )
        .fetch_optional(&mut *transaction)
        .await?
        .ok_or(StoreError::Conflict("An event type of that name is there already."))?;
        let entry = Entry::in_environment(environment, "event_type.created", name);
        note(&mut transaction, actor, entry).await?;
        transaction.commit().await?;
        Ok(row.into())
    }

    /// Changes an event type, if it is there. What `change` refuses is not written.
    ///
    /// # Errors
    /// That of `change`, or [`StoreError`] turned into it.
    pub async fn change_event_type<E: From<StoreError>>(
        &self,
        actor: &Actor,
        environment: &EnvironmentId,
        name: &str,
        change: impl FnOnce(&EventTypeSettings) -> Result<EventTypeSettings, E>,
    ) -> Result<Option<EventTypeRecord>, E> {
        let mut transaction = self.pool.begin().await.map_err(StoreError::from)?;
        let row = sqlx::query_as!(
            Row,
            r#"-- event_type::get_to_change
            SELECT name, description, group_name, schemas AS "schemas: Json<Schemas>", feature_flags, archived,
                deprecated, created_at, updated_at
            FROM event_type WHERE environment_id = $1 AND name = $2 FOR NO KEY UPDATE"#,
            environment.as_str(),
            name,
        )
        .fetch_optional(&mut *transaction)
        .await
        .map_err(StoreError::from)?;
        let Some(row) = row else { return Ok(None) };
        let record = EventTypeRecord::from(row);
        let settings = change(&record.settings)?;
        let updated_at = sqlx::query_scalar!(
            "-- event_type::change
            UPDATE event_type SET description = $3, group_name = $4, schemas = $5, feature_flags = $6,
                archived = $7, deprecated = $8, updated_at = now()
            WHERE environment_id = $1 AND name = $2
            RETURNING updated_at",
            environment.as_str(),
            name,
            settings.description,
            settings.group_name,
            settings.schemas.as_ref().map(Json) as _,
            settings.feature_flags.as_deref(),
            settings.archived,
            settings.deprecated,
        )
        .fetch_one(&mut *transaction)
        .await
        .map_err(StoreError::from)?;
        let fields = record.settings.changed_in(&settings);
        let entry = Entry::in_environment(environment, "event_type.updated", name).fields(&fields);
        note(&mut transaction, actor, entry).await?;
        transaction.commit().await.map_err(StoreError::from)?;
        Ok(Some(EventTypeRecord { settings, updated_at, ..record }))
    }

    /// Takes an event type out of the catalogue for good. False when it is not there.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`].
    pub async fn expunge_event_type(
        &self,
        actor: &Actor,
        environment: &EnvironmentId,
        name: &str,
    ) -> Result<bool, StoreError> {
        let mut transaction = self.pool.begin().await?;
        let deleted = sqlx::query!(
            "-- event_type::expunge
            DELETE FROM event_type WHERE environment_id = $1 AND name = $2",
            environment.as_str(),
            name,
        )
        .execute(&mut *transaction)
        .await?;
        if deleted.rows_affected() == 0 {
            return Ok(false);
        }
        let entry = Entry::in_environment(environment, "event_type.expunged", name);
        note(&mut transaction, actor, entry).await?;
        transaction.commit().await?;
        Ok(true)
    }
}
