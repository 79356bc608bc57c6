//! The statements of a move to another main secret, a batch of rows each. A row is written only if it is still as it was
//! read: whoever changed it meanwhile has sealed it with the new key.

use uuid::Uuid;

use crate::store::StoreError;

use super::SealingStore;
use super::reseal::{ResealWalk, Resealed};

/// Values to be written in place of others.
#[derive(Default)]
struct Changes {
    ids: Vec<Uuid>,
    before: Vec<Vec<u8>>,
    after: Vec<Vec<u8>>,
}

impl SealingStore {
    pub(super) async fn reseal_secrets(
        &self,
        walk: &mut ResealWalk,
        limit: i64,
    ) -> Result<Resealed, StoreError> {
        let rows = sqlx::query!(
            "-- reseal::endpoint_secrets
            SELECT id, endpoint_id, sealed FROM endpoint_secret WHERE id > $1 ORDER BY id LIMIT $2",
            walk.after,
            limit,
        )
        .fetch_all(&self.pool)
        .await?;
        let mut done = Resealed { looked_at: count(rows.len()), ..Resealed::default() };
        let last = rows.last().map(|row| row.id);
        let mut changes = Changes::default();
        for row in rows {
            self.change(&mut changes, &mut done, row.id, row.endpoint_id, row.sealed)?;
        }
        let written = sqlx::query!(
            "-- reseal::write_endpoint_secrets
            UPDATE endpoint_secret s SET sealed = c.after
            FROM unnest($1::uuid[], $2::bytea[], $3::bytea[]) AS c(id, before, after)
            WHERE s.id = c.id AND s.sealed = c.before",
            &changes.ids,
            &changes.before,
            &changes.after,
        )
        .execute(&self.pool)
        .await?;
        done.moved = written.rows_affected();
        advance(walk, last, done.looked_at, limit);
        Ok(done)
    }

    pub(super) async fn reseal_headers(
        &self,
        walk: &mut ResealWalk,
        limit: i64,
    ) -> Result<Resealed, StoreError> {
        let rows = sqlx::query!(
            "-- reseal::endpoint_headers
            SELECT id, headers_sealed, url_credentials_sealed FROM endpoint WHERE id > $1 ORDER BY id LIMIT $2",
            walk.after,
            limit,
        )
        .fetch_all(&self.pool)
        .await?;
        let mut done = Resealed { looked_at: count(rows.len()), ..Resealed::default() };
        let last = rows.last().map(|row| row.id);
        let (mut headers, mut credentials) = (Changes::default(), Changes::default());
        for row in rows {
            if let Some(sealed) = row.headers_sealed {
                self.change(&mut headers, &mut done, row.id, row.id, sealed)?;
            }
            if let Some(sealed) = row.url_credentials_sealed {
                self.change(&mut credentials, &mut done, row.id, row.id, sealed)?;
            }
        }
        let headers_written = sqlx::query!(
            "-- reseal::write_endpoint_headers
            UPDATE endpoint e SET headers_sealed = c.after
            FROM unnest($1::uuid[], $2::bytea[], $3::bytea[]) AS c(id, before, after)
            WHERE e.id = c.id AND e.headers_sealed = c.before",
            &headers.ids,
            &headers.before,
            &headers.after,
        )
        .execute(&self.pool)
        .await?;
        let credentials_written = sqlx::query!(
            "-- reseal::write_url_credentials
            UPDATE endpoint e SET url_credentials_sealed = c.after
            FROM unnest($1::uuid[], $2::bytea[], $3::bytea[]) AS c(id, before, after)
            WHERE e.id = c.id AND e.url_credentials_sealed = c.before",
            &credentials.ids,
            &credentials.before,
            &credentials.after,
        )
        .execute(&self.pool)
        .await?;
        done.moved = headers_written.rows_affected() + credentials_written.rows_affected();
        advance(walk, last, done.looked_at, limit);
        Ok(done)
    }

    /// Most idempotency keys have no answer, and are passed over by their index.
    pub(super) async fn reseal_answers(
        &self,
        walk: &mut ResealWalk,
        limit: i64,
    ) -> Result<Resealed, StoreError> {
        let (after, after_slot) = walk.after_answer.clone();
        let end = sqlx::query!(
            "-- reseal::end_of_kept_answers
            SELECT key_hash, slot FROM idempotency_key WHERE (key_hash, slot) > ($1, $2)
            ORDER BY key_hash, slot OFFSET $3 LIMIT 1",
            after,
            after_slot,
            limit - 1,
        )
        .fetch_optional(&self.pool)
        .await?
        .map(|row| (row.key_hash, row.slot));
        let rows = sqlx::query!(
            r#"-- reseal::kept_answers
            SELECT key_hash, slot, body AS "body!" FROM idempotency_key
            WHERE (key_hash, slot) > ($1, $2) AND ($3::bytea IS NULL OR (key_hash, slot) <= ($3, $4)) AND body IS NOT NULL"#,
            after,
            after_slot,
            end.as_ref().map(|(key, _)| key.as_slice()),
            end.as_ref().map(|(_, slot)| *slot),
        )
        .fetch_all(&self.pool)
        .await?;
        let mut done = Resealed { looked_at: count(rows.len()), ..Resealed::default() };
        for row in rows {
            let Some(sealed) = self.sealed_anew(&mut done, &row.key_hash, &row.body)? else { continue };
            let written = sqlx::query!(
                "-- reseal::write_kept_answer
                UPDATE idempotency_key SET body = $4 WHERE key_hash = $1 AND slot = $2 AND body = $3",
                row.key_hash,
                row.slot,
                row.body,
                sealed,
            )
            .execute(&self.pool)
            .await?;
            done.moved += written.rows_affected();
        }
        match end {
            Some(end) => walk.after_answer = end,
            None => walk.end_part(),
        }
        Ok(done)
    }

    fn change(
        &self,
        changes: &mut Changes,
        done: &mut Resealed,
        id: Uuid,
        endpoint: Uuid,
        before: Vec<u8>,
    ) -> Result<(), StoreError> {
        if let Some(after) = self.sealed_anew(done, endpoint.as_bytes(), &before)? {
            changes.ids.push(id);
            changes.before.push(before);
            changes.after.push(after);
        }
        Ok(())
    }

    /// The value sealed with the key in use; `None` when it is so already, or opens with no key.
    fn sealed_anew(
        &self,
        done: &mut Resealed,
        place: &[u8],
        sealed: &[u8],
    ) -> Result<Option<Vec<u8>>, StoreError> {
        let secrets = self.sealer.secrets();
        if secrets.ids().get(secrets.current()).is_some_and(|id| sealed.starts_with(id.bytes())) {
            return Ok(None);
        }
        match self.sealer.open_with_any(sealed, place) {
            Some((plain, _)) => self.sealer.seal(&plain, place).map(Some),
            None => {
                done.unreadable += 1;
                Ok(None)
            }
        }
    }
}

fn count(rows: usize) -> u64 {
    u64::try_from(rows).unwrap_or(u64::MAX)
}

fn advance(walk: &mut ResealWalk, last: Option<Uuid>, looked_at: u64, limit: i64) {
    match last.filter(|_| looked_at >= limit.unsigned_abs()) {
        Some(last) => walk.after = last,
        None => walk.end_part(),
    }
}
