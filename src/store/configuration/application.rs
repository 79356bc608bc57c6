//! Applications: the tenants of an environment. The hidden one, of its operational webhooks, is not among them.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use serde_json::Value;
use sqlx::types::Json;
use uuid::Uuid;

use crate::domain::access::actor::Actor;
use crate::domain::application::settings::ApplicationSettings;
use crate::domain::id::reference::Reference;
use crate::domain::id::{ApplicationId, EnvironmentId};
use crate::domain::page::Scan;
use crate::domain::retention::RetentionSettings;
use crate::domain::settings::Settings;
use crate::store::StoreError;
use crate::store::access::audit::{Entry, note};
use crate::store::access::token_cutoff::announce;
use crate::store::database::connection::Connection;
use crate::store::operational::write_notice::write_deletion_notices;

use super::ConfigurationStore;
use super::version::raise_version;
use crate::store::database::stored_policy::stored_policy;

/// An application as it is stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ApplicationRecord {
    /// Its id.
    pub id: ApplicationId,
    /// What was set.
    pub settings: ApplicationSettings,
    /// Since when it is paused.
    pub paused_at: Option<DateTime<Utc>>,
    /// When it was created.
    pub created_at: DateTime<Utc>,
    /// When it was last changed.
    pub updated_at: DateTime<Utc>,
}

struct Row {
    id: Uuid,
    uid: Option<String>,
    name: String,
    policy: Value,
    retention: Json<RetentionSettings>,
    metadata: Json<BTreeMap<String, String>>,
    paused_at: Option<DateTime<Utc>>,
    created_at: DateTime<Utc>,
    updated_at: DateTime<Utc>,
}

impl TryFrom<Row> for ApplicationRecord {
    type Error = StoreError;

    fn try_from(row: Row) -> Result<Self, StoreError> {
        Ok(Self {
            id: row.id.into(),
            settings: ApplicationSettings {
                policy: stored_policy(row.policy, ApplicationId::from(row.id))?,
                retention: row.retention.0,
                uid: row.uid,
                name: row.name,
                metadata: row.metadata.0,
            },
            paused_at: row.paused_at,
            created_at: row.created_at,
            updated_at: row.updated_at,
        })
    }
}

impl ConfigurationStore {
    /// The id of the application of that name, if it is there.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`].
    pub async fn application_id(
        &self,
        environment: &EnvironmentId,
        reference: &Reference<ApplicationId>,
    ) -> Result<Option<ApplicationId>, StoreError> {
        let id = sqlx::query_scalar!(
            "-- application::id
            SELECT id FROM application
            WHERE environment_id = $1 AND (id = $2 OR uid = $3) AND purpose IS NULL AND deleted_at IS NULL",
            environment.as_str(),
            reference.id(),
            reference.uid(),
        )
        .fetch_optional(&self.pool)
        .await?;
        Ok(id.map(Into::into))
    }

    /// The id of the application of that name; one that is deleted goes by its id, as long as its row is there.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`].
    pub async fn application_ever(
        &self,
        environment: &EnvironmentId,
        reference: &Reference<ApplicationId>,
    ) -> Result<Option<ApplicationId>, StoreError> {
        let id = sqlx::query_scalar!(
            "-- application::id_ever
            SELECT id FROM application
            WHERE environment_id = $1 AND (id = $2 OR uid = $3 AND deleted_at IS NULL) AND purpose IS NULL",
            environment.as_str(),
            reference.id(),
            reference.uid(),
        )
        .fetch_optional(&self.pool)
        .await?;
        Ok(id.map(Into::into))
    }

    /// The application of that name, if it is there.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`].
    pub async fn application(
        &self,
        environment: &EnvironmentId,
        reference: &Reference<ApplicationId>,
    ) -> Result<Option<ApplicationRecord>, StoreError> {
        let mut connection = self.pool.connection().await?;
        find(&mut connection, environment, reference).await
    }

    /// A stretch of the environment's applications, by id; with `asked`, those that have it in their name or `uid`.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`].
    pub async fn applications(
        &self,
        environment: &EnvironmentId,
        asked: Option<&str>,
        scan: &Scan<ApplicationId>,
    ) -> Result<Vec<ApplicationRecord>, StoreError> {
        let rows = sqlx::query_as!(
            Row,
            r#"-- application::list
            (SELECT id AS "id!", uid, name AS "name!", policy AS "policy!",
                retention AS "retention!: Json<RetentionSettings>",
                metadata AS "metadata!: Json<BTreeMap<String, String>>",
                paused_at, created_at AS "created_at!", updated_at AS "updated_at!"
             FROM application
             WHERE $2 AND environment_id = $1 AND purpose IS NULL AND deleted_at IS NULL
                AND id > coalesce($3, '00000000-0000-0000-0000-000000000000'::uuid)
                AND ($5::text IS NULL
                     OR search_grams(ARRAY[name, uid]) @> asked_grams($5) AND has_text(ARRAY[name, uid], $5))
             ORDER BY id LIMIT $4)
            UNION ALL
            (SELECT id, uid, name, policy, retention, metadata, paused_at, created_at, updated_at
             FROM application
             WHERE NOT $2 AND environment_id = $1 AND purpose IS NULL AND deleted_at IS NULL
                AND id < coalesce($3, 'ffffffff-ffff-ffff-ffff-ffffffffffff'::uuid)
                AND ($5::text IS NULL
                     OR search_grams(ARRAY[name, uid]) @> asked_grams($5) AND has_text(ARRAY[name, uid], $5))
             ORDER BY id DESC LIMIT $4)"#,
            environment.as_str(),
            scan.ascending,
            scan.after.map(ApplicationId::uuid),
            scan.limit,
            asked,
        )
        .fetch_all(&self.pool)
        .await?;
        rows.into_iter().map(TryInto::try_into).collect()
    }

