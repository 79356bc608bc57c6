//! The audit log's writing side: every function that changes something notes who did it, in the same transaction,
//! so that there is no change without its entry and no entry without its change.

use std::fmt::Display;

use serde_json::{Value, json};

use crate::domain::access::actor::{Actor, Role};
use crate::domain::id::{ApplicationId, AuditEntryId, EnvironmentId, SessionId};
use crate::store::StoreError;
use crate::store::database::connection::Connection;

/// What is noted. `action` is `object.verb`; its first word is the kind of object.
pub(in crate::store) struct Entry<'a> {
    environment: Option<&'a EnvironmentId>,
    application: Option<ApplicationId>,
    action: &'static str,
    object_id: String,
    details: Value,
    /// Of the fields that were set, none has another value than before.
    is_unchanged: bool,
}

impl<'a> Entry<'a> {
    /// Something about an application or what is below it. Its environment is looked up.
    pub(in crate::store) fn in_application(
        application: ApplicationId,
        action: &'static str,
        object: impl Display,
    ) -> Self {
        Self::of(None, Some(application), action, object)
    }

    /// Something about an environment as a whole.
    pub(in crate::store) fn in_environment(
        environment: &'a EnvironmentId,
        action: &'static str,
        object: impl Display,
    ) -> Self {
        Self::of(Some(environment), None, action, object)
    }

    /// Something that is done in that environment for that application, or for all of them.
    pub(in crate::store) fn of(
        environment: Option<&'a EnvironmentId>,
        application: Option<ApplicationId>,
        action: &'static str,
        object: impl Display,
    ) -> Self {
        let (object_id, details) = (object.to_string(), json!({}));
        Self { environment, application, action, object_id, details, is_unchanged: false }
    }

    /// With the names of the fields that changed. Without any, nothing is noted.
    pub(in crate::store) fn fields(mut self, names: &[impl AsRef<str>]) -> Self {
        let names: Vec<&str> = names.iter().map(AsRef::as_ref).collect();
        self.is_unchanged = names.is_empty();
        self.details(json!({ "fields": names }))
    }

    /// With what is to be known besides: small, and never a secret.
    pub(in crate::store) fn details(mut self, details: Value) -> Self {
        self.details = details;
        self
    }

    fn object_kind(&self) -> &'static str {
        self.action.split_once('.').map_or(self.action, |(kind, _)| kind)
    }
}

/// Notes who did what, in the caller's transaction.
pub(in crate::store) async fn note(
    tx: &mut Connection,
    actor: &Actor,
    entry: Entry<'_>,
) -> Result<(), StoreError> {
    if entry.is_unchanged {
        return Ok(());
    }
    sqlx::query!(
        r#"-- audit::note
        INSERT INTO audit_log (id, environment_id, application_id, actor_kind, actor_id, actor_role, address, action,
                               object_kind, object_id, details, session_id)
        VALUES ($1, coalesce($2, (SELECT environment_id FROM application WHERE id = $3)), $3, $4, $5, $6, $7, $8, $9,
                $10, $11, $12)"#,
        AuditEntryId::generate().uuid(),
        entry.environment.map(EnvironmentId::as_str),
        entry.application.map(ApplicationId::uuid),
        actor.kind.name(),
        actor.id,
        actor.role.map(Role::name),
        actor.address.map(|address| address.to_string()),
        entry.action,
        entry.object_kind(),
        entry.object_id,
        entry.details,
        actor.session.map(SessionId::uuid),
    )
    .execute(tx)
    .await?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_kind_of_object_is_the_first_word_of_the_action() {
        let environment: EnvironmentId = "org_a".parse().unwrap();
        let kind = |action| Entry::in_environment(&environment, action, "x").object_kind();
        assert_eq!(kind("endpoint.updated"), "endpoint");
        assert_eq!(kind("endpoint.secret.rotated"), "endpoint");
    }
}
