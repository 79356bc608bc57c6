//! How a receiver answers.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use axum::response::Response;
use bytes::Bytes;
use futures_util::stream;
use http::{HeaderName, HeaderValue, StatusCode};
use tokio::sync::Notify;

/// How a request is answered.
#[derive(Debug, Clone)]
pub enum Reply {
    Status(u16),
    With(u16, &'static str, String),
    /// Never.
    Hang,
    /// The other one, once it is told to.
    Once(Arc<Notify>, Box<Reply>),
    /// A 200 whose body never ends, a byte now and then.
    Drip,
    /// A 200 whose body never ends, as fast as it goes.
    Flood,
    /// A 200 whose connection breaks within the body.
    Break,
}

/// The answer that a reply stands for.
pub(super) async fn answer(reply: Reply) -> Response {
    match reply {
        Reply::Status(status) => plain(status),
        Reply::With(status, name, value) => {
            let mut response = plain(status);
            let value = HeaderValue::from_str(&value).unwrap();
            response.headers_mut().insert(HeaderName::from_static(name), value);
            response
        }
        Reply::Hang => std::future::pending().await,
        Reply::Once(told, reply) => {
            told.notified().await;
            Box::pin(answer(*reply)).await
        }
        Reply::Drip => streaming(stream::unfold((), |()| async {
            tokio::time::sleep(Duration::from_millis(50)).await;
            Some((Ok::<_, Infallible>(Bytes::from_static(b".")), ()))
        })),
        Reply::Flood => {
            let chunk = Bytes::from(vec![b'x'; 64 * 1024]);
            streaming(stream::repeat_with(move || Ok::<_, Infallible>(chunk.clone())))
        }
        Reply::Break => streaming(stream::iter([
            Ok(Bytes::from_static(b"half of")),
            Err(std::io::Error::other("the receiver breaks off")),
        ])),
    }
}

pub(super) fn plain(status: u16) -> Response {
    let mut response = Response::new(Body::from(format!("answered {status}")));
    *response.status_mut() = StatusCode::from_u16(status).unwrap();
    response
}

fn streaming<E: Into<Box<dyn std::error::Error + Send + Sync>> + 'static>(
    chunks: impl futures_util::Stream<Item = Result<Bytes, E>> + Send + 'static,
) -> Response {
    Response::new(Body::from_stream(chunks))
}
