//! API keys, by their hashes.

use chrono::{DateTime, Utc};
use uuid::Uuid;

use crate::domain::access::actor::{Actor, Role};
use crate::domain::access::api_key::{ApiKey, KeyHash};
use crate::domain::access::session::ConsoleRole;
use crate::domain::id::{ApiKeyId, ApplicationId, EnvironmentId};
use crate::domain::page::Scan;
use crate::store::database::connection::Connection;
use crate::store::{Span, StoreError};

use super::AccessStore;
use super::audit::{Entry, note};

/// Whom a key speaks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum KeyScope {
    /// Operators: all environments.
    Operator,
    /// One environment.
    Environment(EnvironmentId),
    /// One application of an environment.
    Application(EnvironmentId, ApplicationId),
}

impl From<ConsoleRole> for KeyScope {
    fn from(role: ConsoleRole) -> Self {
        match role {
            ConsoleRole::Operator => Self::Operator,
            ConsoleRole::Environment(environment) => Self::Environment(environment),
        }
    }
}

impl KeyScope {
    /// What the key may do.
    pub const fn role(&self) -> Role {
        match self {
            Self::Operator => Role::Operator,
            Self::Environment(_) => Role::Environment,
            Self::Application(..) => Role::Application,
        }
    }

    /// In which environment.
    pub const fn environment(&self) -> Option<&EnvironmentId> {
        match self {
            Self::Operator => None,
            Self::Environment(environment) | Self::Application(environment, _) => Some(environment),
        }
    }

    /// For which application.
    pub const fn application(&self) -> Option<ApplicationId> {
        match self {
            Self::Operator | Self::Environment(_) => None,
            Self::Application(_, application) => Some(*application),
        }
    }

    fn of(role: &str, environment: Option<String>, application: Option<Uuid>) -> Result<Self, StoreError> {
        let wrong = || StoreError::Inconsistent("an API key's scope does not parse".to_owned());
        let environment =
            environment.map(|id| id.parse::<EnvironmentId>()).transpose().map_err(|_| wrong())?;
        match (Role::from_name(role), environment, application) {
            (Some(Role::Operator), None, None) => Ok(Self::Operator),
            (Some(Role::Environment), Some(environment), None) => Ok(Self::Environment(environment)),
            (Some(Role::Application), Some(environment), Some(application)) => {
                Ok(Self::Application(environment, application.into()))
            }
            _ => Err(wrong()),
        }
    }
}

/// A key to create.
#[derive(Debug)]
pub struct NewKey {
    /// The key itself; only its hash is kept.
    pub key: ApiKey,
    /// Whom it speaks for.
    pub scope: KeyScope,
    /// For people.
    pub name: String,
    /// From then on it does not hold.
    pub expires_at: Option<DateTime<Utc>>,
}

/// A key as it is shown.
#[derive(Debug, Clone)]
pub struct ApiKeyRecord {
    /// Its id.
    pub id: ApiKeyId,
    /// Its last characters.
    pub hint: String,
    /// Whom it speaks for.
    pub scope: KeyScope,
    /// For people.
    pub name: String,
    /// When it was created.
    pub created_at: DateTime<Utc>,
    /// From then on it does not hold.
    pub expires_at: Option<DateTime<Utc>>,
    /// To the minute.
    pub last_used_at: Option<DateTime<Utc>>,
    /// Since then it does not hold.
    pub revoked_at: Option<DateTime<Utc>>,
}

struct Row {
    id: Uuid,
    hint: String,
    role: String,
    environment_id: Option<String>,
    application_id: Option<Uuid>,
    name: String,
    created_at: DateTime<Utc>,
    expires_at: Option<DateTime<Utc>>,
    last_used_at: Option<DateTime<Utc>>,
    revoked_at: Option<DateTime<Utc>>,
}

impl TryFrom<Row> for ApiKeyRecord {
    type Error = StoreError;

    fn try_from(row: Row) -> Result<Self, StoreError> {
        Ok(Self {
            id: row.id.into(),
            hint: row.hint,
            scope: KeyScope::of(&row.role, row.environment_id, row.application_id)?,
            name: row.name,
            created_at: row.created_at,
            expires_at: row.expires_at,
            last_used_at: row.last_used_at,
            revoked_at: row.revoked_at,
        })
    }
}

/// API keys, without their hashes.
macro_rules! select_keys {
    ($name:literal, $condition:literal, $($arguments:tt)*) => {
        sqlx::query_as!(
            Row,
            $name + "
            SELECT id, hint, role, environment_id, application_id, name, created_at, expires_at, last_used_at, revoked_at
            FROM api_key
            " + $condition,
            $($arguments)*
        )
    };
}

