//! Loads the snapshot of an application that accepting and dispatching work from: the application, its live
//! endpoints, their keys opened.

use std::collections::HashMap;
use std::sync::Arc;

use uuid::Uuid;

use crate::domain::application::Application;
use crate::domain::endpoint::filter::Filter;
use crate::domain::endpoint::secret::{SigningKey, SigningSecret};
use crate::domain::endpoint::{Endpoint, custom_header};
use crate::domain::id::{ApplicationId, EndpointId};
use crate::domain::policy::EffectivePolicy;
use crate::store::StoreError;
use crate::store::database::interval::interval;
use crate::store::queue::dispatching::OPENING;

use super::ConfigurationStore;
use crate::store::database::stored_policy::stored_policy;

impl ConfigurationStore {
    /// The snapshot of an application as it stands now; `None` when there is none, or it was deleted.
    pub async fn application_snapshot(&self, id: ApplicationId) -> Result<Option<Application>, StoreError> {
        let mut tx = self.snapshot_pool.begin().await?;
        sqlx::query!("-- snapshot::one_snapshot\nSET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY")
            .execute(&mut *tx)
            .await?;
        let Some(row) = sqlx::query!(
            r#"-- snapshot::application
            SELECT a.environment_id, a.uid, a.config_version, a.policy, e.policy AS environment_policy,
                   a.paused_at IS NOT NULL AS "paused!",
                   coalesce(a.opened_at > now() - $2::interval, false) AS "just_opened!"
            FROM application a JOIN environment e ON e.id = a.environment_id
            WHERE a.id = $1 AND a.deleted_at IS NULL"#,
            id.uuid(),
            interval(OPENING),
        )
        .fetch_optional(&mut *tx)
        .await?
        else {
            return Ok(None);
        };
        let mut keys: HashMap<Uuid, Vec<SigningKey>> = HashMap::new();
        let secrets = sqlx::query!(
            r#"-- snapshot::secrets
            SELECT s.endpoint_id, s.sealed, s.expires_at FROM endpoint_secret s
            JOIN endpoint e ON e.id = s.endpoint_id
            WHERE e.application_id = $1 AND e.deleted_at IS NULL AND (s.expires_at IS NULL OR s.expires_at > now())
            ORDER BY s.expires_at DESC NULLS FIRST"#,
            id.uuid(),
        )
        .fetch_all(&mut *tx)
        .await?;
        for secret in secrets {
            let text = self.sealer.open(&secret.sealed, secret.endpoint_id.as_bytes())?;
            let key = SigningKey { material: parse_secret(&text)?.key(), expires_at: secret.expires_at };
            keys.entry(secret.endpoint_id).or_default().push(key);
        }
        let application_policy = stored_policy(row.policy, id)?;
        let environment_policy = stored_policy(row.environment_policy, &row.environment_id)?;
        let endpoints = sqlx::query!(
            r#"-- snapshot::endpoints
            SELECT id, url, event_types, channels, policy, headers_sealed, url_credentials_sealed,
                   (disabled_at IS NOT NULL OR paused_at IS NOT NULL) AS "closed!",
                   coalesce(opened_at > now() - $2::interval, false) AS "just_opened!"
            FROM endpoint WHERE application_id = $1 AND deleted_at IS NULL ORDER BY id"#,
            id.uuid(),
            interval(OPENING),
        )
        .fetch_all(&mut *tx)
        .await?;
        let endpoints = endpoints
            .into_iter()
            .map(|endpoint| {
                let url = endpoint.url.parse().map_err(|_| {
                    StoreError::Inconsistent(format!("the URL of endpoint {} does not parse", endpoint.id))
                })?;
                let sealed = (endpoint.headers_sealed, endpoint.url_credentials_sealed);
                let headers = custom_header::of_requests(self.sent_headers(endpoint.id.into(), sealed)?);
                Ok(Arc::new(Endpoint {
                    id: endpoint.id.into(),
                    application_id: id,
                    config_version: row.config_version,
                    url,
                    filter: Filter::new(
                        endpoint.event_types.unwrap_or_default(),
                        endpoint.channels.unwrap_or_default(),
                    ),
                    keys: keys.remove(&endpoint.id).unwrap_or_default(),
                    headers,
                    policy: EffectivePolicy::resolve(
                        &stored_policy(endpoint.policy, EndpointId::from(endpoint.id))?,
                        &application_policy,
                        &environment_policy,
                        &self.server_policy,
                    ),
                    closed: endpoint.closed || row.paused,
                    just_opened: endpoint.just_opened || row.just_opened,
                }))
            })
            .collect::<Result<Vec<_>, StoreError>>()?;
        Ok(Some(Application {
            id,
            environment_id: row
                .environment_id
                .parse()
                .map_err(|_| StoreError::Inconsistent("an environment's id does not parse".to_owned()))?,
            uid: row.uid,
            config_version: row.config_version,
            endpoints,
        }))
    }
}

pub(super) fn parse_secret(text: &[u8]) -> Result<SigningSecret, StoreError> {
    std::str::from_utf8(text)
        .ok()
        .and_then(|text| text.parse().ok())
        .ok_or_else(|| StoreError::Inconsistent("a stored signing secret does not parse".to_owned()))
}
