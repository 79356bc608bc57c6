//! Test inboxes: places on Postrider itself that keep what is posted to them, bounded in number and bytes, for a day.

use chrono::{DateTime, Utc};
use sqlx::types::Json;
use uuid::Uuid;

use crate::domain::access::actor::Actor;
use crate::domain::id::{ApplicationId, EnvironmentId, InboxId, InboxRequestId};
use crate::domain::portal::public_name::PublicName;
use crate::store::StoreError;
use crate::store::access::audit::{Entry, note};

use super::PortalStore;

/// Inboxes that are alive at a time, of an application and of an environment with all its applications.
const MAX_OF_APPLICATION: i64 = 20;
const MAX_OF_ENVIRONMENT: i64 = 200;
/// Requests that an inbox keeps.
const MAX_REQUESTS: i64 = 100;
/// What the bodies and the headers take that it keeps.
const MAX_KEPT_BYTES: i64 = 1 << 20;

/// A header's name and its value; no value where it is a secret.
pub type KeptHeader = (String, Option<String>);

/// An inbox.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InboxRecord {
    /// Its id.
    pub id: InboxId,
    /// The last part of its URL.
    pub name: PublicName,
    /// In which environment.
    pub environment: EnvironmentId,
    /// Whose it is; `None` for the environment's own.
    pub application: Option<ApplicationId>,
    /// What it answers.
    pub answer_status: u16,
    /// When it was made.
    pub created_at: DateTime<Utc>,
    /// When it ends.
    pub expires_at: DateTime<Utc>,
}

/// A request that an inbox got.
#[derive(Debug, Clone)]
pub struct InboxRequest {
    /// Its id.
    pub id: InboxRequestId,
    /// When it came.
    pub at: DateTime<Utc>,
    /// Its method.
    pub method: String,
    /// Its headers.
    pub headers: Vec<KeptHeader>,
    /// Its body.
    pub body: Vec<u8>,
    /// Whether a signature holds; `None` when no endpoint has this URL.
    pub is_verified: Option<bool>,
}

struct Row {
    id: Uuid,
    name: String,
    environment_id: String,
    application_id: Option<Uuid>,
    answer_status: i16,
    created_at: DateTime<Utc>,
    expires_at: DateTime<Utc>,
}

impl TryFrom<Row> for InboxRecord {
    type Error = StoreError;

    fn try_from(row: Row) -> Result<Self, StoreError> {
        let unreadable =
            |what: &str| StoreError::Inconsistent(format!("the {what} of an inbox does not parse"));
        Ok(Self {
            id: row.id.into(),
            name: row.name.parse().map_err(|_| unreadable("name"))?,
            environment: row.environment_id.parse().map_err(|_| unreadable("environment"))?,
            application: row.application_id.map(Into::into),
            answer_status: u16::try_from(row.answer_status).map_err(|_| unreadable("status"))?,
            created_at: row.created_at,
            expires_at: row.expires_at,
        })
    }
}

impl PortalStore {
    /// Makes an inbox; `None` when there are as many as there may be.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`].
    pub async fn create_inbox(
        &self,
        actor: &Actor,
        environment: &EnvironmentId,
        application: Option<ApplicationId>,
        answer_status: u16,
    ) -> Result<Option<InboxRecord>, StoreError> {
        let mut tx = self.pool.begin().await?;
        // Those of one environment are made one after the other, so that they are counted rightly.
        sqlx::query!(
            "-- inbox::one_at_a_time
            SELECT pg_advisory_xact_lock(hashtextextended('postrider inbox ' || current_schema() || ' ' || $1::text, 0))",
            environment.as_str(),
        )
        .fetch_one(&mut *tx)
        .await?;
        let name = PublicName::generate();
        let row = sqlx::query_as!(
            Row,
            r#"-- inbox::create
            INSERT INTO inbox (id, name, environment_id, application_id, answer_status)
            SELECT $1, $2, $3, $4, $5
            WHERE (SELECT count(*) FROM inbox WHERE environment_id = $3 AND expires_at > now()) < $6
              AND ($4::uuid IS NULL
                   OR (SELECT count(*) FROM inbox WHERE application_id = $4 AND expires_at > now()) < $7)
            RETURNING id, name, environment_id, application_id, answer_status, created_at, expires_at"#,
            InboxId::generate().uuid(),
            name.as_str(),
            environment.as_str(),
            application.map(ApplicationId::uuid),
            i16::try_from(answer_status).unwrap_or(i16::MAX),
            MAX_OF_ENVIRONMENT,
            MAX_OF_APPLICATION,
        )
        .fetch_optional(&mut *tx)
        .await?;
        let Some(row) = row else { return Ok(None) };
        let inbox = InboxRecord::try_from(row)?;
        note(&mut tx, actor, Entry::of(Some(environment), application, "inbox.created", inbox.id)).await?;
        tx.commit().await?;
        Ok(Some(inbox))
    }

