//! A running node: what `serve` and `dev` start and stop.
//!
//! Order of the start: the private Postgres, if there is none other; the schema; partitions. Stopping goes the other
//! way, and the private Postgres goes last, so that everything that was under way can still be recorded.

use std::path::Path;

use anyhow::Context;
use secrecy::ExposeSecret;

use crate::config::Config;
use crate::embedded::PrivatePostgres;
use crate::maintenance::{Maintenance, MaintenanceOptions};
use crate::store::{Store, StoreOptions};

/// A database that can be worked with, and the private Postgres behind it, if it is ours.
pub struct Database {
    /// The pools.
    pub store: Store,
    private: Option<PrivatePostgres>,
}

impl Database {
    /// Connects to the database of the configuration, or starts a private one.
    ///
    /// # Errors
    /// When it cannot be reached or started.
    pub async fn open(config: &Config) -> anyhow::Result<Self> {
        let (url, private) = match &config.database_url {
            Some(url) => (url.expose_secret().to_owned(), None),
            None => {
                let programs = config.pg_bin.as_deref().map(Path::new);
                let private = PrivatePostgres::start(&config.data_dir, programs).await?;
                (private.url().to_owned(), Some(private))
            }
        };
        let options = StoreOptions {
            database_url: url,
            main_secret: config.main_secret.expose_secret().as_bytes().to_vec(),
            api_connections: config.api_connections,
            retry_schedule: config.retry_schedule.clone(),
            max_in_flight: config.max_in_flight,
        };
        match Store::connect(&options).await {
            Ok(store) => Ok(Self { store, private }),
            Err(error) => {
                if let Some(private) = private {
                    private.stop().await?;
                }
                Err(error).context("the database cannot be used")
            }
        }
    }

    /// Brings the schema up to date, or, when that is not wanted, checks that it is.
    ///
    /// # Errors
    /// When the database is newer than this program, or older and may not be changed.
    pub async fn prepare(&self, migrate: bool) -> anyhow::Result<()> {
        if migrate {
            self.store.migrate().await?;
        } else {
            let current = self.store.schema_is_current().await?;
            anyhow::ensure!(current, "the schema is not up to date: run `postrider migrate`");
        }
        Ok(())
    }

    /// Resolves when a private Postgres has ended without being told to; otherwise never.
    pub async fn ended(&mut self) {
        match &mut self.private {
            Some(private) => private.ended().await,
            None => std::future::pending().await,
        }
    }

    /// Gives the connections back and stops the private Postgres.
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

/// A node with everything that its roles ask for.
pub struct Server {
    database: Database,
    maintenance: Option<Maintenance>,
}

impl Server {
    /// Starts a node and returns when it works.
    ///
    /// # Errors
    /// When a part does not start; what had started is stopped.
    pub async fn start(config: &Config) -> anyhow::Result<Self> {
        let database = Database::open(config).await?;
        match Self::start_on(&database, config).await {
            Ok(maintenance) => Ok(Self { database, maintenance }),
            Err(error) => {
                database.close().await?;
                Err(error)
            }
        }
    }

    async fn start_on(database: &Database, config: &Config) -> anyhow::Result<Option<Maintenance>> {
        database.prepare(config.migrate).await?;
        let options = MaintenanceOptions { retention: config.retention, hold_limit: config.hold_limit };
        if !config.roles.maintenance {
            return Ok(None);
        }
        Ok(Some(Maintenance::start(database.store.clone(), options).await?))
    }

    /// Resolves when the node cannot go on: its private Postgres has ended.
    pub async fn failed(&mut self) {
        self.database.ended().await;
    }

    /// Drains and stops.
    ///
    /// # Errors
    /// When the private Postgres cannot be stopped.
    pub async fn stop(self) -> anyhow::Result<()> {
        if let Some(maintenance) = self.maintenance {
            maintenance.stop().await;
        }
        self.database.close().await
    }
}
