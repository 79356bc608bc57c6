//! The secrets of the endpoints that have a test inbox's URL.

use crate::domain::endpoint::secret::SigningSecret;
use crate::domain::id::EnvironmentId;
use crate::store::StoreError;

use super::ConfigurationStore;
use super::snapshot::parse_secret;

/// More secrets are not tried.
const MAX_SECRETS: i64 = 20;

impl ConfigurationStore {
    /// The live secrets of the environment's endpoints at the URL of a test inbox.
    ///
    /// # Errors
    /// [`StoreError::Inconsistent`] when one does not open.
    pub async fn secrets_at_inbox(
        &self,
        environment: &EnvironmentId,
        url: &str,
    ) -> Result<Vec<SigningSecret>, StoreError> {
        let rows = sqlx::query!(
            r#"-- endpoint_secret::at_inbox
            SELECT s.endpoint_id, s.sealed
            FROM endpoint e JOIN application a ON a.id = e.application_id JOIN endpoint_secret s ON s.endpoint_id = e.id
            WHERE e.url = $2 AND e.url ~ '/in/[0-9a-z]{32}$' AND e.deleted_at IS NULL AND a.environment_id = $1
              AND (s.expires_at IS NULL OR s.expires_at > now())
            ORDER BY e.id, s.expires_at DESC NULLS FIRST LIMIT $3"#,
            environment.as_str(),
            url,
            MAX_SECRETS,
        )
        .fetch_all(&self.pool)
        .await?;
        rows.iter()
            .map(|row| parse_secret(&self.sealer.open(&row.sealed, row.endpoint_id.as_bytes())?))
            .collect()
    }
}
