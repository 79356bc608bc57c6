//! Signing secrets of endpoints, sealed for their endpoint. One is current; rotated ones sign along for a while.

use chrono::{DateTime, Utc};
use serde_json::json;
use uuid::Uuid;

use crate::domain::access::actor::Actor;
use crate::domain::delivery::operational::NoticeKind;
use crate::domain::endpoint::secret::SigningSecret;
use crate::domain::id::{ApplicationId, EndpointId, SecretId};
use crate::store::access::audit::{Entry, note};
use crate::store::database::connection::Connection;
use crate::store::operational::write_notice::write_notice;
use crate::store::sealing::current_key::hold_current_key;
use crate::store::{Sealer, StoreError};

use super::ConfigurationStore;
use super::version::raise_version;

/// So many keys may sign at once.
const MAX_LIVE_KEYS: i64 = 10;

/// A secret that signs.
#[derive(Debug)]
pub struct LiveSecret {
    /// Its id.
    pub id: SecretId,
    /// The secret itself.
    pub secret: SigningSecret,
    /// When it was made.
    pub created_at: DateTime<Utc>,
    /// Until when it signs along; `None` for the current one.
    pub expires_at: Option<DateTime<Utc>>,
}

impl ConfigurationStore {
    /// The secrets of an endpoint that sign now, the current one first.
    ///
    /// # Errors
    /// [`StoreError::Inconsistent`] when one does not open.
    pub async fn live_secrets(&self, endpoint: EndpointId) -> Result<Vec<LiveSecret>, StoreError> {
        let rows = sqlx::query!(
            r#"-- endpoint_secret::live
            SELECT id, sealed, created_at, expires_at FROM endpoint_secret
            WHERE endpoint_id = $1 AND (expires_at IS NULL OR expires_at > now())
            ORDER BY expires_at DESC NULLS FIRST LIMIT $2"#,
            endpoint.uuid(),
            MAX_LIVE_KEYS,
        )
        .fetch_all(&self.pool)
        .await?;
        let open = |sealed: &[u8]| {
            let text = self.sealer.open(sealed, endpoint.uuid().as_bytes())?;
            let secret = std::str::from_utf8(&text).ok().and_then(|text| text.parse().ok());
            secret
                .ok_or_else(|| StoreError::Inconsistent("a stored signing secret does not parse".to_owned()))
        };
        let secrets = rows.into_iter().map(|row| {
            Ok(LiveSecret {
                id: row.id.into(),
                secret: open(&row.sealed)?,
                created_at: row.created_at,
                expires_at: row.expires_at,
            })
        });
        secrets.collect()
    }

    /// The current secret of an endpoint, if it is there.
    ///
    /// # Errors
    /// [`StoreError::Inconsistent`] when it does not open.
    pub async fn endpoint_secret(
        &self,
        application: ApplicationId,
        endpoint: EndpointId,
    ) -> Result<Option<SigningSecret>, StoreError> {
        let row = sqlx::query!(
            "-- endpoint_secret::current
            SELECT s.endpoint_id, s.sealed FROM endpoint_secret s JOIN endpoint e ON e.id = s.endpoint_id
            WHERE e.application_id = $1 AND e.id = $2 AND e.deleted_at IS NULL
                AND s.expires_at IS NULL",
            application.uuid(),
            endpoint.uuid(),
        )
        .fetch_optional(&self.pool)
        .await?;
        let Some(row) = row else { return Ok(None) };
        let text = self.sealer.open(&row.sealed, row.endpoint_id.as_bytes())?;
        let secret = std::str::from_utf8(&text).ok().and_then(|text| text.parse().ok());
        secret
            .map(Some)
            .ok_or_else(|| StoreError::Inconsistent("a stored signing secret does not parse".to_owned()))
    }

