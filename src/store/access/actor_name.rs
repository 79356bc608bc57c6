//! What people call those whom the audit log names by an id.

use std::collections::HashMap;

use uuid::Uuid;

use crate::domain::access::actor::ActorKind;
use crate::domain::id::{ApiKeyId, PersonId};
use crate::store::StoreError;

use super::AccessStore;
use super::audit_log::AuditEntry;

impl AccessStore {
    /// The names of the API keys and the people who did this, as they are now, by the ids that the entries have. Those that are
    /// not known any more are left out.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`].
    pub async fn actor_names(&self, entries: &[AuditEntry]) -> Result<HashMap<String, String>, StoreError> {
        let named = entries.iter().filter_map(|entry| Some((id_of(entry)?, entry.actor_id.clone())));
        let by_id: HashMap<Uuid, String> = named.collect();
        if by_id.is_empty() {
            return Ok(HashMap::new());
        }
        let ids: Vec<Uuid> = by_id.keys().copied().collect();
        let rows = sqlx::query!(
            r#"-- audit::actor_names
            SELECT id AS "id!", name AS "name!" FROM api_key WHERE id = ANY($1)
            UNION ALL
            SELECT id, coalesce(name, email, subject) FROM person WHERE id = ANY($1)"#,
            &ids,
        )
        .fetch_all(&self.pool)
        .await?;
        Ok(rows.into_iter().filter_map(|row| Some((by_id.get(&row.id)?.clone(), row.name))).collect())
    }
}

/// The id of an actor that may have a name.
fn id_of(entry: &AuditEntry) -> Option<Uuid> {
    match entry.actor_kind {
        ActorKind::ApiKey => entry.actor_id.parse().ok().map(ApiKeyId::uuid),
        ActorKind::Person => entry.actor_id.parse().ok().map(PersonId::uuid),
        _ => None,
    }
}