impl AccessStore {
    /// Creates a key.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`].
    pub async fn create_api_key(&self, actor: &Actor, new: &NewKey) -> Result<ApiKeyRecord, StoreError> {
        let id = ApiKeyId::generate();
        let scope = &new.scope;
        let mut tx = self.pool.begin().await?;
        let row = sqlx::query_as!(
            Row,
            r#"-- api_key::create
            INSERT INTO api_key (id, hash, hint, role, environment_id, application_id, name, expires_at)
            VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
            RETURNING id, hint, role, environment_id, application_id, name, created_at, expires_at, last_used_at,
                      revoked_at"#,
            id.uuid(),
            &new.key.hash()[..],
            new.key.hint(),
            scope.role().name(),
            scope.environment().map(EnvironmentId::as_str),
            scope.application().map(ApplicationId::uuid),
            new.name,
            new.expires_at,
        )
        .fetch_one(&mut *tx)
        .await?;
        let entry = Entry::of(scope.environment(), scope.application(), "api_key.created", id);
        let details = serde_json::json!({ "role": scope.role().name(), "name": new.name });
        note(&mut tx, actor, entry.details(details)).await?;
        tx.commit().await?;
        row.try_into()
    }

    /// One key; with `environment`, only that environment's.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`].
    pub async fn api_key(
        &self,
        environment: Option<&EnvironmentId>,
        id: ApiKeyId,
    ) -> Result<Option<ApiKeyRecord>, StoreError> {
        let mut connection = self.pool.connection().await?;
        find(&mut connection, environment, id).await
    }

    /// Keys by id; with `environment`, only that environment's.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`].
    pub async fn api_keys(
        &self,
        environment: Option<&EnvironmentId>,
        scan: &Scan<ApiKeyId>,
    ) -> Result<Vec<ApiKeyRecord>, StoreError> {
        let span = Span::of(scan);
        select_keys!(
            "-- api_key::list",
            r#"WHERE ($1::text IS NULL OR environment_id = $1) AND id > $2 AND id < $3
            ORDER BY CASE WHEN $4 THEN id END, CASE WHEN NOT $4 THEN id END DESC
            LIMIT $5"#,
            environment.map(EnvironmentId::as_str),
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

    /// Revokes a key, and tells every node. It stays in the list. `None` when it is not there.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`].
    pub async fn revoke_api_key(
        &self,
        actor: &Actor,
        environment: Option<&EnvironmentId>,
        id: ApiKeyId,
    ) -> Result<Option<KeyHash>, StoreError> {
        let mut tx = self.pool.begin().await?;
        let Some(record) = find(&mut tx, environment, id).await? else { return Ok(None) };
        let hash = sqlx::query_scalar!(
            r#"-- api_key::revoke
            UPDATE api_key SET revoked_at = coalesce(revoked_at, now()) WHERE id = $1
            RETURNING hash"#,
            id.uuid(),
        )
        .fetch_one(&mut *tx)
        .await?;
        sqlx::query!(
            "-- api_key::announce
            SELECT pg_notify('postrider_credentials' || current_setting('postrider.cell'), encode($1, 'hex'))",
            hash
        )
        .fetch_one(&mut *tx)
        .await?;
        if record.revoked_at.is_none() {
            let scope = &record.scope;
            let entry = Entry::of(scope.environment(), scope.application(), "api_key.revoked", id);
            note(&mut tx, actor, entry).await?;
        }
        tx.commit().await?;
        let hash = hash.try_into();
        hash.map(Some)
            .map_err(|_| StoreError::Inconsistent("an API key's hash has another length".to_owned()))
    }

    /// The live key of that hash: neither revoked nor, by the database's clock, expired.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`].
    pub(super) async fn api_key_by_hash(&self, hash: &KeyHash) -> Result<Option<ApiKeyRecord>, StoreError> {
        select_keys!(
            "-- api_key::by_hash",
            r#"WHERE hash = $1 AND revoked_at IS NULL AND (expires_at IS NULL OR expires_at > now())"#,
            &hash[..],
        )
        .fetch_optional(&self.pool)
        .await?
        .map(TryInto::try_into)
        .transpose()
    }

    /// Notes that a key was used, unless somebody did so within the last minute.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`].
    pub(super) async fn note_key_used(&self, id: ApiKeyId) -> Result<(), StoreError> {
        sqlx::query!(
            r#"-- api_key::used
            UPDATE api_key SET last_used_at = now()
            WHERE id = $1 AND (last_used_at IS NULL OR last_used_at < now() - interval '1 minute')"#,
            id.uuid(),
        )
        .execute(&self.pool)
        .await?;
        Ok(())
    }
}

async fn find(
    connection: &mut Connection,
    environment: Option<&EnvironmentId>,
    id: ApiKeyId,
) -> Result<Option<ApiKeyRecord>, StoreError> {
    select_keys!(
        "-- api_key::get",
        r#"WHERE id = $1 AND ($2::text IS NULL OR environment_id = $2)"#,
        id.uuid(),
        environment.map(EnvironmentId::as_str),
    )
    .fetch_optional(connection)
    .await?
    .map(TryInto::try_into)
    .transpose()
}
