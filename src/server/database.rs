//! The database of a node or of a command, and the private Postgres behind it, if it is ours.

use std::path::Path;
use std::time::{Duration, Instant};

use secrecy::ExposeSecret;

use crate::config::Config;
use crate::embedded::{EmbeddedError, PrivatePostgres};
use crate::store::{Store, StoreOptions, UnusableDatabase};

use super::api_parts::delivery_policy;

/// How long a server waits for a database that is starting, as after a restart of the machine.
const DATABASE_START_TIMEOUT: Duration = Duration::from_secs(60);
const POLL_INTERVAL: Duration = Duration::from_millis(500);

/// What is opened, and for whom.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Opening {
    /// For a server, which waits for a database that is starting. A private Postgres is made if there is none, and is
    /// nobody else's.
    Server,
    /// For a command that may be the first one. A private Postgres is made if there is none.
    FirstCommand,
    /// For a command that works with what is there.
    Command,
}

/// A database that can be worked with.
pub struct Database {
    /// The pools.
    pub store: Store,
    private: Option<PrivatePostgres>,
}

impl Database {
    /// Connects to the database of the configuration. Where it is a private one that a running server has, a command
    /// uses that; one that does not run is started.
    ///
    /// # Errors
    /// When it cannot be used: with what was tried, where, and what to do.
    pub async fn open(config: &Config, opening: Opening) -> anyhow::Result<Self> {
        let (database_url, private) = match &config.database_url {
            Some(url) => (url.expose_secret().to_owned(), None),
            None => private_postgres(config, opening).await?,
        };
        let options = StoreOptions {
            database_url,
            main_secrets: config.main_secrets(),
            api_connections: config.api_connections,
            policy: delivery_policy(config),
        };
        let connected = match opening {
            Opening::Server => connect_once_up(&options).await,
            Opening::FirstCommand | Opening::Command => Store::connect(&options).await,
        };
        match connected {
            Ok(store) => Ok(Self { store, private }),
            Err(error) => {
                if let Some(private) = private {
                    private.stop().await?;
                }
                Err(error.into())
            }
        }
    }

    /// Brings the schema up to date, or, when that is not wanted, checks that it is; and checks that the main secret is the
    /// one that this database is sealed with.
    ///
    /// # Errors
    /// When the database is newer than this program, or older and may not be changed, or needs another main secret.
    pub async fn prepare(&self, migrate: bool) -> anyhow::Result<()> {
        if migrate {
            self.store.database.migrate().await?;
        } else {
            let current = self.store.database.schema_is_current().await?;
            anyhow::ensure!(current, "the schema is not up to date: run `postrider migrate`");
        }
        Ok(self.store.sealing.check_main_secret().await?)
    }

    /// Resolves when a private Postgres has ended without being told to; otherwise never.
    pub async fn ended(&mut self) {
        match &mut self.private {
            Some(private) => private.ended().await,
            None => std::future::pending().await,
        }
    }

    /// Gives the connections back and stops the private Postgres, if it is ours.
    ///
    /// # Errors
    /// When the private Postgres cannot be stopped.
    pub async fn close(self) -> anyhow::Result<()> {
        self.store.close().await;
        if let Some(private) = self.private {
            private.stop().await?;
        }
        Ok(())
    }
}

/// Where the private Postgres is, and the Postgres itself if this process has started it.
async fn private_postgres(
    config: &Config,
    opening: Opening,
) -> Result<(String, Option<PrivatePostgres>), EmbeddedError> {
    let data_dir = &config.data_dir;
    if opening == Opening::Command && !PrivatePostgres::is_made(data_dir) {
        return Err(EmbeddedError::NoCluster { data_dir: data_dir.clone() });
    }
    match PrivatePostgres::start(data_dir, config.pg_bin.as_deref().map(Path::new)).await {
        Ok(private) => Ok((private.url().to_owned(), Some(private))),
        Err(error @ EmbeddedError::InUse { .. }) if opening != Opening::Server => {
            PrivatePostgres::running_url(data_dir).await.map(|url| (url, None)).ok_or(error)
        }
        Err(error) => Err(error),
    }
}

/// Waits for a database that is starting, and says so at once.
async fn connect_once_up(options: &StoreOptions) -> Result<Store, UnusableDatabase> {
    let begun_at = Instant::now();
    let mut is_told = false;
    loop {
        match Store::connect(options).await {
            Err(error) if error.may_pass() && begun_at.elapsed() < DATABASE_START_TIMEOUT => {
                if !is_told {
                    let seconds = DATABASE_START_TIMEOUT.as_secs();
                    tracing::warn!("{error}. Trying again for {seconds} s, in case it is starting");
                    is_told = true;
                }
                tokio::time::sleep(POLL_INTERVAL).await;
            }
            connected => return connected,
        }
    }
}
