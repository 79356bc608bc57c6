//! One endpoint as dispatch uses it, with every secret that is still kept, for somebody who tries it out; and the note of
//! that in the audit log.

use crate::domain::access::actor::Actor;
use crate::domain::endpoint::filter::Filter;
use crate::domain::endpoint::secret::SigningKey;
use crate::domain::endpoint::{Endpoint, custom_header};
use crate::domain::id::{ApplicationId, EndpointId};
use crate::domain::policy::EffectivePolicy;
use crate::store::StoreError;
use crate::store::access::audit::{Entry, note};

use super::ConfigurationStore;
use super::snapshot::parse_secret;
use crate::store::database::stored_policy::stored_policy;

/// Ten are live at most; the others were rotated out and are deleted at night.
const MAX_KEPT_SECRETS: i64 = 20;

impl ConfigurationStore {
    /// An endpoint of an application. Its keys are the current one first, then those that were rotated out, the last first;
    /// they sign no longer once they have expired.
    ///
    /// # Errors
    /// [`StoreError::Inconsistent`] when what is stored of it cannot be read.
    pub async fn endpoint_alone(
        &self,
        application: ApplicationId,
        endpoint: EndpointId,
    ) -> Result<Option<Endpoint>, StoreError> {
        let row = sqlx::query!(
            r#"-- endpoint::alone
            SELECT e.url, e.event_types, e.channels, e.headers_sealed, e.url_credentials_sealed, e.policy, a.policy AS application_policy,
                   n.policy AS environment_policy, a.config_version,
                   (e.disabled_at IS NOT NULL OR e.paused_at IS NOT NULL OR a.paused_at IS NOT NULL) AS "closed!"
            FROM endpoint e JOIN application a ON a.id = e.application_id JOIN environment n ON n.id = a.environment_id
            WHERE e.application_id = $1 AND e.id = $2 AND e.deleted_at IS NULL AND a.deleted_at IS NULL"#,
            application.uuid(),
            endpoint.uuid(),
        )
        .fetch_optional(&self.pool)
        .await?;
        let Some(row) = row else { return Ok(None) };
        let secrets = sqlx::query!(
            r#"-- endpoint_secret::kept
            SELECT sealed, expires_at FROM endpoint_secret WHERE endpoint_id = $1
            ORDER BY expires_at DESC NULLS FIRST LIMIT $2"#,
            endpoint.uuid(),
            MAX_KEPT_SECRETS,
        )
        .fetch_all(&self.pool)
        .await?;
        let keys = secrets.into_iter().map(|secret| {
            let text = self.sealer.open(&secret.sealed, endpoint.uuid().as_bytes())?;
            Ok(SigningKey { material: parse_secret(&text)?.key(), expires_at: secret.expires_at })
        });
        let headers = self.sent_headers(endpoint, (row.headers_sealed, row.url_credentials_sealed))?;
        let url = row.url.parse();
        let url = url.map_err(|_| {
            StoreError::Inconsistent(format!("the URL of endpoint {endpoint} does not parse"))
        })?;
        Ok(Some(Endpoint {
            id: endpoint,
            application_id: application,
            config_version: row.config_version,
            url,
            filter: Filter::new(row.event_types.unwrap_or_default(), row.channels.unwrap_or_default()),
            keys: keys.collect::<Result<_, StoreError>>()?,
            headers: custom_header::of_requests(headers),
            policy: EffectivePolicy::resolve(
                &stored_policy(row.policy, endpoint)?,
                &stored_policy(row.application_policy, application)?,
                &stored_policy(row.environment_policy, "its environment")?,
                &self.server_policy,
            ),
            closed: row.closed,
            just_opened: false,
        }))
    }

    /// Notes that somebody had an endpoint tried out.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`].
    pub async fn note_endpoint_checked(
        &self,
        actor: &Actor,
        application: ApplicationId,
        endpoint: EndpointId,
    ) -> Result<(), StoreError> {
        let mut tx = self.pool.begin().await?;
        note(&mut tx, actor, Entry::in_application(application, "endpoint.checked", endpoint)).await?;
        tx.commit().await?;
        Ok(())
    }
}
