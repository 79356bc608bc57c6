//! A TCP proxy between a node and its database. It knows the protocol of Postgres well enough to tell which statement
//! is asked for: a statement names itself in its first comment when it is prepared, and is executed by that name later.
//!
//! Traffic as a whole can be held, dropped or refused, and the next executions of a statement can be tricked: cut
//! before, cut during, delayed, silenced, or executed with the answer lost.

mod protocol;

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, Weak};
use std::time::Duration;

use bytes::BytesMut;
use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt, WriteHalf};
use tokio::net::{TcpListener, TcpStream, UnixStream};
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;
use url::Url;

use protocol::{Frames, Statements};

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

trait Wire: AsyncRead + AsyncWrite + Send + Unpin {}
impl<T: AsyncRead + AsyncWrite + Send + Unpin> Wire for T {}

enum Upstream {
    Unix(PathBuf),
    Tcp(String),
}

impl Upstream {
    async fn connect(&self) -> std::io::Result<Box<dyn Wire>> {
        Ok(match self {
            Self::Unix(path) => Box::new(UnixStream::connect(path).await?),
            Self::Tcp(address) => {
                let stream = TcpStream::connect(address).await?;
                stream.set_nodelay(true)?;
                Box::new(stream)
            }
        })
    }
}

struct Shared {
    upstream: Upstream,
    traffic: watch::Sender<Traffic>,
    rules: Mutex<Vec<Rule>>,
    tricked: AtomicUsize,
    delay_ms: AtomicU64,
    links: Mutex<Vec<Weak<Link>>>,
}

/// One connection that passes.
struct Link {
    end: CancellationToken,
    client_end: CancellationToken,
    /// Answers are kept back, because a trick says so.
    swallows: AtomicBool,
    silent: AtomicBool,
    lost_bytes: AtomicBool,
    /// Questions that the server answers with `ReadyForQuery`, the connection's start among them.
    asked: AtomicU64,
    /// The last of them is the tricked one.
    is_last: AtomicBool,
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
        let link = Arc::new(Link {
            end: CancellationToken::new(),
            client_end: CancellationToken::new(),
            swallows: AtomicBool::new(false),
            silent: AtomicBool::new(false),
            lost_bytes: AtomicBool::new(false),
            asked: AtomicU64::new(1),
            is_last: AtomicBool::new(false),
        });
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

/// Carries one connection until a side closes it.
async fn carry(client: TcpStream, shared: Arc<Shared>, link: Arc<Link>) -> std::io::Result<()> {
    let server = shared.upstream.connect().await?;
    let (from_client, to_client) = tokio::io::split(Box::new(client) as Box<dyn Wire>);
    let (from_server, to_server) = tokio::io::split(server);
    let mut to_client = to_client;
    let mut questions = Frames::of(from_client);
    // A client may first ask for encryption, which is declined.
    let greeting = loop {
        let frame = questions.next(0).await?.ok_or(std::io::ErrorKind::UnexpectedEof)?;
        match frame.get(4..8) {
            Some([0x04, 0xd2, 0x16, 0x2f | 0x30]) => to_client.write_all(b"N").await?,
            _ => break frame,
        }
    };
    let up = up(questions, to_server, greeting, &shared, &link);
    let down = down(Frames::of(from_server), to_client, &shared, &link);
    tokio::pin!(up, down);
    tokio::select! {
        ended = &mut down => ended,
        ended = &mut up => match ended {
            Ok(Up::ServerGoesOn) => down.await,
            Ok(Up::Closed) => Ok(()),
            Err(error) => Err(error),
        },
    }
}

enum Up {
    Closed,
    /// The client's side is cut, and the server has still an answer to give.
    ServerGoesOn,
}

async fn up(
    mut questions: Frames<Box<dyn Wire>>,
    mut server: WriteHalf<Box<dyn Wire>>,
    greeting: BytesMut,
    shared: &Shared,
    link: &Link,
) -> std::io::Result<Up> {
    if passes(shared, link, false).await {
        server.write_all(&greeting).await?;
    }
    let mut statements = Statements::default();
    let mut cuts_during = false;
    loop {
        let Some(frame) = questions.next(1).await? else { return Ok(Up::Closed) };
        match statements.executed(&frame).and_then(|name| shared.trick_for(&name)) {
            None => {}
            Some(Trick::CutBefore) => return Ok(Up::Closed),
            Some(Trick::Delay(delay)) => tokio::time::sleep(delay).await,
            Some(Trick::Silence) => link.silent.store(true, Ordering::Release),
            Some(Trick::LoseAnswer) => link.swallows.store(true, Ordering::Release),
            Some(Trick::CutDuring) => {
                cuts_during = true;
                link.swallows.store(true, Ordering::Release);
            }
        }
        let asks = matches!(frame.first(), Some(b'S' | b'Q'));
        if asks {
            let delay = shared.delay_ms.load(Ordering::Acquire);
            if delay > 0 {
                tokio::time::sleep(Duration::from_millis(delay)).await;
            }
        }
        if !passes(shared, link, false).await {
            continue;
        }
        let swallows = link.swallows.load(Ordering::Acquire);
        if asks {
            link.asked.fetch_add(1, Ordering::AcqRel);
            link.is_last.store(swallows, Ordering::Release);
        }
        server.write_all(&frame).await?;
        if asks && cuts_during {
            link.client_end.cancel();
            return Ok(Up::ServerGoesOn);
        }
    }
}

async fn down(
    mut answers: Frames<Box<dyn Wire>>,
    client: WriteHalf<Box<dyn Wire>>,
    shared: &Shared,
    link: &Link,
) -> std::io::Result<()> {
    let mut client = client;
    let mut ready = 0;
    let mut cut = false;
    loop {
        let frame = tokio::select! {
            () = link.client_end.cancelled(), if !cut => {
                cut = true;
                client.shutdown().await.ok();
                continue;
            }
            frame = answers.next(1) => frame?,
        };
        let Some(frame) = frame else { return Ok(()) };
        let swallows = link.swallows.load(Ordering::Acquire);
        if frame.first() == Some(&b'Z') {
            ready += 1;
            let is_last = link.is_last.load(Ordering::Acquire);
            if swallows && is_last && ready >= link.asked.load(Ordering::Acquire) {
                return Ok(());
            }
        }
        if !swallows && passes(shared, link, true).await {
            client.write_all(&frame).await?;
        }
    }
}

/// Waits while traffic is held, and says whether what passes now is let through.
async fn passes(shared: &Shared, link: &Link, answer: bool) -> bool {
    let mut traffic = shared.traffic.subscribe();
    let Ok(traffic) = traffic.wait_for(|traffic| *traffic != Traffic::Held).await.map(|traffic| *traffic)
    else {
        return false;
    };
    let dropped = match traffic {
        Traffic::Dropped => true,
        Traffic::AnswersDropped => answer,
        Traffic::Flows | Traffic::Held | Traffic::Refused => false,
    };
    let lost = dropped || link.silent.load(Ordering::Acquire);
    if lost {
        link.lost_bytes.store(true, Ordering::Release);
    }
    !lost
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
