//! The channels that alerts are sent over. The target of one is a secret: whoever has the URL of a chat can write there.

use chrono::{DateTime, Utc};
use serde_json::json;
use uuid::Uuid;

use crate::domain::access::actor::Actor;
use crate::domain::alert::unsent::Unsent;
use crate::domain::alert::{ChannelKind, Severity};
use crate::domain::id::{AlertChannelId, EnvironmentId};
use crate::store::StoreError;
use crate::store::access::audit::{Entry, note};
use crate::store::sealing::current_key::hold_current_key;

use super::{AlertStore, one_at_a_time};

/// Channels of an environment.
const MAX_CHANNELS: i64 = 20;

/// A channel, without its target.
#[derive(Debug, Clone)]
pub struct AlertChannel {
    /// Its id.
    pub id: AlertChannelId,
    /// For people.
    pub name: String,
    /// What it is.
    pub kind: ChannelKind,
    /// What is less severe is not sent over it.
    pub min_severity: Severity,
    /// When it was created.
    pub created_at: DateTime<Utc>,
    /// When something was last sent over it.
    pub last_sent_at: Option<DateTime<Utc>>,
    /// When something last failed to be sent.
    pub last_failed_at: Option<DateTime<Utc>>,
    /// Why it failed; `None` once something was sent since.
    pub last_error: Option<Unsent>,
}

/// What a channel is set to.
#[derive(Debug, Clone)]
pub struct ChannelSettings {
    /// For people.
    pub name: String,
    /// What it is.
    pub kind: ChannelKind,
    /// Where it leads to.
    pub target: String,
    /// What is less severe is not sent over it.
    pub min_severity: Severity,
}

struct Row {
    id: Uuid,
    name: String,
    kind: String,
    min_severity: String,
    created_at: DateTime<Utc>,
    last_sent_at: Option<DateTime<Utc>>,
    last_failed_at: Option<DateTime<Utc>>,
    last_error: Option<String>,
}

impl TryFrom<Row> for AlertChannel {
    type Error = StoreError;

    fn try_from(row: Row) -> Result<Self, StoreError> {
        let unknown = |what: &str| StoreError::Inconsistent(format!("an alert channel of an unknown {what}"));
        Ok(Self {
            id: row.id.into(),
            name: row.name,
            kind: ChannelKind::from_name(&row.kind).ok_or_else(|| unknown("kind"))?,
            min_severity: Severity::from_name(&row.min_severity).ok_or_else(|| unknown("severity"))?,
            created_at: row.created_at,
            last_sent_at: row.last_sent_at,
            last_failed_at: row.last_failed_at,
            last_error: row.last_error.as_deref().map(Unsent::parse),
        })
    }
}

impl AlertStore {
    /// The channels of an environment, the oldest first.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`].
    pub async fn channels(&self, environment: &EnvironmentId) -> Result<Vec<AlertChannel>, StoreError> {
        let rows = sqlx::query_as!(
            Row,
            "-- alert_channel::list
            SELECT id, name, kind, min_severity, created_at, last_sent_at, last_failed_at, last_error
            FROM alert_channel WHERE environment_id = $1 ORDER BY id LIMIT $2",
            environment.as_str(),
            MAX_CHANNELS,
        )
        .fetch_all(&self.pool)
        .await?;
        rows.into_iter().map(TryInto::try_into).collect()
    }

    /// A channel of an environment.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`].
    pub async fn channel(
        &self,
        environment: &EnvironmentId,
        id: AlertChannelId,
    ) -> Result<Option<AlertChannel>, StoreError> {
        let row = sqlx::query_as!(
            Row,
            "-- alert_channel::get
            SELECT id, name, kind, min_severity, created_at, last_sent_at, last_failed_at, last_error
            FROM alert_channel WHERE id = $1 AND environment_id = $2",
            id.uuid(),
            environment.as_str(),
        )
        .fetch_optional(&self.pool)
        .await?;
        row.map(TryInto::try_into).transpose()
    }

