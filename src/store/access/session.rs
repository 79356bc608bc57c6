//! Sessions of the console, by the hashes of their cookies. Whatever ends one tells every node.

use chrono::{DateTime, Utc};
use uuid::Uuid;

use crate::domain::access::actor::{Actor, ActorKind};
use crate::domain::access::opaque_token::{OpaqueToken, OpaqueTokenHash};
use crate::domain::access::session::{
    Authority, ConsoleRole, SESSION_IDLE_TIMEOUT, SESSION_LIFETIME, SessionOrigin,
};
use crate::domain::access::token_cutoff::TokenHash;
use crate::domain::id::{ApiKeyId, EnvironmentId, PersonId, SessionId};
use crate::store::StoreError;
use crate::store::database::connection::Connection;

use super::AccessStore;
use super::audit::{Entry, note};

/// A session to begin.
#[derive(Debug)]
pub struct NewSession {
    /// What its cookie holds; only the hash is kept.
    pub token: OpaqueToken,
    /// What names it in the audit log.
    pub id: SessionId,
    /// What it begins with.
    pub origin: SessionOrigin,
    /// What it allows.
    pub role: ConsoleRole,
    /// For people.
    pub name: String,
    /// When what it begins with ends.
    pub ends_at: Option<DateTime<Utc>>,
}

/// A session that is alive.
#[derive(Debug, Clone)]
pub struct SessionRecord {
    /// What names it in the audit log.
    pub id: SessionId,
    /// What it began with.
    pub origin: SessionOrigin,
    /// The hash of the API key that it began with.
    pub api_key: Option<OpaqueTokenHash>,
    /// What it allows.
    pub role: ConsoleRole,
    /// For people.
    pub name: String,
    /// Who the audit log names.
    pub actor_id: String,
    /// To the minute.
    pub last_used_at: DateTime<Utc>,
    /// From then on it does not hold.
    pub ends_at: DateTime<Utc>,
}

/// Whose sessions end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EndedSessions {
    /// This one alone.
    One(OpaqueTokenHash),
    /// All of a person.
    OfPerson(PersonId),
    /// All that began with this API key.
    OfApiKey(ApiKeyId),
    /// All that began with this token.
    OfToken(TokenHash),
    /// All that began with a link.
    OfLinks,
}

struct Row {
    id: Uuid,
    kind: String,
    role: String,
    environment_id: Option<String>,
    name: String,
    actor_id: String,
    person_id: Option<Uuid>,
    api_key_id: Option<Uuid>,
    api_key_hash: Option<Vec<u8>>,
    token_hash: Option<Vec<u8>>,
    authority: Option<Vec<u8>>,
    last_used_at: DateTime<Utc>,
    ends_at: DateTime<Utc>,
}

impl TryFrom<Row> for SessionRecord {
    type Error = StoreError;

    fn try_from(row: Row) -> Result<Self, StoreError> {
        let hash = |bytes: Option<Vec<u8>>| bytes.and_then(|bytes| <[u8; 32]>::try_from(bytes).ok());
        let (token, authority) = (hash(row.token_hash), hash(row.authority));
        let kind = ActorKind::from_name(&row.kind);
        let origin = match (kind, row.person_id, row.api_key_id, token, authority) {
            (Some(ActorKind::Person), Some(id), _, _, Some(authority)) => {
                SessionOrigin::Person { id: id.into(), authority }
            }
            (Some(ActorKind::ApiKey), _, Some(id), _, _) => SessionOrigin::ApiKey(id.into()),
            (Some(ActorKind::Token), _, _, Some(hash), Some(authority)) => {
                SessionOrigin::Token { hash, authority }
            }
            (Some(ActorKind::Link), ..) => SessionOrigin::Link,
            _ => return Err(StoreError::Inconsistent(format!("a session of the kind {}", row.kind))),
        };
        let role = ConsoleRole::from_parts(&row.role, row.environment_id.as_deref())
            .ok_or_else(|| StoreError::Inconsistent(format!("a session of the role {}", row.role)))?;
        Ok(Self {
            id: row.id.into(),
            origin,
            api_key: hash(row.api_key_hash),
            role,
            name: row.name,
            actor_id: row.actor_id,
            last_used_at: row.last_used_at,
            ends_at: row.ends_at,
        })
    }
}

