//! What can keep a private Postgres from running. Each message says what to do.

use std::path::{Path, PathBuf};

/// A private Postgres that does not come up.
#[derive(Debug, thiserror::Error)]
pub enum EmbeddedError {
    /// There is no PostgreSQL server on this machine.
    #[error(
        "no PostgreSQL server programs (initdb and postgres, version 15 or later) were found{}.\n\
         Set DATABASE_URL to a database that you have, or install them:\n\
         \x20 Debian, Ubuntu   sudo apt-get install postgresql\n\
         \x20 Fedora, RHEL     sudo dnf install postgresql-server\n\
         \x20 Alpine           sudo apk add postgresql\n\
         \x20 Arch             sudo pacman -S postgresql\n\
         \x20 macOS            brew install postgresql@17\n\
         \x20 anything else    install PostgreSQL from https://www.postgresql.org/download/, then give the directory\n\
         \x20                  of its programs with --pg-bin",
        .place.as_ref().map_or_else(String::new, |place| format!(" in {}", place.display()))
    )]
    NoPrograms {
        /// The only place that was searched, when one was given.
        place: Option<PathBuf>,
    },
    /// The cluster was made by another major version than those found.
    #[error(
        "the data in {} was made by PostgreSQL {version}, and only {found} is here: install PostgreSQL {version}, or \
         name its programs with --pg-bin", .cluster.display()
    )]
    OtherVersion {
        /// The cluster.
        cluster: PathBuf,
        /// Its major version.
        version: String,
        /// What was found.
        found: String,
    },
    /// There is none in that data directory.
    #[error(
        "there is no private Postgres in {}: name the data directory of your server with --data-dir or \
         POSTRIDER_DATA_DIR, or its database with DATABASE_URL; `postrider serve` makes a new one", .data_dir.display()
    )]
    NoCluster {
        /// The data directory.
        data_dir: PathBuf,
    },
    /// Another Postrider runs there.
    #[error("{} is in use by another Postrider{}: stop it, or choose another --data-dir",
        .data_dir.display(), .process.as_ref().map_or_else(String::new, |process| format!(" (process {process})")))]
    InUse {
        /// The data directory.
        data_dir: PathBuf,
        /// The process that holds it.
        process: Option<String>,
    },
    /// Postgres cannot reach the data directory.
    #[error(
        "{} is closed to the account `{account}`, which Postgres runs as because it refuses to be root: \
         choose another --data-dir, or open the directory with chmod o+x", .directory.display()
    )]
    Unreachable {
        /// The directory that cannot be passed through.
        directory: PathBuf,
        /// The account.
        account: String,
    },
    /// Started as root, and there is no other account to run as.
    #[error(
        "Postgres refuses to run as root, and there is neither an account `postgres` nor `nobody` here: \
         start Postrider as another user"
    )]
    NoAccount,
    /// The cluster belongs to somebody else.
    #[error("{} belongs to another user: start Postrider as that user, or choose another --data-dir",
        .cluster.display())]
    WrongOwner {
        /// The cluster.
        cluster: PathBuf,
    },
    /// A program failed.
    #[error("{program} failed: {output}")]
    Program {
        /// Its name.
        program: &'static str,
        /// What it said last.
        output: String,
    },
    /// The file system or the system said no.
    #[error("{action} {}", .path.display())]
    Io {
        /// What was tried, such as `cannot read`.
        action: &'static str,
        /// On what.
        path: PathBuf,
        /// Why not.
        #[source]
        source: std::io::Error,
    },
    /// It runs, but does not do what it is told.
    #[error("the private Postgres refuses")]
    Database(#[from] sqlx::Error),
}

impl EmbeddedError {
    pub(super) fn io(action: &'static str, path: &Path, source: impl Into<std::io::Error>) -> Self {
        Self::Io { action, path: path.to_owned(), source: source.into() }
    }
}
