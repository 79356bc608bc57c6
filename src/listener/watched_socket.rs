//! A socket that notes when bytes move, and that lingers before it closes: what the client still sends is read and dropped
//! for a while. Closing a socket with unread bytes would reset the connection, and the client would lose an answer that it
//! has not read yet.

use std::io;
use std::mem::MaybeUninit;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::BufMut as _;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio::time::{Instant, Sleep};
use tokio_util::io::poll_read_buf;

use super::connection_state::ConnectionState;
use super::discard_rate::DiscardRate;

/// How much is read and dropped when a connection is closed.
const MAX_DISCARDED_BYTES: usize = 16 << 20;
/// For how long that is done.
const CLOSE_LINGER: Duration = Duration::from_secs(3);
const SCRATCH_BYTES: usize = 16 << 10;
/// What is read at a time. It bounds what waits in memory of a body whose turn has not come, of each connection.
const MAX_READ_BYTES: usize = 16 << 10;

pub(super) struct WatchedSocket {
    socket: TcpStream,
    state: Option<Arc<ConnectionState>>,
    discard_rate: Arc<DiscardRate>,
    closing: Option<Closing>,
}

/// The socket is closed for writing, and what still comes is dropped.
struct Closing {
    until: Pin<Box<Sleep>>,
    discarding: Discarding,
    discarded: usize,
}

/// What comes next of dropping what comes.
enum Discarding {
    /// The next bytes are not booked yet.
    Unbooked,
    /// [`SCRATCH_BYTES`] may be dropped when this is over.
    Booked(Pin<Box<Sleep>>),
    /// They may be dropped now. Where nothing has come, they are booked again when it does.
    Due,
    /// Their turn would come when the connection is closed.
    TooLate,
}

impl WatchedSocket {
    pub(super) fn new(
        socket: TcpStream,
        state: Option<Arc<ConnectionState>>,
        discard_rate: Arc<DiscardRate>,
    ) -> Self {
        Self { socket, state, discard_rate, closing: None }
    }

    fn note_written(&self, result: &Poll<io::Result<usize>>) {
        if let (Some(state), Poll::Ready(Ok(1..))) = (&self.state, result) {
            state.note_written();
        }
    }

    /// Resolves when the client has closed its side, or when it was waited for long enough.
    fn poll_discard(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        let Some(closing) = &mut self.closing else { return Poll::Ready(()) };
        loop {
            if closing.discarded >= MAX_DISCARDED_BYTES || closing.until.as_mut().poll(cx).is_ready() {
                return Poll::Ready(());
            }
            match &mut closing.discarding {
                Discarding::Unbooked => {
                    let turn = self.discard_rate.book(SCRATCH_BYTES, closing.until.deadline());
                    closing.discarding = match turn {
                        Some(turn) if turn <= Instant::now() => Discarding::Due,
                        Some(turn) => Discarding::Booked(Box::pin(tokio::time::sleep_until(turn))),
                        None => Discarding::TooLate,
                    };
                }
                Discarding::Booked(turn) => {
                    ready!(turn.as_mut().poll(cx));
                    closing.discarding = Discarding::Due;
                }
                Discarding::Due => {
                    let mut scratch = [MaybeUninit::uninit(); SCRATCH_BYTES];
                    let mut buffer = ReadBuf::uninit(&mut scratch);
                    let read = Pin::new(&mut self.socket).poll_read(cx, &mut buffer);
                    let dropped = buffer.filled().len();
                    self.discard_rate.give_back(SCRATCH_BYTES - dropped);
                    closing.discarded += dropped;
                    closing.discarding = Discarding::Unbooked;
                    if ready!(read).is_err() || dropped == 0 {
                        return Poll::Ready(());
                    }
                }
                Discarding::TooLate => return Poll::Pending,
            }
        }
    }
}

impl AsyncRead for WatchedSocket {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let socket = Pin::new(&mut self.socket);
        let read = ready!(poll_read_buf(socket, cx, &mut buffer.limit(MAX_READ_BYTES)))?;
        if let (Some(state), true) = (&self.state, read > 0) {
            state.note_read();
        }
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for WatchedSocket {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let result = Pin::new(&mut self.socket).poll_write(cx, bytes);
        self.note_written(&result);
        result
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let result = Pin::new(&mut self.socket).poll_write_vectored(cx, slices);
        self.note_written(&result);
        result
    }

    fn is_write_vectored(&self) -> bool {
        self.socket.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.socket).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = &mut *self;
        if this.closing.is_none() {
            ready!(Pin::new(&mut this.socket).poll_shutdown(cx))?;
            this.closing = Some(Closing {
                until: Box::pin(tokio::time::sleep(CLOSE_LINGER)),
                discarding: Discarding::Unbooked,
                discarded: 0,
            });
        }
        ready!(this.poll_discard(cx));
        Poll::Ready(Ok(()))
    }
}