impl AccessStore {
    /// Begins a session with an API key or a token.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`].
    pub async fn begin_session(&self, actor: &Actor, new: &NewSession) -> Result<SessionRecord, StoreError> {
        let mut tx = self.pool.begin().await?;
        let begun = begin(&mut tx, actor, new).await?;
        tx.commit().await?;
        Ok(begun)
    }

    /// The session of that hash that is alive by the database's clock.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`].
    pub(super) async fn session_by_hash(
        &self,
        hash: &OpaqueTokenHash,
    ) -> Result<Option<SessionRecord>, StoreError> {
        sqlx::query_as!(
            Row,
            r#"-- session::by_hash
            SELECT s.id, s.kind, s.role, s.environment_id, s.name, s.actor_id, s.person_id, s.api_key_id,
                   k.hash AS "api_key_hash?", s.token_hash, s.authority, s.last_used_at, s.ends_at
            FROM session s LEFT JOIN api_key k ON k.id = s.api_key_id
            WHERE s.hash = $1 AND s.ends_at > now()
              AND s.last_used_at > now() - $2::float8 * interval '1 second'"#,
            &hash[..],
            SESSION_IDLE_TIMEOUT.as_seconds_f64(),
        )
        .fetch_optional(&self.pool)
        .await?
        .map(TryInto::try_into)
        .transpose()
    }

    /// Notes that a session was used, unless somebody did so within the last minute, and that its person was seen.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`].
    pub(super) async fn note_session_used(&self, id: SessionId) -> Result<(), StoreError> {
        sqlx::query!(
            r#"-- session::used
            WITH used AS (
                UPDATE session SET last_used_at = now()
                WHERE id = $1 AND last_used_at < now() - interval '1 minute' AND ends_at > now()
                  AND last_used_at > now() - $2::float8 * interval '1 second'
                RETURNING person_id
            )
            UPDATE person p SET last_seen_at = now() FROM used u WHERE p.id = u.person_id"#,
            id.uuid(),
            SESSION_IDLE_TIMEOUT.as_seconds_f64(),
        )
        .execute(&self.pool)
        .await?;
        Ok(())
    }

    /// Ends sessions, and tells every node. Returns their hashes.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`].
    pub async fn end_sessions(
        &self,
        actor: &Actor,
        ended: EndedSessions,
    ) -> Result<Vec<OpaqueTokenHash>, StoreError> {
        let mut tx = self.pool.begin().await?;
        let hashes = end(&mut tx, actor, ended).await?;
        tx.commit().await?;
        Ok(hashes)
    }
}

/// Begins a session in the caller's transaction.
pub(super) async fn begin(
    tx: &mut Connection,
    actor: &Actor,
    new: &NewSession,
) -> Result<SessionRecord, StoreError> {
    let (person, api_key, token): (Option<PersonId>, Option<ApiKeyId>, Option<&TokenHash>) = match &new.origin
    {
        SessionOrigin::Person { id, .. } => (Some(*id), None, None),
        SessionOrigin::ApiKey(id) => (None, Some(*id), None),
        SessionOrigin::Token { hash, .. } => (None, None, Some(hash)),
        SessionOrigin::Link => (None, None, None),
    };
    let row = sqlx::query_as!(
        Row,
        r#"-- session::begin
        INSERT INTO session (hash, id, kind, role, environment_id, name, actor_id, person_id, api_key_id, token_hash,
                             authority, ends_at)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11,
                least(now() + $12::float8 * interval '1 second', $13::timestamptz))
        RETURNING id, kind, role, environment_id, name, actor_id, person_id, api_key_id,
                  (SELECT k.hash FROM api_key k WHERE k.id = api_key_id) AS api_key_hash, token_hash, authority,
                  last_used_at, ends_at"#,
        &new.token.hash()[..],
        new.id.uuid(),
        new.origin.kind().name(),
        new.role.role().name(),
        new.role.environment().map(EnvironmentId::as_str),
        new.name,
        actor.id,
        person.map(PersonId::uuid),
        api_key.map(ApiKeyId::uuid),
        token.map(|hash| &hash[..]),
        new.origin.authority().map(|authority: &Authority| &authority[..]),
        SESSION_LIFETIME.as_seconds_f64(),
        new.ends_at,
    )
    .fetch_one(&mut *tx)
    .await?;
    let entry = Entry::of(new.role.environment(), None, "session.began", new.id);
    let details = serde_json::json!({ "role": new.role.role().name(), "name": new.name });
    note(tx, actor, entry.details(details)).await?;
    row.try_into()
}

