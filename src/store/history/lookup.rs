//! Messages and dead letters of an environment, by what people have of them: an id of ours, or the producer's own.

use uuid::Uuid;

use crate::domain::id::{ApplicationId, DeadLetterId, EnvironmentId, MessageId};
use crate::store::StoreError;

use super::HistoryStore;

/// So many of a kind are found.
const FOUND: i64 = 6;

/// A message, or the message of a dead letter, with whose it is.
#[derive(Debug, Clone)]
pub struct NamedMessage {
    /// The message.
    pub id: MessageId,
    /// Its event type.
    pub event_type: String,
    /// Its application.
    pub application_id: ApplicationId,
    /// The application's name.
    pub application_name: String,
}

/// A dead letter that was found.
#[derive(Debug, Clone)]
pub struct FoundDeadLetter {
    /// Its id.
    pub id: DeadLetterId,
    /// Its message.
    pub message_id: MessageId,
    /// The message's event type.
    pub event_type: String,
    /// Its application.
    pub application_id: ApplicationId,
    /// The application's name.
    pub application_name: String,
    /// Whether it was replayed or discarded.
    pub is_decided: bool,
}

impl HistoryStore {
    /// The message of that id, if it is of this environment.
    pub async fn message_in_environment(
        &self,
        environment: &EnvironmentId,
        message: MessageId,
    ) -> Result<Option<NamedMessage>, StoreError> {
        Ok(sqlx::query_as!(
            NamedMessage,
            r#"-- lookup::message
            SELECT m.id, m.event_type, m.application_id, a.name AS application_name
            FROM message m JOIN application a ON a.id = m.application_id
            WHERE m.id = $2 AND a.environment_id = $1 AND a.purpose IS NULL"#,
            environment.as_str(),
            message.uuid(),
        )
        .fetch_optional(&self.pool)
        .await?)
    }

    /// The messages that were posted under that `eventId`, the newest first. Each application of the environment is asked by
    /// its key, so that posting needs no further index.
    pub async fn messages_of_event_id(
        &self,
        environment: &EnvironmentId,
        event_id: &str,
    ) -> Result<Vec<NamedMessage>, StoreError> {
        Ok(sqlx::query_as!(
            NamedMessage,
            r#"-- lookup::event_id
            SELECT m.id AS "id!", m.event_type AS "event_type!", m.application_id AS "application_id!",
                   f.name AS "application_name!"
            FROM (
                SELECT (SELECT k.message_id FROM message_event_id k WHERE k.application_id = a.id AND k.event_id = $2) AS id,
                       a.name
                FROM application a
                WHERE a.environment_id = $1 AND a.purpose IS NULL AND a.deleted_at IS NULL OFFSET 0
            ) f
            CROSS JOIN LATERAL (
                SELECT m.id, m.event_type, m.application_id FROM message m WHERE m.id = f.id OFFSET 0
            ) m
            WHERE f.id IS NOT NULL
            ORDER BY m.id DESC LIMIT $3"#,
            environment.as_str(),
            event_id,
            FOUND,
        )
        .fetch_all(&self.pool)
        .await?)
    }

    /// The dead letters of these messages, the newest first.
    pub async fn dead_letters_of(
        &self,
        environment: &EnvironmentId,
        messages: &[MessageId],
    ) -> Result<Vec<FoundDeadLetter>, StoreError> {
        let messages: Vec<Uuid> = messages.iter().map(|message| message.uuid()).collect();
        Ok(sqlx::query_as!(
            FoundDeadLetter,
            r#"-- lookup::dead_letters
            SELECT l.id, l.message_id, l.event_type, l.application_id, a.name AS application_name,
                   (l.replayed_at IS NOT NULL OR l.discarded_at IS NOT NULL) AS "is_decided!"
            FROM dead_letter l JOIN application a ON a.id = l.application_id
            WHERE l.message_id = ANY($2) AND l.environment_id = $1 AND a.purpose IS NULL
            ORDER BY l.id DESC LIMIT $3"#,
            environment.as_str(),
            &messages,
            FOUND,
        )
        .fetch_all(&self.pool)
        .await?)
    }
}
