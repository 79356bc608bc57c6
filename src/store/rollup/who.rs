//! Who did something to an object the last time, from the audit log.

use std::collections::HashMap;

use crate::domain::access::actor::ActorKind;
use crate::store::StoreError;

use super::RollupStore;

/// An action, as the audit log names it, and the object that it was done to.
pub type Act = (&'static str, String);

impl RollupStore {
    /// Who did each of these the last time, by the name of a key or what the audit log has; nobody, where it has no entry.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`].
    pub async fn who_did(&self, acts: &[Act]) -> Result<HashMap<Act, String>, StoreError> {
        if acts.is_empty() {
            return Ok(HashMap::new());
        }
        let (actions, objects): (Vec<&str>, Vec<&str>) =
            acts.iter().map(|(action, object)| (*action, object.as_str())).unzip();
        let rows = sqlx::query!(
            r#"-- audit::who_did
            SELECT c.place AS "place!", l.actor_kind, l.actor_id
            FROM unnest($1::text[], $2::text[]) WITH ORDINALITY AS c(action, object, place)
            CROSS JOIN LATERAL (
                SELECT actor_kind, actor_id FROM audit_log
                WHERE object_id = c.object AND (action = c.action
                   -- Somebody disables an endpoint by changing it.
                   OR c.action = 'endpoint.disabled' AND action = 'endpoint.updated' AND details->'fields' ? 'disabled')
                ORDER BY id DESC LIMIT 1
            ) l"#,
            &actions as &[&str],
            &objects as &[&str],
        )
        .fetch_all(&self.reading)
        .await?;
        let mut names: HashMap<(ActorKind, String), String> = HashMap::new();
        let mut found = HashMap::new();
        for row in rows {
            let act = usize::try_from(row.place - 1).ok().and_then(|place| acts.get(place));
            let (Some(act), Some(kind)) = (act, ActorKind::from_name(&row.actor_kind)) else { continue };
            let actor = (kind, row.actor_id);
            let name = match names.get(&actor) {
                Some(name) => name.clone(),
                None => self.actor_name(kind, &actor.1).await?,
            };
            names.insert(actor, name.clone());
            found.insert(act.clone(), name);
        }
        Ok(found)
    }
}
