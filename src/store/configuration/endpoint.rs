//! Endpoints, without their secrets.

pub(in crate::store) mod exported;
pub(in crate::store) mod record;

use std::collections::BTreeMap;

use serde_json::json;
use sqlx::types::Json;
use uuid::Uuid;

use crate::domain::access::actor::Actor;
use crate::domain::delivery::operational::NoticeKind;
use crate::domain::endpoint::secret::SigningSecret;
use crate::domain::endpoint::settings::EndpointSettings;
use crate::domain::endpoint::url_credentials::UrlCredentials;
use crate::domain::id::{ApplicationId, EndpointId};
use crate::domain::page::{Scan, Stretch};
use crate::domain::settings::Settings;
use crate::store::StoreError;
use crate::store::access::audit::{Entry, note};
use crate::store::database::connection::Connection;
use crate::store::history::message::{ListedContent, stored_length};
use crate::store::operational::write_notice::{refresh_operational_application, write_notice};
use crate::store::sealing::current_key::hold_current_key;

use super::ConfigurationStore;
use super::endpoint_secret::insert_secret;
use super::version::raise_version;

use record::{EndpointRecord, Row, ThrottleRecord};

/// What endpoints must have in their texts.
#[derive(Debug, Clone, Copy)]
pub struct AskedText<'a> {
    /// In whatever case.
    pub text: &'a str,
    /// Anywhere in the URL; otherwise in its host, because the rest may be a secret.
    pub in_whole_url: bool,
}

impl ConfigurationStore {
    /// The endpoint, if it is there.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`].
    pub async fn endpoint(
        &self,
        application: ApplicationId,
        endpoint: EndpointId,
    ) -> Result<Option<EndpointRecord>, StoreError> {
        let mut connection = self.pool.connection().await?;
        find(&mut connection, application, endpoint).await
    }

    /// A stretch of the application's endpoints, by id; as many as are shown in so many bytes, or take as many in memory.
    /// With `asked`, those that have it in their URL, their description or their `uid`.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`].
    pub async fn endpoints(
        &self,
        application: ApplicationId,
        asked: Option<AskedText<'_>>,
        content: ListedContent,
        scan: &Scan<EndpointId>,
    ) -> Result<Stretch<EndpointRecord>, StoreError> {
        // A page of endpoints with long texts or many event types could be large: those that do not fit are not read. Event
        // types are shown twice, and each takes some hundred bytes in memory.
        let rows = sqlx::query!(
            r#"-- endpoint::list
            SELECT id AS "id!", uid, url AS "url!", description AS "description!", version AS "version!",
                event_types, channels, policy AS "policy!",
                metadata AS "metadata!: Json<BTreeMap<String, String>>", disabled_reason, paused_at,
                created_at AS "created_at!", updated_at AS "updated_at!", has_credentials AS "has_credentials!",
                throttle AS "throttle: Json<ThrottleRecord>", found AS "found!"
            FROM (
            SELECT *, count(*) OVER () AS found, row_number() OVER listed AS place,
                sum(512 + octet_length(to_json(ARRAY[uid, url, description])::text) + octet_length(metadata::text)
                    + 2 * coalesce(octet_length(to_json(event_types)::text), 0)
                    + 100 * coalesce(cardinality(event_types), 0)
                    + coalesce(octet_length(to_json(channels)::text), 0)
                    + octet_length(policy::text)) OVER (listed ROWS UNBOUNDED PRECEDING) AS bytes
            FROM (
            (SELECT id, uid, url, description, version, event_types, channels, policy, metadata,
                disabled_reason, paused_at, created_at, updated_at,
                url_credentials_sealed IS NOT NULL AS has_credentials, endpoint_throttle_of(id) AS throttle
             FROM endpoint
             CROSS JOIN LATERAL (SELECT ARRAY[
                CASE WHEN $7 THEN url ELSE substring(url FROM '^[^/]*//[^/?#]*') END, description, uid]) AS t(shown)
             WHERE $2 AND application_id = $1 AND deleted_at IS NULL
                AND id > coalesce($3, '00000000-0000-0000-0000-000000000000'::uuid)
                AND ($6::text IS NULL OR has_text(shown, $6)
                     AND (length($6) >= 3 OR search_grams(shown) @> asked_grams($6)))
             ORDER BY id LIMIT $4)
            UNION ALL
            (SELECT id, uid, url, description, version, event_types, channels, policy, metadata,
                disabled_reason, paused_at, created_at, updated_at,
                url_credentials_sealed IS NOT NULL AS has_credentials, endpoint_throttle_of(id) AS throttle
             FROM endpoint
             CROSS JOIN LATERAL (SELECT ARRAY[
                CASE WHEN $7 THEN url ELSE substring(url FROM '^[^/]*//[^/?#]*') END, description, uid]) AS t(shown)
             WHERE NOT $2 AND application_id = $1 AND deleted_at IS NULL
                AND id < coalesce($3, 'ffffffff-ffff-ffff-ffff-ffffffffffff'::uuid)
                AND ($6::text IS NULL OR has_text(shown, $6)
                     AND (length($6) >= 3 OR search_grams(shown) @> asked_grams($6)))
             ORDER BY id DESC LIMIT $4)
            ) page
            WINDOW listed AS (ORDER BY CASE WHEN $2 THEN id END, CASE WHEN NOT $2 THEN id END DESC)
            ) weighed
            WHERE place = 1 OR bytes <= $5
            ORDER BY place"#,
            application.uuid(),
            scan.ascending,
            scan.after.map(EndpointId::uuid),
            scan.limit,
            content.max_bytes(),
            asked.map(|asked| asked.text),
            asked.is_none_or(|asked| asked.in_whole_url),
        )
        .fetch_all(&self.pool)
        .await?;
        let is_cut = rows.first().is_some_and(|row| row.found > stored_length(rows.len()));
        let rows = rows.into_iter().map(|row| {
            let row = Row {
                id: row.id,
                uid: row.uid,
                url: row.url,
                description: row.description,
                version: row.version,
                event_types: row.event_types,
                channels: row.channels,
                policy: row.policy,
                metadata: row.metadata,
                disabled_reason: row.disabled_reason,
                paused_at: row.paused_at,
                created_at: row.created_at,
                updated_at: row.updated_at,
                has_credentials: row.has_credentials,
                throttle: row.throttle,
            };
            row.try_into()
        });
        Ok(Stretch { rows: rows.collect::<Result<_, StoreError>>()?, is_cut })
    }

