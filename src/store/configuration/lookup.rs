//! What callers call things, by id.

use crate::domain::id::reference::Reference;
use crate::domain::id::{ApplicationId, EndpointId};
use crate::store::StoreError;

use super::ConfigurationStore;

impl ConfigurationStore {
    /// The id of an application's live endpoint.
    pub async fn endpoint_id(
        &self,
        application: ApplicationId,
        named: &Reference<EndpointId>,
    ) -> Result<Option<EndpointId>, StoreError> {
        let found = sqlx::query_scalar!(
            r#"-- endpoint::id
            SELECT id FROM endpoint
            WHERE application_id = $1 AND (id = $2 OR uid = $3) AND deleted_at IS NULL"#,
            application.uuid(),
            named.id(),
            named.uid(),
        )
        .fetch_optional(&self.pool)
        .await?;
        Ok(found.map(Into::into))
    }

    /// Whether an endpoint of the application that is not disabled would get such a message.
    pub async fn is_wanted(
        &self,
        application: ApplicationId,
        event_type: &str,
        channels: &[String],
    ) -> Result<bool, StoreError> {
        Ok(sqlx::query_scalar!(
            r#"-- endpoint::is_wanted
            SELECT EXISTS (
                SELECT FROM endpoint
                WHERE application_id = $1 AND deleted_at IS NULL AND disabled_at IS NULL
                  AND (event_types IS NULL OR $2 = ANY(event_types)) AND (channels IS NULL OR channels && $3)
            ) AS "wanted!""#,
            application.uuid(),
            event_type,
            channels,
        )
        .fetch_one(&self.pool)
        .await?)
    }

    /// How many live endpoints the application has; counting stops at `most`.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`].
    pub async fn count_endpoints(&self, application: ApplicationId, most: u32) -> Result<u32, StoreError> {
        let found = sqlx::query_scalar!(
            r#"-- endpoint::count
            SELECT count(*) AS "count!" FROM (
                SELECT FROM endpoint WHERE application_id = $1 AND deleted_at IS NULL LIMIT $2
            ) found"#,
            application.uuid(),
            i64::from(most),
        )
        .fetch_one(&self.pool)
        .await?;
        Ok(u32::try_from(found).unwrap_or(u32::MAX))
    }
}
