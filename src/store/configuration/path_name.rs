//! Names that were given before names that end with a dot were refused. A path that has one may reach something else, or
//! nothing; what is called so can be reached by its id.

use crate::store::StoreError;

use super::ConfigurationStore;

/// Something whose name may not arrive as it stands in a path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnreachableName {
    /// `application`, `endpoint`, `event_type` or `message`.
    pub kind: String,
    /// In which environment.
    pub environment_id: String,
    /// The application's id, where it is in one.
    pub application_id: Option<uuid::Uuid>,
    /// The name.
    pub name: String,
}

impl ConfigurationStore {
    /// Up to `most` of them. It reads every name that there is.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`].
    pub async fn unreachable_names(&self, most: i64) -> Result<Vec<UnreachableName>, StoreError> {
        Ok(sqlx::query_as!(
            UnreachableName,
            r#"-- path_name::unreachable
            SELECT 'application' AS "kind!", environment_id AS "environment_id!", id AS application_id, uid AS "name!"
            FROM application WHERE uid ~ '[.]$' AND deleted_at IS NULL
            UNION ALL
            SELECT 'endpoint', a.environment_id, a.id, e.uid
            FROM endpoint e JOIN application a ON a.id = e.application_id
            WHERE e.uid ~ '[.]$' AND e.deleted_at IS NULL
            UNION ALL
            SELECT 'event_type', environment_id, NULL, name FROM event_type WHERE name ~ '[.]$'
            UNION ALL
            SELECT 'message', a.environment_id, a.id, m.event_id
            FROM message_event_id m JOIN application a ON a.id = m.application_id
            WHERE m.event_id ~ '[.]$'
            LIMIT $1"#,
            most,
        )
        .fetch_all(&self.pool)
        .await?)
    }
}
