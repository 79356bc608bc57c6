//! Where a run's database is: on the suite's server, on one of its own that can be killed, or on one with a small disk.

use std::str::FromStr;
use std::time::Duration;

use postrider::domain::id::MessageId;
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use sqlx::{ConnectOptions, PgPool};
use tokio::sync::Mutex;

use crate::support::Database;
use crate::support::cluster::Cluster;
use crate::support::proxy::Proxy;
use crate::support::small_disk::SmallDisk;

/// Room for what a long run writes, besides what the log of changes may take.
const SMALL_DISK_MB: u32 = 1_000;

/// What database a kind of fault needs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Needed {
    /// A database on the suite's server.
    Shared,
    /// The same, with a proxy before it.
    Proxied,
    /// A server of its own.
    Own,
    /// A server of its own whose disk can be filled.
    SmallDisk,
}

/// The database of a run.
pub struct Home {
    /// For looking inside, whatever is done to the nodes.
    pub pool: PgPool,
    /// Where nodes find it.
    pub url: String,
    pub proxy: Option<Proxy>,
    cluster: Option<Mutex<Cluster>>,
    disk: Option<SmallDisk>,
    _shared: Option<Database>,
}

impl Home {
    /// `Err` says why this machine does not allow it.
    pub async fn open(needed: Needed) -> Result<Self, String> {
        match needed {
            Needed::Shared | Needed::Proxied => {
                let shared = Database::fresh().await;
                let proxy =
                    if needed == Needed::Proxied { Some(Proxy::before(shared.url()).await) } else { None };
                let url = proxy.as_ref().map_or_else(|| shared.url().to_owned(), Proxy::url);
                let pool = pool(shared.url());
                Ok(Self { pool, url, proxy, cluster: None, disk: None, _shared: Some(shared) })
            }
            Needed::Own | Needed::SmallDisk => {
                let disk = match needed {
                    Needed::SmallDisk => Some(SmallDisk::mount(SMALL_DISK_MB)?),
                    _ => None,
                };
                let cluster = Cluster::start_in(disk.as_ref().map(SmallDisk::path)).await;
                let (url, pool) = (cluster.url(), pool(&cluster.own_url()));
                Ok(Self { pool, url, proxy: None, cluster: Some(Mutex::new(cluster)), disk, _shared: None })
            }
        }
    }

    pub fn proxy(&self) -> &Proxy {
        self.proxy.as_ref().expect("the kind needs a proxy")
    }

    pub async fn cluster(&self) -> tokio::sync::MutexGuard<'_, Cluster> {
        self.cluster.as_ref().expect("the kind needs a server of its own").lock().await
    }

    pub fn disk(&self) -> &SmallDisk {
        self.disk.as_ref().expect("the kind needs a small disk")
    }

    /// Starts a server of its own that has ended.
    pub async fn ensure_running(&self) {
        if let Some(cluster) = &self.cluster {
            let mut cluster = cluster.lock().await;
            if !cluster.is_running() {
                cluster.restart().await;
            }
        }
    }

    /// Returns when nothing of this message is left to do.
    pub async fn wait_until_recorded(&self, message: MessageId) {
        loop {
            let left =
                sqlx::query_scalar("SELECT count(*) FROM delivery WHERE message_id = $1 AND state IN ('in_flight', 'waiting', 'held')")
                    .bind(message.uuid())
                    .fetch_one(&self.pool);
            if left.await.is_ok_and(|left: i64| left == 0) {
                return;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    /// A number that a query counts; `None` while the database cannot be asked.
    pub async fn try_count(&self, query: &'static str) -> Option<i64> {
        let asked = sqlx::query_scalar(query).fetch_one(&self.pool);
        tokio::time::timeout(Duration::from_secs(2), asked).await.ok()?.ok()
    }
}

fn pool(url: &str) -> PgPool {
    let options =
        PgConnectOptions::from_str(url).unwrap().application_name("laboratory").disable_statement_logging();
    PgPoolOptions::new()
        .max_connections(4)
        .acquire_timeout(Duration::from_secs(30))
        .connect_lazy_with(options)
}
