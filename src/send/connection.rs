//! One connection to a receiver, and the exchanges over it: one at a time, over HTTP/2 too.
//!
//! HTTP/2 could carry several at once. It does not here, so that what holds for HTTP/1 holds for it: whatever comes
//! in belongs to one attempt and is counted for it, an attempt that ends early ends its connection, and no attempt
//! suffers from what a connection is made to do for another.
//!
//! The connection is driven by the task of the attempt that uses it. It has no task of its own that could go on after
//! the deadline: when the attempt is dropped, everything is.

use std::error::Error;
use std::future::poll_fn;
use std::pin::{Pin, pin};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::Poll;

use bytes::Bytes;
use http::{Request, Response};
use http_body_util::Full;
use hyper::body::Incoming;
use hyper::client::conn::{http1, http2};
use hyper::rt::Executor;
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::task::JoinSet;
use tokio::time::Instant;

use super::stream::metered::Meter;
use super::stream::socket::UnderWay;

/// What may come before the head of the answer is complete: informational answers, header fields, and whatever else
/// the protocol has.
pub(super) const MAX_HEAD_BYTES: usize = 32 * 1024;
/// What may come after it: the part of the body that is read, with its framing.
const MAX_BODY_BYTES: usize = 96 * 1024;
/// What may come over TLS in one exchange, the handshake and the records' own bytes included.
pub(super) const MAX_TLS_BYTES: usize = 256 * 1024;
/// What a receiver may send of an HTTP/2 body before we have taken it.
const HTTP2_WINDOW_BYTES: u32 = 64 * 1024;

type Driver = Pin<Box<dyn Future<Output = ()> + Send>>;

/// The part that takes requests.
enum Requests {
    Http1(http1::SendRequest<Full<Bytes>>),
    Http2(http2::SendRequest<Full<Bytes>>),
}

/// What is shared with the streams below a connection.
pub(super) struct Below {
    pub(super) under_way: UnderWay,
    pub(super) meters: Meters,
}

/// The counts of a connection's bytes.
pub(super) struct Meters {
    /// HTTP.
    pub(super) http: Arc<Meter>,
    /// What carries it, when that is TLS.
    pub(super) tls: Option<Arc<Meter>>,
}

/// A connection.
pub(super) struct Connection {
    requests: Requests,
    /// Moves bytes while it is polled; `None` when the connection is over.
    driver: Option<Driver>,
    under_way: UnderWay,
    meters: Meters,
    /// When it was made.
    pub(super) opened_at: Instant,
    /// When its last exchange ended.
    pub(super) idle_since: Instant,
}

impl Connection {
    /// HTTP/1 over a stream.
    pub(super) async fn http1<S>(stream: S, below: Below) -> Result<Self, hyper::Error>
    where
        S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    {
        let mut builder = http1::Builder::new();
        builder.ignore_invalid_headers_in_responses(true).max_buf_size(MAX_HEAD_BYTES);
        let (requests, connection) = builder.handshake(TokioIo::new(stream)).await?;
        let driver = Box::pin(async move {
            if let Err(error) = connection.await {
                tracing::trace!(%error, "a connection ended");
            }
        });
        Ok(Self::new(Requests::Http1(requests), driver, below))
    }

    /// HTTP/2 over a stream.
    pub(super) async fn http2<S>(stream: S, below: Below) -> Result<Self, hyper::Error>
    where
        S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    {
        let tasks = ConnectionTasks::default();
        let mut builder = http2::Builder::new(tasks.clone());
        builder
            .initial_stream_window_size(HTTP2_WINDOW_BYTES)
            .initial_connection_window_size(HTTP2_WINDOW_BYTES);
        let (requests, connection) = builder.handshake(TokioIo::new(stream)).await?;
        let tasks = AbortTasksOnDrop(tasks);
        let driver = Box::pin(async move {
            let _abort_with_the_connection = tasks;
            if let Err(error) = connection.await {
                tracing::trace!(%error, "a connection ended");
            }
        });
        Ok(Self::new(Requests::Http2(requests), driver, below))
    }

    fn new(requests: Requests, driver: Driver, Below { under_way, meters }: Below) -> Self {
        let now = Instant::now();
        Self { requests, driver: Some(driver), under_way, meters, opened_at: now, idle_since: now }
    }

    pub(super) fn is_http2(&self) -> bool {
        matches!(self.requests, Requests::Http2(_))
    }

    pub(super) fn meter(&self) -> &Meter {
        &self.meters.http
    }

