//! What can be wrong with a configuration. Each message is one sentence that names the value and where it stands;
//! none shows a secret.

use std::path::PathBuf;

/// A configuration that cannot be started with.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// The file has a key that means nothing.
    #[error("{} has an unknown key `{key}`{}", .file.display(), suggestion(.nearest))]
    UnknownKey {
        /// The file.
        file: PathBuf,
        /// The key.
        key: String,
        /// A known key that looks like it.
        nearest: Option<&'static str>,
    },
    /// A value does not mean what it should.
    #[error("{origin} is not valid: {reason}")]
    BadValue {
        /// The key, and where the value came from.
        origin: String,
        /// What it should be.
        reason: String,
    },
    /// A value that is needed is nowhere.
    #[error("{name} is missing: {reason}")]
    Missing {
        /// The environment variable that would set it.
        name: String,
        /// Why it is needed.
        reason: String,
    },
    /// There is no installation in the data directory, and nothing else says where one is.
    #[error(
        "there is no installation of Postrider in {} (it has no secrets.toml): name the data directory of your server with \
         --data-dir or POSTRIDER_DATA_DIR, or set its POSTRIDER_JWT_SECRET, POSTRIDER_MAIN_SECRET and DATABASE_URL; \
         `postrider serve` makes a new one", .data_dir.display()
    )]
    NoInstallation {
        /// The data directory.
        data_dir: PathBuf,
    },
    /// A file cannot be read or written.
    #[error("{} cannot be {action}: {reason}", .file.display())]
    File {
        /// The file.
        file: PathBuf,
        /// `read` or `written`.
        action: &'static str,
        /// What the system or the parser said.
        reason: String,
    },
}

fn suggestion(nearest: &Option<&'static str>) -> String {
    nearest.map_or_else(String::new, |key| format!("; did you mean `{key}`?"))
}
