//! What callers call things, by id.

use crate::domain::id::{ApplicationId, EndpointId};
use crate::domain::reference::Reference;

use super::{Store, StoreError};

impl Store {
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
        .fetch_optional(&self.api)
        .await?;
        Ok(found.map(Into::into))
    }
}