    /// Creates an application.
    ///
    /// # Errors
    /// [`StoreError::Conflict`] when the `uid` is taken.
    pub async fn create_application(
        &self,
        actor: &Actor,
        environment: &EnvironmentId,
        settings: &ApplicationSettings,
    ) -> Result<ApplicationRecord, StoreError> {
        let id = ApplicationId::generate();
        let mut transaction = self.pool.begin().await?;
        let row = sqlx::query_as!(
            Row,
            r#"-- application::create
            INSERT INTO application (id, environment_id, uid, name, policy, metadata, retention)
            VALUES ($1, $2, $3, $4, $5, $6, $7)
            RETURNING id, uid, name, policy, retention AS "retention: Json<RetentionSettings>", metadata AS "metadata: Json<BTreeMap<String, String>>", paused_at, created_at, updated_at"#,
            id.uuid(),
            environment.as_str(),
            settings.uid,
            settings.name,
            settings.policy.to_document(),
            Json(&settings.metadata) as _,
            settings.retention.to_document(),
        )
        .fetch_one(&mut *transaction)
        .await
        .map_err(uid_taken)?;
        let entry = Entry::of(Some(environment), Some(id), "application.created", id);
        note(&mut transaction, actor, entry).await?;
        transaction.commit().await?;
        row.try_into()
    }

    /// Changes an application, if it is there. What `change` refuses is not written.
    ///
    /// # Errors
    /// That of `change`, or [`StoreError`] turned into it: a conflict when the new `uid` is taken.
    pub async fn change_application<E: From<StoreError>>(
        &self,
        actor: &Actor,
        environment: &EnvironmentId,
        reference: &Reference<ApplicationId>,
        change: impl FnOnce(&ApplicationSettings) -> Result<ApplicationSettings, E>,
    ) -> Result<Option<ApplicationRecord>, E> {
        let mut transaction = self.pool.begin().await.map_err(StoreError::from)?;
        let Some(ApplicationRecord { id, .. }) = find(&mut transaction, environment, reference).await? else {
            return Ok(None);
        };
        if !raise_version(&mut transaction, id).await? {
            return Ok(None);
        }
        // Read again under the lock that raising took.
        let Some(record) = find(&mut transaction, environment, &Reference::Id(id)).await? else {
            return Ok(None);
        };
        let before = record.settings;
        let settings = change(&before)?;
        let updated_at = sqlx::query_scalar!(
            "-- application::change
            UPDATE application SET uid = $2, name = $3, policy = $4, metadata = $5,
                retention = $6, updated_at = now()
            WHERE id = $1
            RETURNING updated_at",
            id.uuid(),
            settings.uid,
            settings.name,
            settings.policy.to_document(),
            Json(&settings.metadata) as _,
            settings.retention.to_document(),
        )
        .fetch_one(&mut *transaction)
        .await
        .map_err(uid_taken)?;
        let fields = before.changed_in(&settings);
        let entry = Entry::in_application(id, "application.updated", id).fields(&fields);
        note(&mut transaction, actor, entry).await?;
        transaction.commit().await.map_err(StoreError::from)?;
        Ok(Some(ApplicationRecord { settings, updated_at, ..record }))
    }

    /// Deletes an application with its endpoints. False when it is not there.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`].
    pub async fn delete_application(&self, actor: &Actor, id: ApplicationId) -> Result<bool, StoreError> {
        let mut transaction = self.pool.begin().await?;
        if !raise_version(&mut transaction, id).await? {
            return Ok(false);
        }
        write_deletion_notices(&mut transaction, id).await?;
        sqlx::query!(
            "-- application::delete
            WITH endpoints AS (
                UPDATE endpoint SET deleted_at = now() WHERE application_id = $1 AND deleted_at IS NULL
            )
            UPDATE application SET deleted_at = now(), updated_at = now() WHERE id = $1",
            id.uuid(),
        )
        .execute(&mut *transaction)
        .await?;
        note(&mut transaction, actor, Entry::in_application(id, "application.deleted", id)).await?;
        // Whatever was issued for it ends with it.
        announce(&mut transaction, id).await?;
        transaction.commit().await?;
        Ok(true)
    }
}

async fn find(
    connection: &mut Connection,
    environment: &EnvironmentId,
    reference: &Reference<ApplicationId>,
) -> Result<Option<ApplicationRecord>, StoreError> {
    let row = sqlx::query_as!(
        Row,
        r#"-- application::get
        SELECT id, uid, name, policy, retention AS "retention: Json<RetentionSettings>", metadata AS "metadata: Json<BTreeMap<String, String>>", paused_at, created_at, updated_at
        FROM application
        WHERE environment_id = $1 AND (id = $2 OR uid = $3) AND purpose IS NULL AND deleted_at IS NULL"#,
        environment.as_str(),
        reference.id(),
        reference.uid(),
    )
    .fetch_optional(connection)
    .await?;
    row.map(TryInto::try_into).transpose()
}

fn uid_taken(error: sqlx::Error) -> StoreError {
    match StoreError::from(error) {
        StoreError::Conflict(_) => StoreError::Conflict("Another application has that uid."),
        other => other,
    }
}
