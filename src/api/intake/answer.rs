//! A large answer goes out in slices, each when the one before it has left. Its room in the budget is held until then,
//! and a caller that does not take it in time loses it.

use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use axum::body::{Body, HttpBody};
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use http_body::{Frame, SizeHint};
use tokio::time::Sleep;

use super::budget::AnswerRoom;

const SLICE_BYTES: usize = 64 << 10;

/// An answer that goes on until somebody ends it, and bounds itself.
#[derive(Debug, Clone, Copy)]
pub struct Endless;

/// The same answer in slices, if it is large.
pub(in crate::api) fn in_slices(mut response: Response, longest: Duration) -> Response {
    let room = response.extensions_mut().remove::<AnswerRoom>();
    let is_small = response.body().size_hint().exact().is_some_and(|length| length <= SLICE_BYTES as u64);
    if is_small {
        return response;
    }
    response.map(|body| {
        let until = Box::pin(tokio::time::sleep(longest));
        Body::new(Slices { body, left: Bytes::new(), until, _room: room })
    })
}

/// An answer that holds its room until it is sent.
pub struct HeldAnswer<B> {
    /// The answer.
    pub body: B,
    /// Its room, if it may be large.
    pub room: Option<AnswerRoom>,
}

impl<B: IntoResponse> IntoResponse for HeldAnswer<B> {
    fn into_response(self) -> Response {
        let mut response = self.body.into_response();
        if let Some(room) = self.room {
            response.extensions_mut().insert(room);
        }
        response
    }
}

struct Slices {
    body: Body,
    /// What was taken from the body and not sent yet.
    left: Bytes,
    until: Pin<Box<Sleep>>,
    _room: Option<AnswerRoom>,
}

/// The caller did not take the answer.
#[derive(Debug, thiserror::Error)]
#[error("the answer was not taken in time")]
struct NotTaken;

impl HttpBody for Slices {
    type Data = Bytes;
    type Error = axum::BoxError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::BoxError>>> {
        if self.until.as_mut().poll(cx).is_ready() {
            return Poll::Ready(Some(Err(NotTaken.into())));
        }
        if self.left.is_empty() {
            match std::task::ready!(Pin::new(&mut self.body).poll_frame(cx)) {
                Some(Ok(frame)) => match frame.into_data() {
                    Ok(data) => self.left = data,
                    Err(trailers) => return Poll::Ready(Some(Ok(trailers))),
                },
                Some(Err(error)) => return Poll::Ready(Some(Err(error.into()))),
                None => return Poll::Ready(None),
            }
        }
        let length = self.left.len().min(SLICE_BYTES);
        let slice = self.left.split_to(length);
        Poll::Ready(Some(Ok(Frame::data(slice))))
    }

    fn is_end_stream(&self) -> bool {
        self.left.is_empty() && self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        match self.body.size_hint().exact() {
            Some(length) => SizeHint::with_exact(length + self.left.len() as u64),
            None => SizeHint::new(),
        }
    }
}

#[cfg(test)]
mod tests {
    use axum::body::to_bytes;
    use http_body_util::BodyExt as _;

    use super::*;

    #[tokio::test]
    async fn a_large_answer_goes_out_whole_in_slices() {
        let text = "x".repeat(SLICE_BYTES * 2 + 1);
        let answer = in_slices(Response::new(Body::from(text.clone())), Duration::from_secs(1));
        assert_eq!(answer.body().size_hint().exact(), Some(text.len() as u64));
        let mut body = answer.into_body();
        let first = body.frame().await.unwrap().unwrap().into_data().unwrap();
        assert_eq!(first.len(), SLICE_BYTES);
        assert_eq!(body.size_hint().exact(), Some((SLICE_BYTES + 1) as u64));
        assert_eq!(to_bytes(body, usize::MAX).await.unwrap().len(), SLICE_BYTES + 1);
    }

    #[tokio::test]
    async fn what_is_not_taken_in_time_ends() {
        let answer =
            in_slices(Response::new(Body::from("x".repeat(SLICE_BYTES * 2))), Duration::from_millis(50));
        let mut body = answer.into_body();
        assert!(body.frame().await.unwrap().is_ok());
        tokio::time::sleep(Duration::from_millis(100)).await;
        assert!(body.frame().await.unwrap().is_err());
    }
}
