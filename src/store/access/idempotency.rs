//! Answers that are given again: a `POST` claims its key before it works, and leaves its answer there. (The post
//! of a message does not come here: ingest writes its key together with the message.)
//!
//! Answers are sealed, because some carry a secret.

use chrono::{DateTime, Utc};

use crate::store::StoreError;
use crate::store::sealing::current_key::hold_current_key;

use super::AccessStore;

/// The hash of an `Idempotency-Key` in its scope, and of the request that came with it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct IdempotencyKey {
    /// Of caller, method, path and key.
    pub key_hash: [u8; 32],
    /// Of the body.
    pub request_hash: [u8; 32],
}

/// A key's claim by one request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Claim {
    key_hash: [u8; 32],
    slot: DateTime<Utc>,
    /// Also the token: who takes over makes it anew.
    claimed_at: DateTime<Utc>,
}

/// What a key stands for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Claimed {
    /// It is new: do the work, then leave the answer.
    Ours(Claim),
    /// Another request works on it.
    UnderWay,
    /// It was answered before.
    Answered {
        /// The status.
        status: u16,
        /// The body.
        body: Vec<u8>,
    },
    /// It was used for another request.
    Reused,
}

impl AccessStore {
    /// Claims a key. A claim that nobody answered for a minute is taken over: its process is gone.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`].
    pub async fn claim_key(&self, key: &IdempotencyKey) -> Result<Claimed, StoreError> {
        let found = sqlx::query!(
            r#"-- idempotency::find
            SELECT slot, request_hash, created_at, status, body, message_id,
                created_at < now() - interval '60 s' AS "stale!"
            FROM idempotency_key
            WHERE key_hash = $1 AND slot >= date_bin('6 hours', now(), 'epoch') - interval '12 hours'
                AND (created_at > now() - interval '12 hours') IS TRUE
            ORDER BY slot DESC LIMIT 1"#,
            &key.key_hash[..],
        )
        .fetch_optional(&self.pool)
        .await?;
        let Some(row) = found else { return self.insert_claim(key).await };
        if row.request_hash != key.request_hash || row.message_id.is_some() {
            return Ok(Claimed::Reused);
        }
        if let Some(status) = row.status {
            let body = row.body.map(|sealed| self.sealer.open(&sealed, &key.key_hash)).transpose()?;
            let status = u16::try_from(status)
                .map_err(|_| StoreError::Inconsistent("a kept status is no status".to_owned()))?;
            return Ok(Claimed::Answered { status, body: body.unwrap_or_default() });
        }
        if row.stale { self.take_over(key, row.slot, row.created_at).await } else { Ok(Claimed::UnderWay) }
    }

    async fn insert_claim(&self, key: &IdempotencyKey) -> Result<Claimed, StoreError> {
        let row = sqlx::query!(
            "-- idempotency::claim
            INSERT INTO idempotency_key (slot, key_hash, request_hash)
            VALUES (date_bin('6 hours', now(), 'epoch'), $1, $2)
            ON CONFLICT DO NOTHING
            RETURNING slot, created_at",
            &key.key_hash[..],
            &key.request_hash[..],
        )
        .fetch_optional(&self.pool)
        .await?;
        // No row: another request was faster.
        Ok(row.map_or(Claimed::UnderWay, |row| {
            Claimed::Ours(Claim { key_hash: key.key_hash, slot: row.slot, claimed_at: row.created_at })
        }))
    }

    async fn take_over(
        &self,
        key: &IdempotencyKey,
        slot: DateTime<Utc>,
        claimed_at: DateTime<Utc>,
    ) -> Result<Claimed, StoreError> {
        let claimed_at = sqlx::query_scalar!(
            "-- idempotency::take_over
            UPDATE idempotency_key SET created_at = now()
            WHERE key_hash = $1 AND slot = $2 AND created_at = $3 AND status IS NULL
            RETURNING created_at",
            &key.key_hash[..],
            slot,
            claimed_at,
        )
        .fetch_optional(&self.pool)
        .await?;
        Ok(claimed_at.map_or(Claimed::UnderWay, |claimed_at| {
            Claimed::Ours(Claim { key_hash: key.key_hash, slot, claimed_at })
        }))
    }

    /// Leaves the answer of a claimed request.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`].
    pub async fn keep_answer(&self, claim: &Claim, status: u16, body: &[u8]) -> Result<(), StoreError> {
        let mut transaction = self.pool.begin().await?;
        hold_current_key(&mut transaction, &self.sealer).await?;
        sqlx::query!(
            "-- idempotency::answer
            UPDATE idempotency_key SET status = $4, body = $5
            WHERE key_hash = $1 AND slot = $2 AND created_at = $3 AND status IS NULL",
            &claim.key_hash[..],
            claim.slot,
            claim.claimed_at,
            i16::try_from(status).unwrap_or(i16::MAX),
            self.sealer.seal(body, &claim.key_hash)?,
        )
        .execute(&mut *transaction)
        .await?;
        transaction.commit().await?;
        Ok(())
    }

    /// Gives a claim up: the request may be tried again.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`].
    pub async fn drop_claim(&self, claim: &Claim) -> Result<(), StoreError> {
        sqlx::query!(
            "-- idempotency::drop_claim
            DELETE FROM idempotency_key
            WHERE key_hash = $1 AND slot = $2 AND created_at = $3 AND status IS NULL",
            &claim.key_hash[..],
            claim.slot,
            claim.claimed_at,
        )
        .execute(&self.pool)
        .await?;
        Ok(())
    }
}
