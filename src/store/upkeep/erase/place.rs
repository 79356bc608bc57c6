//! Where the erasing of a deleted application stands.

use serde::{Deserialize, Serialize};
use serde_json::Value;
use uuid::Uuid;

use crate::store::StoreError;
use crate::store::database::connection::Connection;
use crate::store::database::span::earliest_after;

/// What is erased of an application at the moment.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) enum Stage {
    #[default]
    Messages,
    DeadLetters,
    Endpoints,
}

impl Stage {
    pub(super) const fn next(self) -> Option<Self> {
        match self {
            Self::Messages => Some(Self::DeadLetters),
            Self::DeadLetters => Some(Self::Endpoints),
            Self::Endpoints => None,
        }
    }
}

/// Where it stands.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Place {
    pub(super) stage: Stage,
    /// After this row of the stage.
    pub(super) after: Uuid,
    /// It was begun when no more messages could come.
    pub(super) is_last: bool,
}

impl Place {
    /// Where the erasing of this application stands; `None` when it is done.
    pub(super) async fn of(tx: &mut Connection, application: Uuid) -> Result<Option<Self>, StoreError> {
        let row = sqlx::query!(
            r#"-- erase::place
            SELECT erasing, (deleted_at < now() - interval '5 minutes') AS "is_last!"
            FROM application WHERE id = $1 AND deleted_at IS NOT NULL AND erased_at IS NULL"#,
            application,
        )
        .fetch_optional(tx)
        .await?;
        let Some(row) = row else { return Ok(None) };
        match row.erasing {
            Some(place) => Self::deserialize(&place).map(Some).map_err(|error| unreadable(&error)),
            None => Ok(Some(Self { is_last: row.is_last, ..Self::default() })),
        }
    }

    /// Notes where it stands. The application's next turn comes after those of all that wait.
    pub(super) async fn note(&self, tx: &mut Connection, application: Uuid) -> Result<(), StoreError> {
        sqlx::query!(
            r#"-- erase::note_place
            UPDATE application SET erasing = $2, erase_due_at = now() WHERE id = $1"#,
            application,
            self.stored()?,
        )
        .execute(tx)
        .await?;
        Ok(())
    }

    fn stored(&self) -> Result<Value, StoreError> {
        serde_json::to_value(self).map_err(|error| unreadable(&error))
    }
}

fn unreadable(error: &serde_json::Error) -> StoreError {
    StoreError::Inconsistent(format!("where the erasing of an application stands: {error}"))
}

/// Goes through the messages of the time of the deletion once more, when no more can come.
pub(super) async fn wait_for_late_messages(tx: &mut Connection, application: Uuid) -> Result<(), StoreError> {
    let deleted_at = sqlx::query_scalar!(
        r#"-- erase::deleted_at
        SELECT deleted_at AS "deleted_at!" FROM application WHERE id = $1"#,
        application,
    )
    .fetch_one(&mut *tx)
    .await?;
    let last = Place { after: earliest_after(deleted_at), is_last: true, ..Place::default() };
    sqlx::query!(
        r#"-- erase::wait_for_late_messages
        UPDATE application SET erasing = $2, erase_due_at = deleted_at + interval '5 minutes' WHERE id = $1"#,
        application,
        last.stored()?,
    )
    .execute(tx)
    .await?;
    Ok(())
}
