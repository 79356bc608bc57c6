//! Pauses: of an endpoint, of an application, of all dispatching. What is paused accepts messages and holds them; a
//! claim never looks at it. Kept in the database, so that a restart changes nothing and every node agrees.

use chrono::{DateTime, Utc};

use crate::domain::access::actor::Actor;
use crate::domain::id::{ApplicationId, EndpointId, EnvironmentId};
use crate::store::StoreError;
use crate::store::access::audit::{Entry, note};

use super::ConfigurationStore;
use super::version::raise_version;

/// So many paused things are listed.
const LISTED: i64 = 1_000;

/// What is paused in an environment, or anywhere.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PausedThings {
    /// Since when all dispatching is.
    pub dispatching: Option<DateTime<Utc>>,
    /// The applications that are, with since when; the longest first.
    pub applications: Vec<(ApplicationId, DateTime<Utc>)>,
    /// The endpoints that are themselves, with their application and since when; the longest first.
    pub endpoints: Vec<(ApplicationId, EndpointId, DateTime<Utc>)>,
}

impl ConfigurationStore {
    /// Pauses or resumes all dispatching, on every node. Returns since when it is paused.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`].
    pub async fn pause_dispatching(
        &self,
        actor: &Actor,
        paused: bool,
    ) -> Result<Option<DateTime<Utc>>, StoreError> {
        let mut tx = self.pool.begin().await?;
        let paused_at = sqlx::query_scalar!(
            "-- dispatching::pause
            UPDATE dispatching
            SET paused_at = CASE WHEN $1 THEN coalesce(paused_at, now()) END,
                resumed_at = CASE WHEN NOT $1 AND paused_at IS NOT NULL THEN now() ELSE resumed_at END
            WHERE singleton
            RETURNING paused_at",
            paused,
        )
        .fetch_one(&mut *tx)
        .await?;
        sqlx::query!(
            "-- dispatching::announce
            SELECT pg_notify('postrider_pause' || current_setting('postrider.cell'), '')"
        )
        .fetch_one(&mut *tx)
        .await?;
        let action = if paused { "dispatching.paused" } else { "dispatching.resumed" };
        note(&mut tx, actor, Entry::of(None, None, action, "all")).await?;
        tx.commit().await?;
        Ok(paused_at)
    }

    /// Pauses or resumes an application. Returns since when it is paused; `None` when it is not there.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`].
    pub async fn pause_application(
        &self,
        actor: &Actor,
        application: ApplicationId,
        paused: bool,
    ) -> Result<Option<Option<DateTime<Utc>>>, StoreError> {
        let mut tx = self.pool.begin().await?;
        if !raise_version(&mut tx, application).await? {
            return Ok(None);
        }
        let paused_at = sqlx::query_scalar!(
            "-- application::pause
            UPDATE application
            SET paused_at = CASE WHEN $2 THEN coalesce(paused_at, now()) END,
                opened_at = CASE WHEN NOT $2 AND paused_at IS NOT NULL THEN now() ELSE opened_at END
            WHERE id = $1
            RETURNING paused_at",
            application.uuid(),
            paused,
        )
        .fetch_one(&mut *tx)
        .await?;
        let action = if paused { "application.paused" } else { "application.resumed" };
        note(&mut tx, actor, Entry::in_application(application, action, application)).await?;
        tx.commit().await?;
        Ok(Some(paused_at))
    }

    /// Pauses or resumes an endpoint. Returns since when it is paused; `None` when it is not there.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`].
    pub async fn pause_endpoint(
        &self,
        actor: &Actor,
        application: ApplicationId,
        endpoint: EndpointId,
        paused: bool,
    ) -> Result<Option<Option<DateTime<Utc>>>, StoreError> {
        let mut tx = self.pool.begin().await?;
        if !raise_version(&mut tx, application).await? {
            return Ok(None);
        }
        let row = sqlx::query!(
            "-- endpoint::pause
            UPDATE endpoint
            SET paused_at = CASE WHEN $3 THEN coalesce(paused_at, now()) END,
                opened_at = CASE WHEN NOT $3 AND paused_at IS NOT NULL THEN now() ELSE opened_at END
            WHERE application_id = $1 AND id = $2 AND deleted_at IS NULL
            RETURNING id, paused_at",
            application.uuid(),
            endpoint.uuid(),
            paused,
        )
        .fetch_optional(&mut *tx)
        .await?;
        let Some(row) = row else { return Ok(None) };
        let action = if paused { "endpoint.paused" } else { "endpoint.resumed" };
        let entry = Entry::in_application(application, action, EndpointId::from(row.id));
        note(&mut tx, actor, entry).await?;
        tx.commit().await?;
        Ok(Some(row.paused_at))
    }

    /// What is paused, in that environment or in all of them; a thousand of a kind at most.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`].
    pub async fn paused_things(
        &self,
        environment: Option<&EnvironmentId>,
    ) -> Result<PausedThings, StoreError> {
        let environment = environment.map(EnvironmentId::as_str);
        let dispatching =
            sqlx::query_scalar!("-- dispatching::since\nSELECT paused_at FROM dispatching WHERE singleton")
                .fetch_one(&self.pool)
                .await?;
        let applications = sqlx::query!(
            r#"-- application::paused
            SELECT id, paused_at AS "paused_at!" FROM application
            WHERE paused_at IS NOT NULL AND deleted_at IS NULL AND ($1::text IS NULL OR environment_id = $1)
            ORDER BY paused_at, id LIMIT $2"#,
            environment,
            LISTED,
        )
        .fetch_all(&self.pool)
        .await?;
        let endpoints = sqlx::query!(
            r#"-- endpoint::paused
            SELECT e.id, e.application_id, e.paused_at AS "paused_at!"
            FROM endpoint e JOIN application a ON a.id = e.application_id
            WHERE e.paused_at IS NOT NULL AND e.deleted_at IS NULL AND ($1::text IS NULL OR a.environment_id = $1)
            ORDER BY e.paused_at, e.id LIMIT $2"#,
            environment,
            LISTED,
        )
        .fetch_all(&self.pool)
        .await?;
        Ok(PausedThings {
            dispatching,
            applications: applications.into_iter().map(|row| (row.id.into(), row.paused_at)).collect(),
            endpoints: endpoints
                .into_iter()
                .map(|row| (row.application_id.into(), row.id.into(), row.paused_at))
                .collect(),
        })
    }
}