    /// Makes `secret` the current one; the one before signs along for `grace_seconds`. False when there is no
    /// such endpoint.
    ///
    /// # Errors
    /// [`StoreError::Conflict`] when too many keys would be live.
    pub async fn rotate_endpoint_secret(
        &self,
        actor: &Actor,
        application: ApplicationId,
        endpoint: EndpointId,
        secret: &SigningSecret,
        grace_seconds: u32,
    ) -> Result<bool, StoreError> {
        let mut transaction = self.pool.begin().await?;
        if !raise_version(&mut transaction, application).await? {
            return Ok(false);
        }
        let endpoint = sqlx::query_scalar!(
            "-- endpoint_secret::endpoint_to_rotate
            SELECT id FROM endpoint
            WHERE application_id = $1 AND id = $2 AND deleted_at IS NULL",
            application.uuid(),
            endpoint.uuid(),
        )
        .fetch_optional(&mut *transaction)
        .await?;
        let Some(endpoint) = endpoint else { return Ok(false) };
        let id = EndpointId::from(endpoint);
        sqlx::query!(
            "-- endpoint_secret::retire
            UPDATE endpoint_secret SET expires_at = now() + make_interval(secs => $2)
            WHERE endpoint_id = $1 AND expires_at IS NULL",
            endpoint,
            f64::from(grace_seconds),
        )
        .execute(&mut *transaction)
        .await?;
        sqlx::query!(
            "-- endpoint_secret::forget_expired
            DELETE FROM endpoint_secret WHERE endpoint_id = $1 AND expires_at <= now()",
            endpoint,
        )
        .execute(&mut *transaction)
        .await?;
        hold_current_key(&mut transaction, &self.sealer).await?;
        insert_secret(&mut transaction, &self.sealer, id, secret).await?;
        let live = sqlx::query_scalar!(
            r#"-- endpoint_secret::count
            SELECT count(*) AS "count!" FROM endpoint_secret WHERE endpoint_id = $1"#,
            endpoint,
        )
        .fetch_one(&mut *transaction)
        .await?;
        if live > MAX_LIVE_KEYS {
            return Err(StoreError::Conflict("The endpoint has ten live keys already."));
        }
        let entry = Entry::in_application(application, "endpoint.secret.rotated", id);
        note(&mut transaction, actor, entry.details(json!({ "gracePeriodSeconds": grace_seconds }))).await?;
        write_notice(&mut transaction, application, endpoint.into(), NoticeKind::EndpointUpdated, json!({}))
            .await?;
        transaction.commit().await?;
        Ok(true)
    }
}

/// What became of the wish that a secret signs no longer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SecretEnd {
    /// It signs no longer.
    Ended,
    /// It is the current one: another has to take its place first.
    IsCurrent,
    /// There is no such secret, or it had ended before.
    NotFound,
}

impl ConfigurationStore {
    /// Ends a rotated secret before its grace is over.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`].
    pub async fn end_endpoint_secret(
        &self,
        actor: &Actor,
        application: ApplicationId,
        endpoint: EndpointId,
        secret: SecretId,
    ) -> Result<SecretEnd, StoreError> {
        let mut transaction = self.pool.begin().await?;
        if !raise_version(&mut transaction, application).await? {
            return Ok(SecretEnd::NotFound);
        }
        let found = sqlx::query!(
            r#"-- endpoint_secret::to_end
            SELECT s.expires_at IS NULL AS "is_current!" FROM endpoint_secret s JOIN endpoint e ON e.id = s.endpoint_id
            WHERE s.id = $1 AND e.id = $2 AND e.application_id = $3 AND e.deleted_at IS NULL
              AND (s.expires_at IS NULL OR s.expires_at > now())"#,
            secret.uuid(),
            endpoint.uuid(),
            application.uuid(),
        )
        .fetch_optional(&mut *transaction)
        .await?;
        match found {
            None => return Ok(SecretEnd::NotFound),
            Some(found) if found.is_current => return Ok(SecretEnd::IsCurrent),
            Some(_) => {}
        }
        sqlx::query!(
            "-- endpoint_secret::end
            UPDATE endpoint_secret SET expires_at = now() WHERE id = $1",
            secret.uuid(),
        )
        .execute(&mut *transaction)
        .await?;
        let entry = Entry::in_application(application, "endpoint.secret.ended", endpoint);
        note(&mut transaction, actor, entry.details(json!({ "secret": secret }))).await?;
        write_notice(&mut transaction, application, endpoint, NoticeKind::EndpointUpdated, json!({})).await?;
        transaction.commit().await?;
        Ok(SecretEnd::Ended)
    }
}

/// Inserts the current secret of an endpoint that has none. The caller holds the key that seals.
pub(in crate::store) async fn insert_secret(
    connection: &mut Connection,
    sealer: &Sealer,
    endpoint: EndpointId,
    secret: &SigningSecret,
) -> Result<(), StoreError> {
    let sealed = sealer.seal(secret.to_text().as_bytes(), endpoint.uuid().as_bytes())?;
    sqlx::query!(
        "-- endpoint_secret::create
        INSERT INTO endpoint_secret (id, endpoint_id, sealed) VALUES ($1, $2, $3)",
        new_row_id(),
        endpoint.uuid(),
        sealed,
    )
    .execute(connection)
    .await?;
    Ok(())
}

/// Rows of secrets are never named outside; any time-ordered id does.
fn new_row_id() -> Uuid {
    EndpointId::generate().uuid()
}
