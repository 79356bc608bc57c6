//! One connection: HTTP/1.1 or HTTP/2 as the client begins, within bounds.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::{Context, Poll};

use axum::Router;
use axum::body::Body;
use axum::extract::ConnectInfo;
use bytes::Bytes;
use http::{Request, Response};
use http_body::{Body as HttpBody, Frame, SizeHint};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto::Builder;
use tokio::net::TcpStream;
use tokio_util::sync::CancellationToken;
use tower::Service;

use crate::api::TakeBy;

use super::ListenerLimits;
use super::connection_state::{CoarseClock, ConnectionState, RequestInFlight};
use super::discard_rate::DiscardRate;
use super::watched_socket::WatchedSocket;

/// What a connection holds of bytes read and to be written; no head is larger.
const BUFFER_BYTES: usize = 64 << 10;
const MAX_HEADERS: usize = 100;
const MAX_HEADER_LIST_BYTES: u32 = 64 << 10;
/// What a client may send on one HTTP/2 request, and on all of a connection, before it is read.
const STREAM_WINDOW_BYTES: u32 = 256 << 10;
const CONNECTION_WINDOW_BYTES: u32 = 1 << 20;

/// Serves connections. Cheap to clone.
#[derive(Clone)]
pub(super) struct ConnectionServer {
    router: Router,
    builder: Builder<TokioExecutor>,
    clock: CoarseClock,
    limits: ListenerLimits,
    discard_rate: Arc<DiscardRate>,
    stop: CancellationToken,
}

impl ConnectionServer {
    pub(super) fn new(
        router: Router,
        limits: &ListenerLimits,
        clock: CoarseClock,
        discard_rate: Arc<DiscardRate>,
        stop: CancellationToken,
    ) -> Self {
        let mut builder = Builder::new(TokioExecutor::new());
        // Heads are timed by the sweep: a timer here would also end connections that are idle.
        builder
            .http1()
            .timer(TokioTimer::new())
            .header_read_timeout(None)
            .max_buf_size(BUFFER_BYTES)
            .max_headers(MAX_HEADERS);
        builder
            .http2()
            .timer(TokioTimer::new())
            .max_concurrent_streams(limits.streams)
            .max_header_list_size(MAX_HEADER_LIST_BYTES)
            .initial_stream_window_size(STREAM_WINDOW_BYTES)
            .initial_connection_window_size(CONNECTION_WINDOW_BYTES)
            .max_send_buf_size(BUFFER_BYTES);
        Self { router, builder, clock, limits: limits.clone(), discard_rate, stop }
    }

    pub(super) fn new_state(&self) -> Arc<ConnectionState> {
        Arc::new(ConnectionState::new(self.clock.clone(), self.limits.body_bytes))
    }

    pub(super) async fn serve(&self, stream: TcpStream, peer: SocketAddr, state: Arc<ConnectionState>) {
        let io = TokioIo::new(WatchedSocket::new(stream, Some(state.clone()), self.discard_rate.clone()));
        let requests = state.clone();
        let service = service_fn(move |request| answer(self.router.clone(), request, peer, &requests));
        let mut connection = pin!(self.builder.serve_connection(io, service));
        let mut closed = pin!(state.closed());
        let mut stopping = pin!(self.stop.cancelled());
        let mut is_stopping = false;
        loop {
            tokio::select! {
                result = connection.as_mut() => {
                    if let Err(error) = result {
                        tracing::trace!(%error, "a connection broke");
                    }
                    return;
                }
                () = &mut closed => {
                    if !state.has_crossing_request(self.clock.now_ms(), &self.limits) {
                        return;
                    }
                    // The request crossed the decision. It is answered, and the connection ends with it.
                    connection.as_mut().graceful_shutdown();
                    closed.set(state.closed());
                }
                () = &mut stopping, if !is_stopping => {
                    connection.as_mut().graceful_shutdown();
                    is_stopping = true;
                }
            }
        }
    }
}

fn answer(
    mut router: Router,
    request: Request<Incoming>,
    peer: SocketAddr,
    state: &Arc<ConnectionState>,
) -> impl Future<Output = Result<Response<AnswerBody>, Infallible>> + use<> {
    let mut in_flight = state.begin(request.version());
    let mut request = request.map(Body::new);
    request.extensions_mut().insert(ConnectInfo(peer));
    request.extensions_mut().insert(state.caller.clone());
    let answering = router.call(request);
    async move {
        let answer = answering.await?;
        if let Some(take_by) = answer.extensions().get::<TakeBy>() {
            in_flight.answered(take_by.clone());
        }
        Ok(answer.map(|body| AnswerBody { body, _in_flight: in_flight }))
    }
}

/// An answer's body. The request is under way until it is sent.
struct AnswerBody {
    body: Body,
    _in_flight: RequestInFlight,
}

impl HttpBody for AnswerBody {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        Pin::new(&mut self.body).poll_frame(cx)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

#[cfg(test)]
mod tests {
    use axum::Extension;
    use axum::routing::get;
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::net::{TcpListener, TcpSocket};
    use tokio::sync::Notify;

    use super::*;
    use crate::api::CallerConnection;

    /// The connection is told to close right after a known caller's request has begun.
    #[tokio::test]
    async fn a_request_that_crosses_the_closing_of_its_connection_is_answered() {
        let (begun, goes_on) = (Arc::new(Notify::new()), Arc::new(Notify::new()));
        let (noted, awaited) = (begun.clone(), goes_on.clone());
        let handler = async move |Extension(caller): Extension<Arc<CallerConnection>>| {
            caller.note_known(None);
            noted.notify_one();
            awaited.notified().await;
            "done"
        };
        let second = std::time::Duration::from_secs(1);
        let limits = ListenerLimits {
            connections: 1,
            streams: 1,
            head_timeout: second,
            idle_timeout: second,
            stall_timeout: second,
            body_bytes: 1,
        };
        let router = Router::new().route("/", get(handler));
        let (clock, stop) = (CoarseClock::default(), CancellationToken::new());
        let server = ConnectionServer::new(router, &limits, clock, Arc::default(), stop);
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let client = TcpSocket::new_v4().unwrap();
        let mut client = client.connect(listener.local_addr().unwrap()).await.unwrap();
        let (stream, peer) = listener.accept().await.unwrap();
        let state = server.new_state();
        let served_state = state.clone();
        let served = tokio::spawn(async move { server.serve(stream, peer, served_state).await });
        client.write_all(b"GET / HTTP/1.1\r\nhost: postrider\r\n\r\n").await.unwrap();
        begun.notified().await;
        state.close();
        // So that the serving task sees it before the answer is there.
        tokio::task::yield_now().await;
        goes_on.notify_one();
        let mut said = String::new();
        client.read_to_string(&mut said).await.unwrap();
        assert!(said.starts_with("HTTP/1.1 200 OK") && said.ends_with("done"), "{said}");
        drop(client);
        served.await.unwrap();
    }
}
