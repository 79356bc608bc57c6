//! Finding applications, endpoints and event types by a part of their texts: see `search_grams` in
//! `migrations/0010_search.sql`. What is alike most comes first: the whole text, then its beginning, then any part.

use crate::domain::id::{ApplicationId, EndpointId, EnvironmentId};
use crate::domain::rollup::incident::FAILURES_IN_ROW;
use crate::store::StoreError;

use super::ConfigurationStore;

/// So many of a kind are found.
const FOUND: i64 = 6;
/// So many are compared with one another.
const COMPARED: i64 = 1_000;

/// An application that was found.
#[derive(Debug, Clone)]
pub struct FoundApplication {
    /// Its id.
    pub id: ApplicationId,
    /// Its name.
    pub name: String,
    /// Whether it is paused.
    pub is_paused: bool,
}

/// An endpoint that was found.
#[derive(Debug, Clone)]
pub struct FoundEndpoint {
    /// Its id.
    pub id: EndpointId,
    /// Where it is.
    pub url: String,
    /// Its application.
    pub application_id: ApplicationId,
    /// The application's name.
    pub application_name: String,
    /// `disabled`, `paused` or `failing`, if it is one of these.
    pub state: Option<String>,
}

/// An event type that was found.
#[derive(Debug, Clone)]
pub struct FoundEventType {
    /// Its name.
    pub name: String,
    /// Whether it is archived.
    pub is_archived: bool,
}

/// What was found of the configuration.
#[derive(Debug, Clone, Default)]
pub struct FoundConfiguration {
    /// The applications.
    pub applications: Vec<FoundApplication>,
    /// The endpoints.
    pub endpoints: Vec<FoundEndpoint>,
    /// The event types.
    pub event_types: Vec<FoundEventType>,
}

impl ConfigurationStore {
    /// What has `asked` in its name, its `uid`, its URL or its description; six of a kind at most.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`].
    pub async fn search(
        &self,
        environment: &EnvironmentId,
        asked: &str,
    ) -> Result<FoundConfiguration, StoreError> {
        let (applications, endpoints, event_types) = tokio::try_join!(
            self.search_applications(environment, asked),
            self.search_endpoints(environment, asked),
            self.search_event_types(environment, asked),
        )?;
        Ok(FoundConfiguration { applications, endpoints, event_types })
    }

    async fn search_applications(
        &self,
        environment: &EnvironmentId,
        asked: &str,
    ) -> Result<Vec<FoundApplication>, StoreError> {
        Ok(sqlx::query_as!(
            FoundApplication,
            r#"-- search::applications
            SELECT id AS "id!", name AS "name!", paused_at IS NOT NULL AS "is_paused!" FROM (
                SELECT id, name, uid, paused_at FROM application
                WHERE environment_id = $1 AND purpose IS NULL AND deleted_at IS NULL
                  AND search_grams(ARRAY[name, uid]) @> asked_grams($2) AND has_text(ARRAY[name, uid], $2)
                LIMIT $3
            ) a
            ORDER BY uid IS NOT DISTINCT FROM $2 DESC, lower(name) = lower($2) DESC,
                     starts_with(lower(name), lower($2)) DESC, length(name), name, id
            LIMIT $4"#,
            environment.as_str(),
            asked,
            COMPARED,
            FOUND,
        )
        .fetch_all(&self.pool)
        .await?)
    }

    async fn search_endpoints(
        &self,
        environment: &EnvironmentId,
        asked: &str,
    ) -> Result<Vec<FoundEndpoint>, StoreError> {
        Ok(sqlx::query_as!(
            FoundEndpoint,
            r#"-- search::endpoints
            SELECT e.id AS "id!", e.url AS "url!", e.application_id AS "application_id!", e.name AS "application_name!",
                   CASE WHEN e.is_disabled THEN 'disabled' WHEN e.is_paused THEN 'paused'
                        WHEN h.failed_in_row >= $5 AND h.last_failed_at > now() - interval '1 day' THEN 'failing' END AS state
            FROM (
                SELECT e.id, e.url, e.uid, e.description, e.application_id, a.name, e.disabled_at IS NOT NULL AS is_disabled,
                       e.paused_at IS NOT NULL OR a.paused_at IS NOT NULL AS is_paused
                FROM endpoint e JOIN application a ON a.id = e.application_id
                WHERE a.environment_id = $1 AND a.purpose IS NULL AND a.deleted_at IS NULL AND e.deleted_at IS NULL
                  AND search_grams(ARRAY[e.url, e.description, e.uid]) @> asked_grams($2)
                  AND has_text(ARRAY[e.url, e.description, e.uid], $2)
                LIMIT $3
            ) e
            LEFT JOIN endpoint_health h ON h.endpoint_id = e.id
            ORDER BY e.uid IS NOT DISTINCT FROM $2 DESC, starts_with(lower(e.description), lower($2)) DESC,
                     has_text(ARRAY[e.url], $2) DESC, length(e.url), e.url, e.id
            LIMIT $4"#,
            environment.as_str(),
            asked,
            COMPARED,
            FOUND,
            FAILURES_IN_ROW,
        )
        .fetch_all(&self.pool)
        .await?)
    }

    async fn search_event_types(
        &self,
        environment: &EnvironmentId,
        asked: &str,
    ) -> Result<Vec<FoundEventType>, StoreError> {
        Ok(sqlx::query_as!(
            FoundEventType,
            r#"-- search::event_types
            SELECT name AS "name!", archived AS "is_archived!" FROM (
                SELECT name, archived FROM event_type
                WHERE environment_id = $1
                  AND search_grams(ARRAY[name, description]) @> asked_grams($2) AND has_text(ARRAY[name, description], $2)
                LIMIT $3
            ) t
            ORDER BY lower(name) = lower($2) DESC, starts_with(lower(name), lower($2)) DESC, has_text(ARRAY[name], $2) DESC,
                     archived, length(name), name
            LIMIT $4"#,
            environment.as_str(),
            asked,
            COMPARED,
            FOUND,
        )
        .fetch_all(&self.pool)
        .await?)
    }

    /// The endpoint of that id, if it is one of the environment's; a deleted one, too.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`].
    pub async fn endpoint_in_environment(
        &self,
        environment: &EnvironmentId,
        endpoint: EndpointId,
    ) -> Result<Option<FoundEndpoint>, StoreError> {
        Ok(sqlx::query_as!(
            FoundEndpoint,
            r#"-- search::endpoint
            SELECT e.id, e.url, e.application_id, a.name AS application_name,
                   CASE WHEN e.deleted_at IS NOT NULL THEN 'deleted' WHEN e.disabled_at IS NOT NULL THEN 'disabled'
                        WHEN e.paused_at IS NOT NULL OR a.paused_at IS NOT NULL THEN 'paused' END AS state
            FROM endpoint e JOIN application a ON a.id = e.application_id
            WHERE e.id = $2 AND a.environment_id = $1 AND a.purpose IS NULL"#,
            environment.as_str(),
            endpoint.uuid(),
        )
        .fetch_optional(&self.pool)
        .await?)
    }
}
