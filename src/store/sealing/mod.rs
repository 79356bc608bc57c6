//! The main secret of an installation, as the database knows it: which one it is, so that no process works with another
//! one, and how everything that is sealed is moved under a new one while nodes run.

pub(super) mod current_key;
pub(super) mod installed_key;
pub(super) mod reseal;
mod reseal_rows;

use crate::domain::main_secret::MainSecrets;

use super::Sealer;
use super::database::pool::Pool;

/// Which main secret seals, and the move to another one.
#[derive(Clone)]
pub struct SealingStore {
    pub(super) pool: Pool,
    pub(super) sealer: Sealer,
}

impl SealingStore {
    /// The main secrets of this process, of which the right one is in use once they were checked.
    #[must_use]
    pub fn main_secrets(&self) -> &MainSecrets {
        self.sealer.secrets()
    }
}
