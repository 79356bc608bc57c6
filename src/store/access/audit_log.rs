//! The audit log's reading side.

use chrono::{DateTime, Utc};
use serde_json::Value;
use uuid::Uuid;

use crate::domain::access::actor::{ActorKind, Role};
use crate::domain::id::{ApplicationId, AuditEntryId, EnvironmentId, SessionId};
use crate::domain::page::Scan;
use crate::store::{Span, StoreError, TimeBounds};

use super::AccessStore;

/// One line of the log.
#[derive(Debug, Clone)]
pub struct AuditEntry {
    /// Its id.
    pub id: AuditEntryId,
    /// When it was done.
    pub at: DateTime<Utc>,
    /// In which environment.
    pub environment_id: Option<String>,
    /// For which application.
    pub application_id: Option<ApplicationId>,
    /// How the one who did it proved who they are.
    pub actor_kind: ActorKind,
    /// Which of that kind.
    pub actor_id: String,
    /// What they might do.
    pub actor_role: Option<Role>,
    /// Where the request came from.
    pub address: Option<String>,
    /// The console's session that the request came by.
    pub session: Option<SessionId>,
    /// What was done.
    pub action: String,
    /// To which kind of object.
    pub object_kind: String,
    /// To which one.
    pub object_id: String,
    /// What changed.
    pub details: Value,
}

/// Which lines to read.
#[derive(Debug, Clone, Default)]
pub struct AuditFilter {
    /// Of this environment.
    pub environment: Option<EnvironmentId>,
    /// Of this application.
    pub application: Option<ApplicationId>,
    /// Of this action.
    pub action: Option<String>,
    /// By this actor.
    pub actor: Option<String>,
    /// About this object.
    pub object: Option<String>,
    /// Of this time.
    pub at: TimeBounds,
}

struct Row {
    id: Uuid,
    at: DateTime<Utc>,
    environment_id: Option<String>,
    application_id: Option<Uuid>,
    actor_kind: String,
    actor_id: String,
    actor_role: Option<String>,
    address: Option<String>,
    session_id: Option<Uuid>,
    action: String,
    object_kind: String,
    object_id: String,
    details: Value,
}

impl TryFrom<Row> for AuditEntry {
    type Error = StoreError;

    fn try_from(row: Row) -> Result<Self, StoreError> {
        let unknown = || StoreError::Inconsistent(format!("an actor of the kind {}", row.actor_kind));
        let actor_kind = ActorKind::from_name(&row.actor_kind).ok_or_else(unknown)?;
        Ok(Self {
            id: row.id.into(),
            at: row.at,
            environment_id: row.environment_id,
            application_id: row.application_id.map(Into::into),
            actor_kind,
            actor_id: row.actor_id,
            actor_role: row.actor_role.as_deref().and_then(Role::from_name),
            address: row.address,
            session: row.session_id.map(Into::into),
            action: row.action,
            object_kind: row.object_kind,
            object_id: row.object_id,
            details: row.details,
        })
    }
}

impl AccessStore {
    /// A stretch of the audit log, by id and so by time.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`].
    pub async fn audit_log(
        &self,
        filter: &AuditFilter,
        scan: &Scan<AuditEntryId>,
    ) -> Result<Vec<AuditEntry>, StoreError> {
        let span = Span::of(scan).within(filter.at);
        sqlx::query_as!(
            Row,
            r#"-- audit::list
            SELECT id, at, environment_id, application_id, actor_kind, actor_id, actor_role, address, session_id,
                   action, object_kind, object_id, details
            FROM audit_log
            WHERE ($1::text IS NULL OR environment_id = $1)
              AND ($2::uuid IS NULL OR application_id = $2)
              AND ($3::text IS NULL OR action = $3)
              AND ($4::text IS NULL OR actor_id = $4)
              AND ($5::text IS NULL OR object_id = $5)
              AND id > $6 AND id < $7
            ORDER BY CASE WHEN $8 THEN id END, CASE WHEN NOT $8 THEN id END DESC
            LIMIT $9"#,
            filter.environment.as_ref().map(EnvironmentId::as_str),
            filter.application.map(ApplicationId::uuid),
            filter.action.as_deref(),
            filter.actor.as_deref(),
            filter.object.as_deref(),
            span.above,
            span.below,
            span.ascending,
            span.limit,
        )
        .fetch_all(&self.pool)
        .await?
        .into_iter()
        .map(TryInto::try_into)
        .collect()
    }
}
