//! A connection to an SMTP server as lettre takes it over: it begins with the greeting, which may have been read before.

use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::task::{Context, Poll};

use lettre::transport::smtp::client::AsyncTokioStream;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;

use crate::send::EncryptedStream;

use super::MailError;

/// Whose address is known.
pub(super) trait Peer {
    fn peer_addr(&self) -> io::Result<SocketAddr>;
}

impl Peer for TcpStream {
    fn peer_addr(&self) -> io::Result<SocketAddr> {
        self.peer_addr()
    }
}

impl Peer for EncryptedStream {
    fn peer_addr(&self) -> io::Result<SocketAddr> {
        self.get_ref().0.peer_addr()
    }
}

#[derive(Debug)]
pub(super) struct SmtpStream<S> {
    /// What was read before, and is read first.
    greeting: Vec<u8>,
    stream: S,
    peer: SocketAddr,
}

impl<S: Peer> SmtpStream<S> {
    pub(super) fn new(stream: S) -> Result<Self, MailError> {
        Self::greeted(stream, Vec::new())
    }

    pub(super) fn greeted(stream: S, greeting: Vec<u8>) -> Result<Self, MailError> {
        let peer = stream.peer_addr().map_err(MailError::Broken)?;
        Ok(Self { greeting, stream, peer })
    }
}

impl<S: AsyncRead + AsyncWrite + Send + Sync + Unpin + std::fmt::Debug> AsyncTokioStream for SmtpStream<S> {
    fn peer_addr(&self) -> io::Result<SocketAddr> {
        Ok(self.peer)
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for SmtpStream<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        if self.greeting.is_empty() {
            return Pin::new(&mut self.stream).poll_read(context, buffer);
        }
        let room = self.greeting.len().min(buffer.remaining());
        let said: Vec<u8> = self.greeting.drain(..room).collect();
        buffer.put_slice(&said);
        Poll::Ready(Ok(()))
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for SmtpStream<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(context, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}
