//! One connection that passes through the proxy, both ways.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use bytes::BytesMut;
use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt, WriteHalf};
use tokio::net::{TcpStream, UnixStream};
use tokio_util::sync::CancellationToken;

use super::protocol::{Frames, Statements};
use super::{Shared, Traffic, Trick};

/// Either end of a connection.
pub(super) trait Wire: AsyncRead + AsyncWrite + Send + Unpin {}
impl<T: AsyncRead + AsyncWrite + Send + Unpin> Wire for T {}

/// Where the database is.
pub(super) enum Upstream {
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

/// One connection that passes.
pub(super) struct Link {
    pub(super) end: CancellationToken,
    client_end: CancellationToken,
    /// Answers are kept back, because a trick says so.
    swallows: AtomicBool,
    pub(super) silent: AtomicBool,
    pub(super) lost_bytes: AtomicBool,
    /// Questions that the server answers with `ReadyForQuery`, the connection's start among them.
    asked: AtomicU64,
    /// The last of them is the tricked one.
    is_last: AtomicBool,
}

impl Link {
    pub(super) fn new() -> Self {
        Self {
            end: CancellationToken::new(),
            client_end: CancellationToken::new(),
            swallows: AtomicBool::new(false),
            silent: AtomicBool::new(false),
            lost_bytes: AtomicBool::new(false),
            asked: AtomicU64::new(1),
            is_last: AtomicBool::new(false),
        }
    }
}

/// Carries one connection until a side closes it.
pub(super) async fn carry(client: TcpStream, shared: Arc<Shared>, link: Arc<Link>) -> std::io::Result<()> {
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
