//! The socket below a connection. Closing one leaves to the kernel what a receiver has not taken yet, and a receiver that
//! takes a little now and then can have that go on for hours. So a socket that is dropped while an exchange is under way
//! is reset: the kernel forgets what was left.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;

/// Whether an exchange is under way on a connection; known to its socket and to the code that sends over it.
#[derive(Debug, Clone, Default)]
pub(in crate::send) struct UnderWay(Arc<AtomicBool>);

impl UnderWay {
    pub(in crate::send) fn set(&self, under_way: bool) {
        self.0.store(under_way, Ordering::Relaxed);
    }
}

/// A socket.
#[derive(Debug)]
pub(in crate::send) struct Socket {
    stream: TcpStream,
    under_way: UnderWay,
    /// HTTP has ended the connection in its own way.
    shut_down: bool,
}

impl Socket {
    pub(in crate::send) fn new(stream: TcpStream, under_way: UnderWay) -> Self {
        Self { stream, under_way, shut_down: false }
    }
}

impl Drop for Socket {
    fn drop(&mut self) {
        if !self.shut_down && self.under_way.0.load(Ordering::Relaxed) {
            // It fails only for what is no socket any more.
            self.stream.set_zero_linger().ok();
        }
    }
}

impl AsyncRead for Socket {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(cx, buffer)
    }
}

impl AsyncWrite for Socket {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(cx, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.shut_down = true;
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write_vectored(cx, slices)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }
}
