//! Data directories of servers that run a Postgres of their own.

use std::os::unix::fs::PermissionsExt;

use tempfile::TempDir;

/// A directory that Postgres's own account can reach, as it must when root starts the tests.
pub fn data_dir() -> TempDir {
    let place = tempfile::Builder::new().prefix("postrider-data-").tempdir_in("/tmp").unwrap();
    std::fs::set_permissions(place.path(), PermissionsExt::from_mode(0o755)).unwrap();
    place
}
