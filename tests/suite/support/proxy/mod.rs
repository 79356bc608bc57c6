//! A TCP proxy between a node and its database. It knows the protocol of Postgres well enough to tell which statement
//! is asked for: a statement names itself in its first comment when it is prepared, and is executed by that name later.
//!
//! Traffic as a whole can be held, dropped or refused, and the next executions of a statement can be tricked: cut
//! before, cut during, delayed, silenced, or executed with the answer lost.

mod link;
mod protocol;

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, Weak};
use std::time::Duration;

use tokio::net::TcpListener;
use tokio::sync::watch;
use url::Url;

use link::{Link, Upstream, carry};

/// What becomes of everything that passes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Traffic {
    Flows,
    /// Nothing is read from either side: what is sent waits, and arrives later.
    Held,
    /// Connections are accepted and silent. Bytes are lost both ways, so that a connection that lost some stays silent
    /// when traffic flows again, until it is cut: a firewall that has forgotten it does the same.
    Dropped,
    /// The same, except that the server hears the client.
    AnswersDropped,
    /// Connections are closed, and new ones at once.
    Refused,
}

/// What is done to one execution of a statement.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Trick {
    /// It is executed, and its commit with it; the answer is kept back, and the connection cut.
    LoseAnswer,
    /// The connection is cut, and the server never sees it.
    CutBefore,
    /// The client's connection is cut while the server works at it.
    CutDuring,
    Delay(Duration),
    /// Its connection falls silent both ways, and stays open.
    Silence,
}

struct Rule {
    marker: String,
    left: usize,
    trick: Trick,
}

struct Shared {
    upstream: Upstream,
    traffic: watch::Sender<Traffic>,
    rules: Mutex<Vec<Rule>>,
    tricked: AtomicUsize,
    delay_ms: AtomicU64,
    links: Mutex<Vec<Weak<Link>>>,
}

/// The proxy. It ends with this value.
pub struct Proxy {
    address: SocketAddr,
    path: String,
    user: String,
    shared: Arc<Shared>,
    accepting: tokio::task::JoinHandle<()>,
}

impl Proxy {
    /// A proxy before the database of this URL, which may name a unix socket (`?host=/…`).
    pub async fn before(database_url: &str) -> Self {
        let url = Url::parse(database_url).unwrap();
        let folder = url.query_pairs().find(|(name, value)| name == "host" && value.starts_with('/'));
        let port = url.port().unwrap_or(5432);
        let upstream = match folder {
            Some((_, folder)) => Upstream::Unix(PathBuf::from(format!("{folder}/.s.PGSQL.{port}"))),
            None => Upstream::Tcp(format!("{}:{port}", url.host_str().unwrap())),
        };
        let shared = Arc::new(Shared {
            upstream,
            traffic: watch::Sender::new(Traffic::Flows),
            rules: Mutex::default(),
            tricked: AtomicUsize::new(0),
            delay_ms: AtomicU64::new(0),
            links: Mutex::default(),
        });
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let accepting = tokio::spawn(accept(listener, shared.clone()));
        Self { address, path: url.path().to_owned(), user: url.username().to_owned(), shared, accepting }
    }

    /// Where a node finds its database through this proxy.
    pub fn url(&self) -> String {
        format!("postgres://{}@{}{}?sslmode=disable", self.user, self.address, self.path)
    }

    /// Changes what becomes of everything from now on.
    pub fn traffic(&self, traffic: Traffic) {
        self.shared.traffic.send_replace(traffic);
        match traffic {
            Traffic::Flows => self.for_links(|link| {
                let is_broken = link.lost_bytes.load(Ordering::Acquire);
                link.silent.fetch_or(is_broken, Ordering::AcqRel);
            }),
            Traffic::Refused => self.cut_all(),
            Traffic::Held | Traffic::Dropped | Traffic::AnswersDropped => {}
        }
    }

    /// Every question takes so much longer from now on.
    pub fn delay(&self, delay: Duration) {
        let delay_ms = u64::try_from(delay.as_millis()).unwrap_or(u64::MAX);
        self.shared.delay_ms.store(delay_ms, Ordering::Release);
    }

    /// Closes every connection; new ones are let through.
    pub fn cut_all(&self) {
        self.for_links(|link| link.end.cancel());
    }

    /// Plays the trick on the next executions of a statement whose name contains `marker`. The commit of a
    /// transaction is named `COMMIT ` and the name of its last statement.
    pub fn trick(&self, marker: &str, times: usize, trick: Trick) {
        self.shared.rules.lock().unwrap().push(Rule { marker: marker.to_owned(), left: times, trick });
    }

    /// Forgets tricks that were not played.
    pub fn no_more_tricks(&self) {
        self.shared.rules.lock().unwrap().clear();
    }

    /// How many tricks were played.
    pub fn tricked(&self) -> usize {
        self.shared.tricked.load(Ordering::Acquire)
    }

    fn for_links(&self, act: impl Fn(&Link)) {
        let mut links = self.shared.links.lock().unwrap();
        links.retain(|link| link.strong_count() > 0);
        for link in links.iter().filter_map(Weak::upgrade) {
            act(&link);
        }
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.accepting.abort();
        self.cut_all();
    }
}

async fn accept(listener: TcpListener, shared: Arc<Shared>) {
    while let Ok((client, _)) = listener.accept().await {
        if *shared.traffic.borrow() == Traffic::Refused {
            continue;
        }
        client.set_nodelay(true).ok();
        let link = Arc::new(Link::new());
        shared.links.lock().unwrap().push(Arc::downgrade(&link));
        let shared = shared.clone();
        tokio::spawn(async move {
            let end = link.end.clone();
            tokio::select! {
                // How it ended is seen by both sides.
                _ = carry(client, shared, link) => {}
                () = end.cancelled() => {}
            }
        });
    }
}

impl Shared {
    fn trick_for(&self, statement: &str) -> Option<Trick> {
        let mut rules = self.rules.lock().unwrap();
        let rule = rules.iter_mut().find(|rule| rule.left > 0 && statement.contains(&rule.marker))?;
        rule.left -= 1;
        self.tricked.fetch_add(1, Ordering::AcqRel);
        Some(rule.trick)
    }
}
