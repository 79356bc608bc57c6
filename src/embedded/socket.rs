//! The unix socket, through which alone the database is reached.

use std::fs::DirBuilder;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{DirBuilderExt, MetadataExt};
use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};
use url::Url;

use super::EmbeddedError;
use super::account::Account;

/// The system's limit for the path of a socket, its final zero left out.
const MAX_SOCKET_PATH_BYTES: usize = if cfg!(target_os = "macos") { 103 } else { 107 };
const SOCKET_FILE: &str = ".s.PGSQL.5432";
/// The account that owns the cluster, inside Postgres.
pub(super) const DATABASE_USER: &str = "postrider";

/// The socket's directory: in the data directory, or, where its path would be too long for a socket, a short one
/// that follows from it.
pub(super) fn directory(data_dir: &Path) -> PathBuf {
    let inside = data_dir.join("run");
    if inside.join(SOCKET_FILE).as_os_str().len() <= MAX_SOCKET_PATH_BYTES {
        return inside;
    }
    let hash = Sha256::digest(data_dir.as_os_str().as_bytes());
    let name: String = hash.iter().take(8).map(|byte| format!("{byte:02x}")).collect();
    PathBuf::from("/tmp").join(format!("postrider-{name}"))
}

/// Makes the directory, which only the account can enter, because everybody who can enter it can connect.
pub(super) fn make(directory: &Path, account: &Account) -> Result<(), EmbeddedError> {
    let failed = |error| EmbeddedError::io("cannot make", directory, error);
    match DirBuilder::new().mode(0o700).create(directory) {
        Ok(()) => account.own(directory),
        Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => {
            // In /tmp another user could have made it first.
            let metadata = std::fs::symlink_metadata(directory).map_err(failed)?;
            let ours = metadata.is_dir() && metadata.uid() == account.uid() && metadata.mode() & 0o077 == 0;
            if ours { Ok(()) } else { Err(EmbeddedError::WrongOwner { cluster: directory.to_owned() }) }
        }
        Err(error) => Err(failed(error)),
    }
}

/// The URL of a database behind the socket.
pub(super) fn url(directory: &Path, database: &str) -> String {
    let base = format!("postgres://{DATABASE_USER}@localhost:5432/{database}");
    // A constant with two names in it always parses.
    Url::parse(&base).map_or(base, |mut url| {
        url.query_pairs_mut().append_pair("host", &directory.to_string_lossy());
        url.into()
    })
}