    /// These endpoints, in no particular order, deleted ones included as long as they are known.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`].
    pub async fn endpoints_by_id(&self, ids: &[EndpointId]) -> Result<Vec<EndpointRecord>, StoreError> {
        let ids: Vec<Uuid> = ids.iter().map(|id| id.uuid()).collect();
        let rows = sqlx::query_as!(
            Row,
            r#"-- endpoint::list_by_id
            SELECT id, uid, url, description, version, event_types, channels, policy, metadata AS "metadata: Json<BTreeMap<String, String>>", disabled_reason, paused_at,
                created_at, updated_at, url_credentials_sealed IS NOT NULL AS "has_credentials!", endpoint_throttle_of(id) AS "throttle: Json<ThrottleRecord>"
            FROM endpoint WHERE id = ANY($1)"#,
            &ids,
        )
        .fetch_all(&self.pool)
        .await?;
        rows.into_iter().map(TryInto::try_into).collect()
    }

    /// Creates an endpoint with its first secret and its headers.
    ///
    /// # Errors
    /// [`StoreError::Conflict`] when the `uid` is taken, or the application was deleted in between.
    pub async fn create_endpoint(
        &self,
        actor: &Actor,
        application: ApplicationId,
        settings: &EndpointSettings,
        secret: &SigningSecret,
        headers: &BTreeMap<String, String>,
    ) -> Result<EndpointRecord, StoreError> {
        let id = EndpointId::generate();
        let mut transaction = self.pool.begin().await?;
        if !raise_version(&mut transaction, application).await? {
            return Err(StoreError::Conflict("The application was deleted."));
        }
        hold_current_key(&mut transaction, &self.sealer).await?;
        let headers_sealed = self.seal_headers(id, headers)?;
        let row = sqlx::query_as!(
            Row,
            r#"-- endpoint::create
            INSERT INTO endpoint (id, application_id, uid, url, description, version, event_types, channels, policy,
                metadata, headers_sealed, disabled_at, disabled_reason, url_credentials_sealed)
            VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11,
                CASE WHEN $12 THEN now() END, CASE WHEN $12 THEN 'request' END, $13)
            RETURNING id, uid, url, description, version, event_types, channels, policy, metadata AS "metadata: Json<BTreeMap<String, String>>", disabled_reason,
                paused_at, created_at, updated_at, url_credentials_sealed IS NOT NULL AS "has_credentials!", endpoint_throttle_of(id) AS "throttle: Json<ThrottleRecord>""#,
            id.uuid(),
            application.uuid(),
            settings.uid,
            settings.url,
            settings.description,
            settings.version.cast_signed(),
            settings.filter_types.as_deref(),
            settings.channels.as_deref(),
            settings.policy.to_document(),
            Json(&settings.metadata) as _,
            headers_sealed,
            settings.disabled,
            self.seal_url_credentials(id, settings)?,
        )
        .fetch_one(&mut *transaction)
        .await
        .map_err(uid_taken)?;
        insert_secret(&mut transaction, &self.sealer, id, secret).await?;
        note(&mut transaction, actor, Entry::in_application(application, "endpoint.created", id)).await?;
        write_notice(&mut transaction, application, id, NoticeKind::EndpointCreated, json!({})).await?;
        refresh_operational_application(&mut transaction, application).await?;
        transaction.commit().await?;
        row.try_into()
    }

    /// Changes an endpoint, if it is there. One that is enabled again goes on with what it held. What `change` refuses is
    /// not written.
    ///
    /// # Errors
    /// That of `change`, or [`StoreError`] turned into it: a conflict when the new `uid` is taken.
    pub async fn change_endpoint<E: From<StoreError>>(
        &self,
        actor: &Actor,
        application: ApplicationId,
        endpoint: EndpointId,
        change: impl FnOnce(&EndpointSettings) -> Result<EndpointSettings, E>,
    ) -> Result<Option<EndpointRecord>, E> {
        let mut transaction = self.pool.begin().await.map_err(StoreError::from)?;
        if !raise_version(&mut transaction, application).await? {
            return Ok(None);
        }
        let Some(EndpointRecord { id, settings: before, .. }) =
            find(&mut transaction, application, endpoint).await?
        else {
            return Ok(None);
        };
        let settings = change(&before)?;
        hold_current_key(&mut transaction, &self.sealer).await?;
        let row = sqlx::query_as!(
            Row,
            r#"-- endpoint::change
            UPDATE endpoint SET uid = $2, url = $3, description = $4, version = $5, event_types = $6,
                channels = $7, policy = $8, metadata = $9,
                disabled_at = CASE WHEN $10 THEN coalesce(disabled_at, now()) END,
                disabled_reason = CASE WHEN $10 THEN coalesce(disabled_reason, 'request') END,
                opened_at = CASE WHEN disabled_at IS NOT NULL AND NOT $10 THEN now() ELSE opened_at END,
                url_credentials_sealed = CASE WHEN $11 THEN url_credentials_sealed ELSE $12 END,
                updated_at = now()
            WHERE id = $1
            RETURNING id, uid, url, description, version, event_types, channels, policy, metadata AS "metadata: Json<BTreeMap<String, String>>", disabled_reason,
                paused_at, created_at, updated_at, url_credentials_sealed IS NOT NULL AS "has_credentials!", endpoint_throttle_of(id) AS "throttle: Json<ThrottleRecord>""#,
            id.uuid(),
            settings.uid,
            settings.url,
            settings.description,
            settings.version.cast_signed(),
            settings.filter_types.as_deref(),
            settings.channels.as_deref(),
            settings.policy.to_document(),
            Json(&settings.metadata) as _,
            settings.disabled,
            settings.url_credentials == UrlCredentials::Kept,
            self.seal_url_credentials(id, &settings)?,
        )
        .fetch_one(&mut *transaction)
        .await
        .map_err(uid_taken)?;
        let fields = before.changed_in(&settings);
        let entry = Entry::in_application(application, "endpoint.updated", id).fields(&fields);
        note(&mut transaction, actor, entry).await?;
        write_notice(&mut transaction, application, id, NoticeKind::EndpointUpdated, json!({})).await?;
        if settings.disabled && !before.disabled {
            let details = json!({ "reason": "request" });
            write_notice(&mut transaction, application, id, NoticeKind::EndpointDisabled, details).await?;
        }
        transaction.commit().await.map_err(StoreError::from)?;
        if settings.disabled && !before.disabled {
            tracing::info!(endpoint = %id, %application, "an endpoint was disabled, as was asked for");
        }
        Ok(Some(EndpointRecord::try_from(row)?))
    }

    /// Deletes an endpoint. False when it is not there.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`].
    pub async fn delete_endpoint(
        &self,
        actor: &Actor,
        application: ApplicationId,
        endpoint: EndpointId,
    ) -> Result<bool, StoreError> {
        let mut transaction = self.pool.begin().await?;
        if !raise_version(&mut transaction, application).await? {
            return Ok(false);
        }
        let deleted = sqlx::query_scalar!(
            "-- endpoint::delete
            UPDATE endpoint SET deleted_at = now(), updated_at = now()
            WHERE application_id = $1 AND id = $2 AND deleted_at IS NULL
            RETURNING id",
            application.uuid(),
            endpoint.uuid(),
        )
        .fetch_optional(&mut *transaction)
        .await?;
        let Some(id) = deleted.map(EndpointId::from) else { return Ok(false) };
        note(&mut transaction, actor, Entry::in_application(application, "endpoint.deleted", id)).await?;
        write_notice(&mut transaction, application, id, NoticeKind::EndpointDeleted, json!({})).await?;
        refresh_operational_application(&mut transaction, application).await?;
        transaction.commit().await?;
        Ok(true)
    }
}

async fn find(
    connection: &mut Connection,
    application: ApplicationId,
    endpoint: EndpointId,
) -> Result<Option<EndpointRecord>, StoreError> {
    let row = sqlx::query_as!(
        Row,
        r#"-- endpoint::get
        SELECT id, uid, url, description, version, event_types, channels, policy, metadata AS "metadata: Json<BTreeMap<String, String>>", disabled_reason,
            paused_at, created_at, updated_at, url_credentials_sealed IS NOT NULL AS "has_credentials!", endpoint_throttle_of(id) AS "throttle: Json<ThrottleRecord>"
        FROM endpoint WHERE application_id = $1 AND id = $2 AND deleted_at IS NULL"#,
        application.uuid(),
        endpoint.uuid(),
    )
    .fetch_optional(connection)
    .await?;
    row.map(TryInto::try_into).transpose()
}

fn uid_taken(error: sqlx::Error) -> StoreError {
    match StoreError::from(error) {
        StoreError::Conflict(_) => StoreError::Conflict("Another endpoint has that uid."),
        other => other,
    }
}
