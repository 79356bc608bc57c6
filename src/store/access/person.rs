//! People whom an identity provider vouched for. They are known from their first sign-in on, with the role of their last.

use std::net::IpAddr;

use chrono::{DateTime, Utc};
use uuid::Uuid;

use crate::domain::access::actor::{Actor, ActorKind};
use crate::domain::access::opaque_token::OpaqueTokenHash;
use crate::domain::access::session::{ConsoleRole, SESSION_IDLE_TIMEOUT};
use crate::domain::id::{EnvironmentId, PersonId};
use crate::domain::page::Scan;
use crate::store::StoreError;

use super::AccessStore;
use super::session::note_ended;

/// A person as their identity provider describes them.
#[derive(Debug, Clone)]
pub struct SignedInPerson {
    /// The provider.
    pub issuer: String,
    /// Their name for it, which never changes.
    pub subject: String,
    /// For people.
    pub name: Option<String>,
    /// For people.
    pub email: Option<String>,
    /// What the provider's claim gives them.
    pub role: ConsoleRole,
}

/// A person as they are shown.
#[derive(Debug, Clone)]
pub struct PersonRecord {
    /// Their id.
    pub id: PersonId,
    /// As their provider has it.
    pub name: Option<String>,
    /// As their provider has it.
    pub email: Option<String>,
    /// What they might do when they last signed in.
    pub role: ConsoleRole,
    /// When they first signed in.
    pub first_seen_at: DateTime<Utc>,
    /// To the minute.
    pub last_seen_at: DateTime<Utc>,
    /// Sessions that are alive.
    pub sessions: i64,
}

/// A place in the list of people, which is in the order of when they were last seen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SeenKey {
    /// When.
    pub last_seen_at: DateTime<Utc>,
    /// Who, of those who were seen at the same moment.
    pub id: PersonId,
}

struct Row {
    id: Uuid,
    name: Option<String>,
    email: Option<String>,
    role: String,
    environment_id: Option<String>,
    first_seen_at: DateTime<Utc>,
    last_seen_at: DateTime<Utc>,
    sessions: i64,
}

impl TryFrom<Row> for PersonRecord {
    type Error = StoreError;

    fn try_from(row: Row) -> Result<Self, StoreError> {
        let role = ConsoleRole::from_parts(&row.role, row.environment_id.as_deref())
            .ok_or_else(|| StoreError::Inconsistent(format!("a person of the role {}", row.role)))?;
        Ok(Self {
            id: row.id.into(),
            role,
            name: row.name,
            email: row.email,
            first_seen_at: row.first_seen_at,
            last_seen_at: row.last_seen_at,
            sessions: row.sessions,
        })
    }
}

impl AccessStore {
    /// Remembers a person, or what their provider says of them now. Their sessions with another role end, and every node is
    /// told. Returns them as the audit log names them, their id, and the hashes of those sessions.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`].
    pub async fn remember_person(
        &self,
        person: &SignedInPerson,
        address: Option<IpAddr>,
    ) -> Result<(Actor, PersonId, Vec<OpaqueTokenHash>), StoreError> {
        let (role, environment) = (person.role.role(), person.role.environment());
        let mut tx = self.pool.begin().await?;
        let id = sqlx::query_scalar!(
            r#"-- person::remember
            INSERT INTO person (id, issuer, subject, name, email, role, environment_id)
            VALUES ($1, $2, $3, $4, $5, $6, $7)
            ON CONFLICT (issuer, subject) DO UPDATE
            SET name = excluded.name, email = excluded.email, role = excluded.role,
                environment_id = excluded.environment_id, last_seen_at = now()
            RETURNING id"#,
            PersonId::generate().uuid(),
            person.issuer,
            person.subject,
            person.name,
            person.email,
            role.name(),
            environment.map(EnvironmentId::as_str),
        )
        .fetch_one(&mut *tx)
        .await?;
        let ended = sqlx::query!(
            r#"-- person::end_other_roles
            DELETE FROM session WHERE person_id = $1 AND (role, environment_id) IS DISTINCT FROM ($2, $3::text)
            RETURNING id, hash, environment_id"#,
            id,
            role.name(),
            environment.map(EnvironmentId::as_str),
        )
        .fetch_all(&mut *tx)
        .await?;
        let id = PersonId::from(id);
        let actor =
            Actor { kind: ActorKind::Person, id: id.to_string(), role: Some(role), address, session: None };
        let ended = ended.into_iter().map(|row| (row.id, row.hash, row.environment_id)).collect();
        let ended = note_ended(&mut tx, &actor, ended).await?;
        tx.commit().await?;
        Ok((actor, id, ended))
    }

    /// The person whom a provider calls so, if they ever signed in.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`].
    pub async fn person_of_subject(
        &self,
        issuer: &str,
        subject: &str,
    ) -> Result<Option<PersonId>, StoreError> {
        let found = sqlx::query_scalar!(
            "-- person::of_subject\nSELECT id FROM person WHERE issuer = $1 AND subject = $2",
            issuer,
            subject,
        )
        .fetch_optional(&self.pool)
        .await?;
        Ok(found.map(Into::into))
    }

    /// Whether there is a person of that id.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`].
    pub async fn person_exists(&self, id: PersonId) -> Result<bool, StoreError> {
        let found = sqlx::query_scalar!(
            r#"-- person::exists
            SELECT EXISTS (SELECT FROM person WHERE id = $1) AS "exists!""#,
            id.uuid(),
        )
        .fetch_one(&self.pool)
        .await?;
        Ok(found)
    }

    /// People by when they were last seen.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`].
    pub async fn people(&self, scan: &Scan<SeenKey>) -> Result<Vec<PersonRecord>, StoreError> {
        let (above, below) = if scan.ascending { (scan.after, None) } else { (None, scan.after) };
        sqlx::query_as!(
            Row,
            r#"-- person::list
            SELECT id, name, email, role, environment_id, first_seen_at, last_seen_at,
                   (SELECT count(*) FROM session s
                    WHERE s.person_id = p.id AND s.ends_at > now()
                      AND s.last_used_at > now() - $7::float8 * interval '1 second') AS "sessions!"
            FROM person p
            WHERE ($1::timestamptz IS NULL OR (last_seen_at, id) > ($1, $2))
              AND ($3::timestamptz IS NULL OR (last_seen_at, id) < ($3, $4))
            ORDER BY CASE WHEN $5 THEN last_seen_at END, CASE WHEN $5 THEN id END,
                     CASE WHEN NOT $5 THEN last_seen_at END DESC, CASE WHEN NOT $5 THEN id END DESC
            LIMIT $6"#,
            above.map(|key| key.last_seen_at),
            above.map(|key| key.id.uuid()),
            below.map(|key| key.last_seen_at),
            below.map(|key| key.id.uuid()),
            scan.ascending,
            scan.limit,
            SESSION_IDLE_TIMEOUT.as_seconds_f64(),
        )
        .fetch_all(&self.pool)
        .await?
        .into_iter()
        .map(TryInto::try_into)
        .collect()
    }
}
