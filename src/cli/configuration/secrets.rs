//! What people say of the secrets in a file.

use std::path::PathBuf;

use clap::Args;
use secrecy::SecretString;

use crate::config::{ConfigError, passphrase};
/// With which passphrase secrets are sealed, or that they are left out.
#[derive(Debug, Args)]
pub(super) struct Secrets {
    /// The file with the passphrase that seals secrets [env: POSTRIDER_PASSPHRASE or POSTRIDER_PASSPHRASE_FILE]
    #[arg(long, value_name = "FILE")]
    passphrase_file: Option<PathBuf>,
    /// Without secrets: an import leaves those that are there as they are
    #[arg(long, conflicts_with = "passphrase_file")]
    pub(super) without_secrets: bool,
}

impl Secrets {
    /// The passphrase; `None` when secrets are left out.
    ///
    /// # Errors
    /// [`ConfigError`] when there is none, or its file cannot be read.
    pub(super) fn passphrase(&self) -> Result<Option<SecretString>, ConfigError> {
        if self.without_secrets { Ok(None) } else { passphrase(self.passphrase_file.as_deref()).map(Some) }
    }
}