    /// Creates a channel; `None` when there are as many as there may be.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`].
    pub async fn create_channel(
        &self,
        actor: &Actor,
        environment: &EnvironmentId,
        settings: &ChannelSettings,
    ) -> Result<Option<AlertChannel>, StoreError> {
        let id = AlertChannelId::generate();
        let mut tx = self.pool.begin().await?;
        hold_current_key(&mut tx, &self.sealer).await?;
        one_at_a_time(&mut tx, environment).await?;
        let row = sqlx::query_as!(
            Row,
            "-- alert_channel::create
            INSERT INTO alert_channel (id, environment_id, name, kind, target, min_severity)
            SELECT $1, $2, $3, $4, $5, $6 WHERE (SELECT count(*) FROM alert_channel WHERE environment_id = $2) < $7
            RETURNING id, name, kind, min_severity, created_at, last_sent_at, last_failed_at, last_error",
            id.uuid(),
            environment.as_str(),
            settings.name,
            settings.kind.name(),
            self.seal_target(id, &settings.target)?,
            settings.min_severity.name(),
            MAX_CHANNELS,
        )
        .fetch_optional(&mut *tx)
        .await?;
        let Some(row) = row else { return Ok(None) };
        let entry = Entry::in_environment(environment, "alert_channel.created", id);
        note(&mut tx, actor, entry.details(json!({ "kind": settings.kind.name() }))).await?;
        tx.commit().await?;
        AlertChannel::try_from(row).map(Some)
    }

    /// Changes a channel; `None` when there is none. Its target stays when none is given.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`].
    pub async fn change_channel(
        &self,
        actor: &Actor,
        environment: &EnvironmentId,
        id: AlertChannelId,
        settings: &ChannelSettings,
        keeps_target: bool,
    ) -> Result<Option<AlertChannel>, StoreError> {
        let mut tx = self.pool.begin().await?;
        hold_current_key(&mut tx, &self.sealer).await?;
        let target = if keeps_target { None } else { Some(self.seal_target(id, &settings.target)?) };
        let row = sqlx::query_as!(
            Row,
            "-- alert_channel::update
            UPDATE alert_channel SET name = $3, kind = $4, target = coalesce($5, target), min_severity = $6
            WHERE id = $1 AND environment_id = $2
            RETURNING id, name, kind, min_severity, created_at, last_sent_at, last_failed_at, last_error",
            id.uuid(),
            environment.as_str(),
            settings.name,
            settings.kind.name(),
            target,
            settings.min_severity.name(),
        )
        .fetch_optional(&mut *tx)
        .await?;
        let Some(row) = row else { return Ok(None) };
        let entry = Entry::in_environment(environment, "alert_channel.updated", id);
        note(&mut tx, actor, entry.details(json!({ "target_changed": !keeps_target }))).await?;
        tx.commit().await?;
        AlertChannel::try_from(row).map(Some)
    }

    /// Deletes a channel, with what was to be sent over it; false when there is none.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`].
    pub async fn delete_channel(
        &self,
        actor: &Actor,
        environment: &EnvironmentId,
        id: AlertChannelId,
    ) -> Result<bool, StoreError> {
        let mut tx = self.pool.begin().await?;
        let deleted = sqlx::query!(
            "-- alert_channel::delete\nDELETE FROM alert_channel WHERE id = $1 AND environment_id = $2",
            id.uuid(),
            environment.as_str(),
        )
        .execute(&mut *tx)
        .await?;
        if deleted.rows_affected() == 0 {
            return Ok(false);
        }
        note(&mut tx, actor, Entry::in_environment(environment, "alert_channel.deleted", id)).await?;
        tx.commit().await?;
        Ok(true)
    }

    /// Where the channels of an environment lead to, the oldest first. That it was read is noted.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`]; [`StoreError::Inconsistent`] when one does not open.
    pub async fn export_targets(
        &self,
        actor: &Actor,
        environment: &EnvironmentId,
    ) -> Result<Vec<(AlertChannelId, String)>, StoreError> {
        let mut tx = self.pool.begin().await?;
        let rows = sqlx::query!(
            "-- alert_channel::export_targets
            SELECT id, target FROM alert_channel WHERE environment_id = $1 ORDER BY id LIMIT $2",
            environment.as_str(),
            MAX_CHANNELS,
        )
        .fetch_all(&mut *tx)
        .await?;
        let opened = rows.into_iter().map(|row| Ok((row.id.into(), self.open_target(row.id, &row.target)?)));
        let opened: Vec<(AlertChannelId, String)> = opened.collect::<Result<_, StoreError>>()?;
        let entry = Entry::in_environment(environment, "environment.secrets.exported", environment);
        note(&mut tx, actor, entry.details(json!({ "alert_channels": opened.len() }))).await?;
        tx.commit().await?;
        Ok(opened)
    }

    fn seal_target(&self, channel: AlertChannelId, target: &str) -> Result<Vec<u8>, StoreError> {
        self.sealer.seal(target.as_bytes(), channel.uuid().as_bytes())
    }

    /// Where a channel leads to.
    pub(super) fn open_target(&self, channel: Uuid, sealed: &[u8]) -> Result<String, StoreError> {
        let plain = self.sealer.open(sealed, channel.as_bytes())?;
        String::from_utf8(plain)
            .map_err(|_| StoreError::Inconsistent("the target of an alert channel is no text".to_owned()))
    }
}