    /// Whether the receiver has sent more than an exchange may cost.
    pub(super) fn is_exceeded(&self) -> bool {
        self.meters.http.is_exceeded() || self.meters.tls.as_ref().is_some_and(|meter| meter.is_exceeded())
    }

    /// Whether an exchange failed because the receiver had closed the connection before it saw the request. Over HTTP/1
    /// nothing came as an answer; HTTP/2 says so, or the connection broke.
    pub(super) fn failed_because_closed(&self, error: &hyper::Error) -> bool {
        if !self.is_http2() {
            return self.meters.http.received_nothing();
        }
        let cause = error.source().and_then(|cause| cause.downcast_ref::<h2::Error>());
        !self.is_exceeded()
            && cause.is_none_or(|cause| {
                cause.is_io()
                    || cause.is_remote()
                        && (cause.is_go_away() || cause.reason() == Some(h2::Reason::REFUSED_STREAM))
            })
    }

    /// Begins an exchange, and returns when the head of its answer is here.
    pub(super) async fn send(
        &mut self,
        request: Request<Full<Bytes>>,
    ) -> Result<Response<Incoming>, hyper::Error> {
        self.under_way.set(true);
        self.meters.http.begin(MAX_HEAD_BYTES);
        let answer = match &mut self.requests {
            Requests::Http1(requests) => {
                let answer = requests.send_request(request);
                drive(&mut self.driver, answer).await
            }
            Requests::Http2(requests) => {
                let answer = requests.send_request(request);
                drive(&mut self.driver, answer).await
            }
        };
        self.meters.http.allow(MAX_BODY_BYTES);
        answer
    }

    /// Waits for something that this connection must bring, and moves its bytes meanwhile.
    pub(super) async fn wait_for<T>(&mut self, what: impl Future<Output = T>) -> T {
        drive(&mut self.driver, what).await
    }

    /// Ends an exchange whose answer is here, and returns whether another one can begin at once. Where not, the connection is
    /// to be dropped, and with it what the receiver has not taken.
    pub(super) async fn end_exchange(&mut self) -> bool {
        let ready = self.is_ready().await;
        if ready {
            self.under_way.set(false);
        }
        ready
    }

    /// Whether another exchange can begin at once. It reads what came since the last one, such as the end of the
    /// connection. The last one is over only when its request has gone out to its end: a receiver can answer before it
    /// takes anything, and what it does not take is kept in memory.
    pub(super) async fn is_ready(&mut self) -> bool {
        if let Some(meter) = &self.meters.tls {
            meter.begin(MAX_TLS_BYTES);
        }
        let (driver, requests, http) = (&mut self.driver, &mut self.requests, &self.meters.http);
        poll_fn(|cx| {
            poll_driver(driver, cx);
            let ready = match requests {
                Requests::Http1(requests) => requests.poll_ready(cx),
                // It is ready whatever its streams do.
                Requests::Http2(_) if !http.request_is_sent() => Poll::Pending,
                Requests::Http2(requests) => requests.poll_ready(cx),
            };
            Poll::Ready(driver.is_some() && matches!(ready, Poll::Ready(Ok(()))))
        })
        .await
    }
}

async fn drive<T>(driver: &mut Option<Driver>, what: impl Future<Output = T>) -> T {
    let mut what = pin!(what);
    poll_fn(|cx| {
        poll_driver(driver, cx);
        what.as_mut().poll(cx)
    })
    .await
}

fn poll_driver(driver: &mut Option<Driver>, cx: &mut std::task::Context<'_>) {
    if driver.as_mut().is_some_and(|driver| driver.as_mut().poll(cx).is_ready()) {
        *driver = None;
    }
}

/// The tasks that HTTP/2 wants for a connection.
#[derive(Clone, Default)]
struct ConnectionTasks(Arc<Mutex<JoinSet<()>>>);

impl<F: Future<Output = ()> + Send + 'static> Executor<F> for ConnectionTasks {
    fn execute(&self, task: F) {
        let mut tasks = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        while tasks.try_join_next().is_some() {}
        tasks.spawn(task);
    }
}

/// Ends a connection's tasks when it is dropped. Some of the tasks hold the set that they are in, so dropping the set would
/// not end them.
struct AbortTasksOnDrop(ConnectionTasks);

impl Drop for AbortTasksOnDrop {
    fn drop(&mut self) {
        self.0.0.lock().unwrap_or_else(PoisonError::into_inner).abort_all();
    }
}
