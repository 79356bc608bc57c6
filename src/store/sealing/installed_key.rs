//! The main secret that belongs to a database. The first start remembers its key id; whoever comes with another secret is
//! refused before anything is read or written with it.

use crate::domain::main_secret::KeyId;
use crate::store::StoreError;

use super::SealingStore;
use super::current_key::stored_id;

/// So many of the newest secrets are tried, where it is not remembered yet which main secret sealed them.
const MAX_TRIED: i64 = 10;

/// A main secret that does not belong to the database.
#[derive(Debug, thiserror::Error)]
pub enum WrongMainSecret {
    /// Another one is in use.
    #[error(
        "the secrets in this database are sealed with the main secret whose key id is {wanted}, and this process has {}: set \
         POSTRIDER_MAIN_SECRET to that one. To change to another, set the new one as POSTRIDER_MAIN_SECRET and the one \
         before as POSTRIDER_MAIN_SECRET_PREVIOUS, and run `postrider reseal`", listed(.given)
    )]
    Other {
        /// The one in use.
        wanted: KeyId,
        /// Those of this process.
        given: Vec<KeyId>,
    },
    /// Everything is being moved from one that this process does not have.
    #[error(
        "some secrets in this database are still sealed with the main secret whose key id is {wanted}, because \
         `postrider reseal` has not ended: set it as POSTRIDER_MAIN_SECRET_PREVIOUS and run `postrider reseal` again; when \
         that has ended, it can be left out"
    )]
    Leftover {
        /// The one before.
        wanted: KeyId,
    },
    /// What is there was sealed by an earlier version, with another one.
    #[error(
        "the secrets in this database do not open with the main secret of this process, whose key id is {}: set \
         POSTRIDER_MAIN_SECRET to the one that they were sealed with (an earlier version did not note which that is)",
        listed(.given)
    )]
    Unknown {
        /// Those of this process.
        given: Vec<KeyId>,
    },
    /// The database cannot be asked.
    #[error(transparent)]
    Store(#[from] StoreError),
}

fn listed(ids: &[KeyId]) -> String {
    ids.iter().map(KeyId::to_string).collect::<Vec<_>>().join(" and ")
}

/// What the database has noted of main secrets.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct InstalledKey {
    /// The one in use; `None` before the first start.
    pub key_id: Option<KeyId>,
    /// While everything is moved: the one before.
    pub moving_from: Option<KeyId>,
}

impl SealingStore {
    /// Which main secret the database is sealed with.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`].
    pub async fn installed_key(&self) -> Result<InstalledKey, StoreError> {
        let row = sqlx::query!("-- sealing::get\nSELECT key_id, moving_from FROM sealing")
            .fetch_one(&self.pool)
            .await?;
        Ok(InstalledKey {
            key_id: row.key_id.as_deref().map(stored_id).transpose()?,
            moving_from: row.moving_from.as_deref().map(stored_id).transpose()?,
        })
    }

    /// Makes sure that this process has the main secrets that are needed here, and puts the right one into use. The first
    /// process of a database decides which that is.
    ///
    /// # Errors
    /// [`WrongMainSecret`], which says what to do.
    pub async fn check_main_secret(&self) -> Result<(), WrongMainSecret> {
        let secrets = self.sealer.secrets();
        let installed = self.installed_key().await?;
        let wanted = match installed.key_id {
            Some(id) => id,
            None => self.remember().await?,
        };
        if !secrets.switch_to(wanted) {
            return Err(WrongMainSecret::Other { wanted, given: secrets.ids() });
        }
        match installed.moving_from.filter(|from| !secrets.ids().contains(from)) {
            Some(wanted) => Err(WrongMainSecret::Leftover { wanted }),
            None => Ok(()),
        }
    }

    /// Remembers which main secret this database is sealed with: the one that opens what is there, or else the main secret.
    async fn remember(&self) -> Result<KeyId, WrongMainSecret> {
        let given = self.sealer.secrets().ids();
        let sealed = sqlx::query!(
            "-- sealing::newest_secrets
            SELECT endpoint_id, sealed FROM endpoint_secret ORDER BY id DESC LIMIT $1",
            MAX_TRIED,
        )
        .fetch_all(&self.pool)
        .await
        .map_err(StoreError::from)?;
        let mut opened = sealed
            .iter()
            .filter_map(|row| self.sealer.open_with_any(&row.sealed, row.endpoint_id.as_bytes()))
            .map(|(_, id)| id);
        let first = || given.first().copied().filter(|_| sealed.is_empty());
        let Some(id) = opened.next().or_else(first) else { return Err(WrongMainSecret::Unknown { given }) };
        sqlx::query!(
            "-- sealing::remember
            UPDATE sealing SET key_id = $1, changed_at = now() WHERE key_id IS NULL",
            &id.bytes()[..],
        )
        .execute(&self.pool)
        .await
        .map_err(StoreError::from)?;
        // Another process may have been first, with another secret.
        Ok(self.installed_key().await?.key_id.unwrap_or(id))
    }
}
