//! What those who watch are told, from node to node: notices on channels of their own, and the little that is looked up for
//! them. Nothing here is on the way of a message.

mod gauges;
mod listen;

use std::collections::HashMap;

use uuid::Uuid;

use crate::domain::id::{ApplicationId, EnvironmentId};
use crate::domain::live::scope::Scope;

use super::StoreError;
use super::database::pool::Pool;
use super::database::session_settings::SessionOptions;

pub use gauges::Gauges;
pub use listen::LiveNotices;

/// Names of a notice of what is wanted: a notice has room for 8,000 bytes.
const SCOPES_PER_NOTICE: usize = 100;
/// So much of an application's name is told.
const NAME_CHARACTERS: i32 = 256;

/// What those who watch are told.
#[derive(Clone)]
pub struct LiveStore {
    pub(super) pool: Pool,
    /// For listening, which needs a connection of sqlx's own.
    pub(super) sessions: SessionOptions,
}

impl LiveStore {
    /// Tells the nodes that listen.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`].
    pub async fn tell(&self, notices: &[String]) -> Result<(), StoreError> {
        sqlx::query!(
            "-- live::tell
            SELECT pg_notify('postrider_live' || current_setting('postrider.cell'), notice)
            FROM unnest($1::text[]) AS notice",
            notices,
        )
        .fetch_all(&self.pool)
        .await?;
        Ok(())
    }

    /// Tells every node whose events are wanted here.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`].
    pub async fn say_what_is_wanted(&self, scopes: &[Scope]) -> Result<(), StoreError> {
        let names: Vec<String> = scopes.iter().map(Scope::to_string).collect();
        let notices: Vec<String> = names.chunks(SCOPES_PER_NOTICE).map(|names| names.join(",")).collect();
        sqlx::query!(
            "-- live::say_what_is_wanted
            SELECT pg_notify('postrider_watch' || current_setting('postrider.cell'), notice)
            FROM unnest($1::text[]) AS notice",
            &notices,
        )
        .fetch_all(&self.pool)
        .await?;
        Ok(())
    }

    /// The environments of applications; those that are nobody's tenant are left out.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`].
    pub async fn environments_of(
        &self,
        applications: &[ApplicationId],
    ) -> Result<HashMap<ApplicationId, EnvironmentId>, StoreError> {
        let ids: Vec<Uuid> = applications.iter().map(|id| id.uuid()).collect();
        let rows = sqlx::query!(
            r#"-- live::environments_of
            SELECT id, environment_id FROM application WHERE id = ANY($1) AND purpose IS NULL"#,
            &ids,
        )
        .fetch_all(&self.pool)
        .await?;
        let parsed = rows.into_iter().map(|row| {
            let environment = row.environment_id.parse();
            let environment = environment
                .map_err(|_| StoreError::Inconsistent("an environment's id does not parse".to_owned()));
            Ok((row.id.into(), environment?))
        });
        parsed.collect()
    }

    /// What an application is called, shortened.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`].
    pub async fn application_name(&self, application: ApplicationId) -> Result<Option<String>, StoreError> {
        Ok(sqlx::query_scalar!(
            r#"-- live::application_name
            SELECT left(name, $2) AS "name!" FROM application WHERE id = $1"#,
            application.uuid(),
            NAME_CHARACTERS,
        )
        .fetch_optional(&self.pool)
        .await?)
    }
}