    /// A live inbox by its id.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`].
    pub async fn inbox(&self, id: InboxId) -> Result<Option<InboxRecord>, StoreError> {
        let row = sqlx::query_as!(
            Row,
            r#"-- inbox::get
            SELECT id, name, environment_id, application_id, answer_status, created_at, expires_at
            FROM inbox WHERE id = $1 AND expires_at > now()"#,
            id.uuid(),
        )
        .fetch_optional(&self.pool)
        .await?;
        row.map(InboxRecord::try_from).transpose()
    }

    /// A live inbox by the last part of its URL.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`].
    pub async fn inbox_named(&self, name: &PublicName) -> Result<Option<InboxRecord>, StoreError> {
        let row = sqlx::query_as!(
            Row,
            r#"-- inbox::named
            SELECT id, name, environment_id, application_id, answer_status, created_at, expires_at
            FROM inbox WHERE name = $1 AND expires_at > now()"#,
            name.as_str(),
        )
        .fetch_optional(&self.pool)
        .await?;
        row.map(InboxRecord::try_from).transpose()
    }

    /// What an inbox got, the newest first.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`].
    pub async fn inbox_requests(&self, inbox: InboxId) -> Result<Vec<InboxRequest>, StoreError> {
        let rows = sqlx::query!(
            r#"-- inbox_request::list
            SELECT id, at, method, headers AS "headers: Json<Vec<KeptHeader>>", body, is_verified
            FROM inbox_request WHERE inbox_id = $1 ORDER BY id DESC LIMIT $2"#,
            inbox.uuid(),
            MAX_REQUESTS,
        )
        .fetch_all(&self.pool)
        .await?;
        let requests = rows.into_iter().map(|row| InboxRequest {
            id: row.id.into(),
            at: row.at,
            method: row.method,
            headers: row.headers.0,
            body: row.body,
            is_verified: row.is_verified,
        });
        Ok(requests.collect())
    }

    /// Puts a request into an inbox, and takes the oldest out for which there is no room any more. False when the inbox is
    /// not there any more.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`].
    pub async fn put_into_inbox(
        &self,
        inbox: InboxId,
        method: &str,
        headers: &[KeptHeader],
        body: &[u8],
        is_verified: Option<bool>,
    ) -> Result<bool, StoreError> {
        let put = sqlx::query_scalar!(
            r#"-- inbox_request::put
            WITH alive AS (
                SELECT id FROM inbox WHERE id = $1 AND expires_at > now() FOR UPDATE
            ), kept AS (
                SELECT r.id, row_number() OVER newest AS place, sum(octet_length(r.body) + octet_length(r.headers::text)) OVER newest AS bytes
                FROM alive a JOIN inbox_request r ON r.inbox_id = a.id
                WINDOW newest AS (ORDER BY r.id DESC)
            ), taken_out AS (
                DELETE FROM inbox_request r USING kept k
                WHERE r.id = k.id AND (k.place >= $7 OR k.bytes > $8::bigint - octet_length($5::bytea) - octet_length($4::jsonb::text))
            ), put AS (
                INSERT INTO inbox_request (id, inbox_id, method, headers, body, is_verified)
                SELECT $2, a.id, $3, $4, $5::bytea, $6 FROM alive a RETURNING id
            )
            SELECT count(*) AS "count!" FROM put"#,
            inbox.uuid(),
            InboxRequestId::generate().uuid(),
            method,
            Json(headers) as _,
            body,
            is_verified,
            MAX_REQUESTS,
            MAX_KEPT_BYTES,
        )
        .fetch_one(&self.pool)
        .await?;
        Ok(put == 1)
    }

    /// Deletes an inbox with what it got. False when it is not there.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`].
    pub async fn delete_inbox(&self, actor: &Actor, inbox: &InboxRecord) -> Result<bool, StoreError> {
        let mut tx = self.pool.begin().await?;
        let deleted = sqlx::query!("-- inbox::delete\nDELETE FROM inbox WHERE id = $1", inbox.id.uuid())
            .execute(&mut *tx)
            .await?;
        if deleted.rows_affected() == 0 {
            return Ok(false);
        }
        let entry = Entry::of(Some(&inbox.environment), inbox.application, "inbox.deleted", inbox.id);
        note(&mut tx, actor, entry).await?;
        tx.commit().await?;
        Ok(true)
    }
}
