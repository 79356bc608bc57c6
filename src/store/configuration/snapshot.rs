//! Loads the snapshot of an application that accepting and dispatching work from: the application, its live
//! endpoints, their keys opened.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use http::{HeaderMap, HeaderName, HeaderValue};
use uuid::Uuid;

use crate::domain::application::Application;
use crate::domain::endpoint::filter::Filter;
use crate::domain::endpoint::schedule::RetrySchedule;
use crate::domain::endpoint::secret::{SigningKey, SigningSecret};
use crate::domain::endpoint::{Endpoint, custom_header};
use crate::domain::id::ApplicationId;
use crate::store::StoreError;
use crate::store::database::interval::interval;
use crate::store::queue::dispatching::OPENING;

use super::ConfigurationStore;

impl ConfigurationStore {
    /// The snapshot of an application as it stands now; `None` when there is none, or it was deleted.
    pub async fn application_snapshot(&self, id: ApplicationId) -> Result<Option<Application>, StoreError> {
        let mut tx = self.snapshot_pool.begin().await?;
        sqlx::query!("-- snapshot::one_snapshot\nSET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY")
            .execute(&mut *tx)
            .await?;
        let Some(row) = sqlx::query!(
            r#"-- snapshot::application
            SELECT environment_id, uid, config_version, rate_limit, retry_schedule_ms, paused_at IS NOT NULL AS "paused!",
                   coalesce(opened_at > now() - $2::interval, false) AS "just_opened!"
            FROM application
            WHERE id = $1 AND deleted_at IS NULL"#,
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
        let schedule =
            Arc::new(schedule(row.retry_schedule_ms).unwrap_or_else(|| self.default_schedule.clone()));
        let endpoints = sqlx::query!(
            r#"-- snapshot::endpoints
            SELECT id, url, event_types, channels, rate_limit, max_in_flight, retry_schedule_ms, headers_sealed,
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
                let headers = match endpoint.headers_sealed {
                    Some(sealed) => parse_headers(&self.sealer.open(&sealed, endpoint.id.as_bytes())?)?,
                    None => HeaderMap::new(),
                };
                let headers = custom_header::of_requests(headers);
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
                    schedule: self::schedule(endpoint.retry_schedule_ms)
                        .map_or_else(|| schedule.clone(), Arc::new),
                    max_in_flight: endpoint
                        .max_in_flight
                        .map_or(self.default_max_in_flight, i32::unsigned_abs),
                    rate_limit: endpoint.rate_limit.map(i32::unsigned_abs),
                    tenant_rate_limit: row.rate_limit.map(i32::unsigned_abs),
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

fn schedule(waits_ms: Option<Vec<i64>>) -> Option<RetrySchedule> {
    waits_ms.map(|waits| {
        RetrySchedule::new(waits.into_iter().map(|ms| Duration::from_millis(ms.unsigned_abs())).collect())
    })
}

fn parse_secret(text: &[u8]) -> Result<SigningSecret, StoreError> {
    std::str::from_utf8(text)
        .ok()
        .and_then(|text| text.parse().ok())
        .ok_or_else(|| StoreError::Inconsistent("a stored signing secret does not parse".to_owned()))
}

fn parse_headers(json: &[u8]) -> Result<HeaderMap, StoreError> {
    let wrong = || StoreError::Inconsistent("stored endpoint headers do not parse".to_owned());
    let headers: HashMap<String, String> = serde_json::from_slice(json).map_err(|_| wrong())?;
    headers
        .into_iter()
        .map(|(name, value)| {
            let name = name.parse::<HeaderName>().map_err(|_| wrong())?;
            let value = value.parse::<HeaderValue>().map_err(|_| wrong())?;
            Ok((name, value))
        })
        .collect()
}
