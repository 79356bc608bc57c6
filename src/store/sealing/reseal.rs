//! Moves everything that is sealed under a new main secret, while nodes run that have both.
//!
//! First the new key is put into use: from that commit on every transaction seals with it. Then the tables are walked in
//! bounded batches, each a statement of its own, and what the key before sealed is sealed anew. A value says itself which
//! key sealed it, so a walk that was interrupted is simply begun again. Last it is noted that nothing is left.

use chrono::{DateTime, Utc};
use uuid::Uuid;

use crate::domain::main_secret::KeyId;
use crate::store::StoreError;
use crate::store::sealing::current_key::stored_id;

use super::SealingStore;

/// A move that cannot begin.
#[derive(Debug, thiserror::Error)]
pub enum ResealError {
    /// There is no secret to move from.
    #[error(
        "the secrets in this database are sealed with this main secret (key id {0}) already: there is nothing to move. To \
         change to another, set the new one as POSTRIDER_MAIN_SECRET and this one as POSTRIDER_MAIN_SECRET_PREVIOUS"
    )]
    NothingToMove(KeyId),
    /// Nodes run that could not open what is sealed with the new one.
    #[error(
        "these nodes do not have the new main secret: {}. Start each with the new one as POSTRIDER_MAIN_SECRET and the one \
         before as POSTRIDER_MAIN_SECRET_PREVIOUS first (a node that stopped without a word counts for a minute)",
        .0.join(", ")
    )]
    NodesLackIt(Vec<String>),
    /// The database cannot be asked.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// What is moved, in this order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Part {
    /// Signing secrets.
    EndpointSecrets,
    /// Headers of endpoints, and the credentials of their URLs.
    EndpointHeaders,
    /// Answers that are kept for idempotency keys.
    KeptAnswers,
}

impl Part {
    /// Its name for people.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::EndpointSecrets => "endpoint secrets",
            Self::EndpointHeaders => "endpoint headers and URL credentials",
            Self::KeptAnswers => "answers kept for idempotency keys",
        }
    }
}

/// How far a walk has come.
#[derive(Debug, Clone)]
pub struct ResealWalk {
    /// Where it is; `None` at its end.
    pub(super) part: Option<Part>,
    /// The last row of an endpoint or of a secret that was looked at.
    pub(super) after: Uuid,
    /// The last kept answer that was looked at.
    pub(super) after_answer: (Vec<u8>, DateTime<Utc>),
}

impl ResealWalk {
    /// From the beginning.
    #[must_use]
    pub fn begin() -> Self {
        Self {
            part: Some(Part::EndpointSecrets),
            after: Uuid::nil(),
            after_answer: (Vec::new(), DateTime::UNIX_EPOCH),
        }
    }

    /// What it is at; `None` at its end.
    #[must_use]
    pub fn part(&self) -> Option<Part> {
        self.part
    }

    pub(super) fn end_part(&mut self) {
        self.after = Uuid::nil();
        self.part = match self.part {
            Some(Part::EndpointSecrets) => Some(Part::EndpointHeaders),
            Some(Part::EndpointHeaders) => Some(Part::KeptAnswers),
            Some(Part::KeptAnswers) | None => None,
        };
    }
}

/// What a batch came to.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Resealed {
    /// Rows.
    pub looked_at: u64,
    /// Values that are sealed with the new key now.
    pub moved: u64,
    /// Values that open with neither key, and were left as they are.
    pub unreadable: u64,
}

impl SealingStore {
    /// Puts the main secret into use, in place of the one before. A move that was interrupted is gone on with.
    ///
    /// # Errors
    /// [`ResealError`], which says what to do first.
    pub async fn begin_reseal(&self) -> Result<KeyId, ResealError> {
        let ids = self.sealer.secrets().ids();
        let new = ids.first().copied();
        let new = new.ok_or_else(|| StoreError::Inconsistent("there is no main secret".to_owned()))?;
        let mut transaction = self.pool.begin().await.map_err(StoreError::from)?;
        let row = sqlx::query!("-- sealing::lock\nSELECT key_id, moving_from FROM sealing FOR UPDATE")
            .fetch_one(&mut *transaction)
            .await
            .map_err(StoreError::from)?;
        let in_use = row.key_id.as_deref().map(stored_id).transpose()?;
        if in_use == Some(new) {
            return if row.moving_from.is_some() { Ok(new) } else { Err(ResealError::NothingToMove(new)) };
        }
        let lacking = sqlx::query_scalar!(
            "-- node::lacking_key
            SELECT name FROM node
            WHERE beat_at > now() - interval '1 minute' AND (sealing_keys @> ARRAY[$1::bytea]) IS NOT TRUE
            ORDER BY name LIMIT 100",
            &new.bytes()[..],
        )
        .fetch_all(&mut *transaction)
        .await
        .map_err(StoreError::from)?;
        if !lacking.is_empty() {
            return Err(ResealError::NodesLackIt(lacking));
        }
        // It waits for those that are sealing with the key before.
        sqlx::query!(
            "-- sealing::change_key
            UPDATE sealing SET moving_from = key_id, key_id = $1, changed_at = now()",
            &new.bytes()[..],
        )
        .execute(&mut *transaction)
        .await
        .map_err(StoreError::from)?;
        transaction.commit().await.map_err(StoreError::from)?;
        if self.sealer.secrets().switch_to(new) { Ok(new) } else { Err(ResealError::NothingToMove(new)) }
    }

    /// Looks at the next `limit` rows, and seals anew what the key before sealed.
    ///
    /// # Errors
    /// [`StoreError`]; the walk stays where it was.
    pub async fn reseal_batch(&self, walk: &mut ResealWalk, limit: u32) -> Result<Resealed, StoreError> {
        match walk.part {
            Some(Part::EndpointSecrets) => self.reseal_secrets(walk, limit.into()).await,
            Some(Part::EndpointHeaders) => self.reseal_headers(walk, limit.into()).await,
            Some(Part::KeptAnswers) => self.reseal_answers(walk, limit.into()).await,
            None => Ok(Resealed::default()),
        }
    }

    /// Notes that nothing is left of the key before, which can be left out from now on.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`].
    pub async fn end_reseal(&self, key: KeyId) -> Result<(), StoreError> {
        sqlx::query!(
            "-- sealing::end
            UPDATE sealing SET moving_from = NULL, changed_at = now() WHERE key_id = $1",
            &key.bytes()[..],
        )
        .execute(&self.pool)
        .await?;
        Ok(())
    }
}
