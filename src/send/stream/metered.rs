//! Counts what comes in over a connection, and ends it when that is more than an exchange may cost.
//!
//! It is below HTTP, because much of what a receiver can send without end (informational answers, control frames, header
//! fields, chunk framing) is not visible above: hyper reads it in a loop for as long as bytes are there. What goes out over
//! HTTP/2 is followed for the same reason: hyper does not say whether a receiver has taken a request that it has answered.

use std::io;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, ready};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use super::frame_cost::FrameCost;
use super::frames::RequestEnd;

/// This much of an answer's beginning is kept, to show what came if it was not HTTP.
const KEPT_BEGINNING_BYTES: usize = 64;

/// The count of one connection, shared by the stream and the code that sends over it.
#[derive(Debug, Default)]
pub(in crate::send) struct Meter {
    /// Bytes that may still come.
    remaining: AtomicUsize,
    /// Bytes that came since the exchange began.
    received: AtomicUsize,
    /// More came than allowed.
    exceeded: AtomicBool,
    /// The request of this exchange has gone out to its end. It is only known of HTTP/2.
    request_sent: AtomicBool,
    beginning: Mutex<Vec<u8>>,
}

impl Meter {
    pub(in crate::send) fn new(allowance_bytes: usize) -> Arc<Self> {
        Arc::new(Self { remaining: AtomicUsize::new(allowance_bytes), ..Self::default() })
    }

    /// Begins an exchange, in which so much may come.
    pub(in crate::send) fn begin(&self, allowance_bytes: usize) {
        self.remaining.store(allowance_bytes, Ordering::Relaxed);
        self.received.store(0, Ordering::Relaxed);
        self.request_sent.store(false, Ordering::Relaxed);
        self.beginning().clear();
    }

    /// From now on so much may come, whatever came before.
    pub(in crate::send) fn allow(&self, allowance_bytes: usize) {
        self.remaining.store(allowance_bytes, Ordering::Relaxed);
    }

    /// Whether nothing came since the exchange began.
    pub(in crate::send) fn received_nothing(&self) -> bool {
        self.received.load(Ordering::Relaxed) == 0
    }

    /// Whether the request of this exchange, one over HTTP/2, has gone out to its end.
    pub(in crate::send) fn request_is_sent(&self) -> bool {
        self.request_sent.load(Ordering::Relaxed)
    }

    /// Whether the connection was ended for what came over it.
    pub(in crate::send) fn is_exceeded(&self) -> bool {
        self.exceeded.load(Ordering::Relaxed)
    }

    /// What came first in this exchange.
    pub(in crate::send) fn first_bytes(&self) -> Vec<u8> {
        self.beginning().clone()
    }

    fn beginning(&self) -> std::sync::MutexGuard<'_, Vec<u8>> {
        self.beginning.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether more may be read.
    fn check(&self) -> io::Result<()> {
        if self.remaining.load(Ordering::Relaxed) > 0 {
            return Ok(());
        }
        self.exceeded.store(true, Ordering::Relaxed);
        Err(io::Error::other("the receiver sent more than an exchange may cost"))
    }

    /// Counts what was read, and what it costs beyond its bytes.
    fn count(&self, read: &[u8], cost: usize) {
        let left = self.remaining.load(Ordering::Relaxed);
        self.remaining.store(left.saturating_sub(read.len() + cost), Ordering::Relaxed);
        let before = self.received.fetch_add(read.len(), Ordering::Relaxed);
        if before < KEPT_BEGINNING_BYTES {
            let room = KEPT_BEGINNING_BYTES - before;
            self.beginning().extend_from_slice(read.get(..room).unwrap_or(read));
        }
    }
}

/// A stream whose incoming bytes are counted.
#[derive(Debug)]
pub(in crate::send) struct Metered<S> {
    stream: S,
    meter: Arc<Meter>,
    /// Where HTTP/2 is spoken.
    http2: Option<Http2>,
}

/// What is followed of HTTP/2: what comes, and what goes out.
#[derive(Debug, Default)]
struct Http2 {
    cost: FrameCost,
    request_end: RequestEnd,
}

impl<S> Metered<S> {
    pub(in crate::send) fn new(stream: S, meter: Arc<Meter>) -> Self {
        Self { stream, meter, http2: None }
    }

    /// A stream of HTTP/2, whose frames are counted too.
    pub(in crate::send) fn of_frames(stream: S, meter: Arc<Meter>) -> Self {
        Self { http2: Some(Http2::default()), ..Self::new(stream, meter) }
    }

    /// Follows what went out, the beginning of these bytes.
    fn follow_written(&mut self, bytes: &[u8], written: usize) {
        if let Some(http2) = &mut self.http2
            && http2.request_end.is_in(bytes.get(..written).unwrap_or(bytes))
        {
            self.meter.request_sent.store(true, Ordering::Relaxed);
        }
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Metered<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        self.meter.check()?;
        let before = buffer.filled().len();
        match ready!(Pin::new(&mut self.stream).poll_read(cx, buffer)) {
            // A TLS connection was closed without TLS saying so, as many servers do. It is an end as any other: HTTP knows
            // whether something is missing.
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => {}
            other => other?,
        }
        let read = buffer.filled().get(before..).unwrap_or_default();
        let cost = self.http2.as_mut().map_or(0, |http2| http2.cost.of(read));
        self.meter.count(read, cost);
        Poll::Ready(Ok(()))
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Metered<S> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let written = ready!(Pin::new(&mut self.stream).poll_write(cx, bytes))?;
        self.follow_written(bytes, written);
        Poll::Ready(Ok(written))
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let written = ready!(Pin::new(&mut self.stream).poll_write_vectored(cx, slices))?;
        let mut left = written;
        for slice in slices {
            self.follow_written(slice, left);
            left = left.saturating_sub(slice.len());
        }
        Poll::Ready(Ok(written))
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }
}