/// Ends sessions in the caller's transaction.
async fn end(
    tx: &mut Connection,
    actor: &Actor,
    ended: EndedSessions,
) -> Result<Vec<OpaqueTokenHash>, StoreError> {
    let (mut one, mut person, mut api_key, mut token) = (None, None, None, None);
    match &ended {
        EndedSessions::One(hash) => one = Some(&hash[..]),
        EndedSessions::OfPerson(id) => person = Some(id.uuid()),
        EndedSessions::OfApiKey(id) => api_key = Some(id.uuid()),
        EndedSessions::OfToken(hash) => token = Some(&hash[..]),
        EndedSessions::OfLinks => {}
    }
    let rows = sqlx::query!(
        r#"-- session::end
        DELETE FROM session
        WHERE hash = $1 OR person_id = $2 OR api_key_id = $3 OR token_hash = $4 OR (kind = 'link' AND $5)
        RETURNING id, hash, environment_id"#,
        one,
        person,
        api_key,
        token,
        ended == EndedSessions::OfLinks,
    )
    .fetch_all(&mut *tx)
    .await?;
    let ended = rows.into_iter().map(|row| (row.id, row.hash, row.environment_id));
    note_ended(tx, actor, ended.collect()).await
}

/// A session that was deleted: its id, its hash, its environment.
pub(super) type Deleted = (Uuid, Vec<u8>, Option<String>);

/// Notes that sessions were ended, and tells every node. Returns their hashes.
pub(super) async fn note_ended(
    tx: &mut Connection,
    actor: &Actor,
    ended: Vec<Deleted>,
) -> Result<Vec<OpaqueTokenHash>, StoreError> {
    let mut hashes = Vec::with_capacity(ended.len());
    for (id, hash, environment) in ended {
        let unreadable =
            |what| StoreError::Inconsistent(format!("the {what} of session {id} cannot be read"));
        let environment = environment.map(|id| id.parse::<EnvironmentId>()).transpose();
        let environment = environment.map_err(|_| unreadable("environment"))?;
        note(tx, actor, Entry::of(environment.as_ref(), None, "session.ended", SessionId::from(id))).await?;
        hashes.push(OpaqueTokenHash::try_from(hash).map_err(|_| unreadable("hash"))?);
    }
    announce(tx, &hashes).await?;
    Ok(hashes)
}

/// Tells every node that these sessions hold no longer.
async fn announce(tx: &mut Connection, hashes: &[OpaqueTokenHash]) -> Result<(), StoreError> {
    let hashes: Vec<Vec<u8>> = hashes.iter().map(|hash| hash.to_vec()).collect();
    sqlx::query!(
        r#"-- session::announce
        SELECT pg_notify('postrider_credentials' || current_setting('postrider.cell'), encode(hash, 'hex'))
        FROM unnest($1::bytea[]) AS ended (hash)"#,
        &hashes,
    )
    .fetch_all(tx)
    .await?;
    Ok(())
}
