//! Who changed something, from the audit log. An entry has the time of the transaction that made the change.

use std::collections::HashMap;

use chrono::{DateTime, Utc};

use crate::domain::access::actor::ActorKind;
use crate::store::StoreError;

use super::RollupStore;

/// That an object was changed, as the audit log names it, and when.
pub type Change = (String, DateTime<Utc>);

impl RollupStore {
    /// What people call the ones who made these changes, as far as the audit log knows; nobody, where it was Postrider itself.
    /// An entry's id is of a node's clock, so entries of a minute before and after are looked through.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`].
    pub async fn who_changed_each(&self, changes: &[Change]) -> Result<HashMap<Change, String>, StoreError> {
        if changes.is_empty() {
            return Ok(HashMap::new());
        }
        let (objects, times): (Vec<&str>, Vec<DateTime<Utc>>) =
            changes.iter().map(|(object, at)| (object.as_str(), *at)).unzip();
        let rows = sqlx::query!(
            r#"-- audit::who_changed_each
            SELECT c.place AS "place!", l.actor_kind, l.actor_id
            FROM unnest($1::text[], $2::timestamptz[]) WITH ORDINALITY AS c(object, at, place)
            CROSS JOIN LATERAL (
                SELECT actor_kind, actor_id FROM audit_log l
                WHERE l.object_id = c.object AND l.id >= uuid_at(c.at - interval '1 minute')
                  AND l.id < uuid_at(c.at + interval '1 minute') AND l.at = c.at
                ORDER BY l.id DESC LIMIT 1
            ) l"#,
            &objects as &[&str],
            &times,
        )
        .fetch_all(&self.reading)
        .await?;
        let mut names: HashMap<(ActorKind, String), String> = HashMap::new();
        let mut found = HashMap::new();
        for row in rows {
            let change = usize::try_from(row.place - 1).ok().and_then(|place| changes.get(place));
            let kind = ActorKind::from_name(&row.actor_kind).filter(|kind| *kind != ActorKind::System);
            let (Some(change), Some(kind)) = (change, kind) else { continue };
            let actor = (kind, row.actor_id);
            let name = match names.get(&actor) {
                Some(name) => name.clone(),
                None => self.actor_name(kind, &actor.1).await?,
            };
            names.insert(actor, name.clone());
            found.insert(change.clone(), name);
        }
        Ok(found)
    }

    /// The same for one change.
    pub(super) async fn who_changed(
        &self,
        object: &str,
        at: DateTime<Utc>,
    ) -> Result<Option<String>, StoreError> {
        let found = self.who_changed_each(&[(object.to_owned(), at)]).await?;
        Ok(found.into_values().next())
    }
}
