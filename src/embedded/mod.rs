//! A private Postgres where there is no other: made in the data directory at the first start, reused after, and
//! stopped with this process.
//!
//! Actors: the *programs* (`initdb`, `postgres`) of a PostgreSQL on this machine; the *cluster*, which is
//! `<data>/postgres`; the *postmaster*, the server process; the *account* that it runs as, because it refuses to
//! run as root.
//!
//! Promises: it listens on a unix socket in a directory that only its account can enter, never on a port. Fsync
//! stays on. A cluster has its name only when it is complete. Two Postriders never share a data directory: a
//! lock is held as long as the process lives. A postmaster that outlived a killed Postrider is adopted, so that a restart goes on at
//! once.

mod account;
mod cluster;
mod error;
mod lock;
mod log_file;
mod postmaster;
mod programs;
mod socket;

#[cfg(test)]
mod tests;

use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::time::Duration;

use sqlx::postgres::PgConnectOptions;
use sqlx::{ConnectOptions, Connection};

use account::Account;
use cluster::Cluster;
use lock::DirectoryLock;
use postmaster::Postmaster;
use programs::Programs;

pub use error::EmbeddedError;

const DATABASE: &str = "postrider";
/// How long a command waits for the Postgres of a server that is starting.
const RUNNING_ANSWER_TIMEOUT: Duration = Duration::from_secs(20);

/// A running private Postgres.
#[derive(Debug)]
pub struct PrivatePostgres {
    postmaster: Postmaster,
    url: String,
    /// Released when the postmaster has stopped.
    _lock: DirectoryLock,
}

impl PrivatePostgres {
    /// Starts it, or adopts the one that runs; makes it first if there is none. `programs` names the directory of
    /// `initdb` and `postgres`; without it they are searched for.
    ///
    /// # Errors
    /// [`EmbeddedError`], which says what to do about it.
    pub async fn start(data_dir: &Path, programs: Option<&Path>) -> Result<Self, EmbeddedError> {
        let data_dir = make_directory(data_dir)?;
        let lock = DirectoryLock::take(&data_dir)?;
        let account = Account::choose(&data_dir.join("postgres"))?;
        account.can_reach(&data_dir)?;
        let programs = Programs::find(programs, cluster::version(&data_dir)?.as_deref())?;
        let cluster = Cluster::open(&data_dir, &programs, &account)?;
        let url = socket::url(&cluster.socket_dir, "postgres");
        let postmaster = match Postmaster::adopt(&cluster, &url).await? {
            Some(adopted) => adopted,
            None => Postmaster::start(&cluster, &programs, &account, &url).await?,
        };
        create_database(&url).await?;
        Ok(Self { postmaster, url: socket::url(&cluster.socket_dir, DATABASE), _lock: lock })
    }

    /// Whether a first start has made one in this data directory.
    pub fn is_made(data_dir: &Path) -> bool {
        data_dir.join("postgres/PG_VERSION").is_file()
    }

    /// Where to connect to the one that a running server has started; it may still be starting.
    pub async fn running_url(data_dir: &Path) -> Option<String> {
        let socket_dir = socket::directory(&data_dir.canonicalize().ok()?);
        let url = socket::url(&socket_dir, DATABASE);
        postmaster::answers_within(&url, RUNNING_ANSWER_TIMEOUT).await.then_some(url)
    }

    /// Where to connect.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Resolves when the postmaster has ended without being told to.
    pub async fn ended(&mut self) {
        self.postmaster.ended().await;
    }

    /// Ends open sessions, writes a checkpoint and stops.
    ///
    /// # Errors
    /// [`EmbeddedError::Io`] when the process cannot be signalled or waited for.
    pub async fn stop(mut self) -> Result<(), EmbeddedError> {
        self.postmaster.stop().await
    }
}

/// Makes the data directory and gives its full path.
fn make_directory(data_dir: &Path) -> Result<PathBuf, EmbeddedError> {
    let failed = |error| EmbeddedError::io("cannot make", data_dir, error);
    // Root's Postgres runs as another account, which must be able to pass through.
    let mode = if nix::unistd::geteuid().is_root() { 0o711 } else { 0o700 };
    std::fs::DirBuilder::new().recursive(true).mode(mode).create(data_dir).map_err(failed)?;
    data_dir.canonicalize().map_err(failed)
}

async fn create_database(url: &str) -> Result<(), EmbeddedError> {
    let mut connection = PgConnectOptions::from_str(url)?.disable_statement_logging().connect().await?;
    let there: Option<(i32,)> =
        sqlx::query_as("-- embedded::find_database\nSELECT 1 FROM pg_database WHERE datname = $1")
            .bind(DATABASE)
            .fetch_optional(&mut connection)
            .await?;
    if there.is_none() {
        sqlx::query("-- embedded::create_database\nCREATE DATABASE postrider")
            .execute(&mut connection)
            .await?;
    }
    connection.close().await?;
    Ok(())
}
