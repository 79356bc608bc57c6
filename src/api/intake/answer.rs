//! A large answer goes out in slices, each when the one before it has left. It holds its room in the budget until then, and a
//! caller that does not take it in time loses it. Whoever knows that an answer may be large takes its room before reading
//! it; every other one that is large takes it here. Over HTTP/2 nobody asks for the rest of an answer that is not taken, so
//! each answer says until when it has to be taken, and its connection is closed after that (`listener`).

use std::pin::{Pin, pin};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use axum::body::{Body, HttpBody};
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use futures_util::StreamExt as _;
use http_body::{Frame, SizeHint};
use tokio::sync::mpsc;
use tokio::time::Sleep;
use tracing::Instrument as _;

use super::budget::{AnswerRoom, BodyRoom, Budgets};

/// What goes out at a time. An answer that is no larger takes no room.
const SLICE_BYTES: usize = 64 << 10;
/// A connection is not closed before the answer on it had this long to break off by itself.
const GRACE: Duration = Duration::from_secs(1);

/// An answer that goes on until somebody ends it, and bounds itself.
#[derive(Debug, Clone, Copy)]
pub struct Endless;

/// An answer that is in memory once, whoever gets it.
#[derive(Debug, Clone, Copy)]
pub struct InMemoryOnce;

/// What a large answer holds until it is sent.
pub(in crate::api) enum HeldRoom {
    /// Its own room.
    Answer {
        /// It is held, not read.
        _room: AnswerRoom,
    },
    /// The room of the body that it answers.
    Body {
        /// It is held, not read.
        _room: BodyRoom,
    },
}

/// An answer with what it holds; in its place a refusal, when it is large and there is no room for a while.
pub(in crate::api) async fn with_room(
    mut response: Response,
    of_body: Option<BodyRoom>,
    budgets: &Budgets,
) -> (Response, Option<HeldRoom>) {
    let own = response.extensions_mut().remove::<AnswerRoom>();
    let Some(length) = large_length(&response) else { return (response, None) };
    if response.extensions().get::<InMemoryOnce>().is_some() {
        return (response, None);
    }
    if let Some(room) = own {
        return (response, Some(HeldRoom::Answer { _room: room.shrunk_to(length) }));
    }
    // What a producer posted is stored, and it has to learn that, however little room readers leave.
    if let Some(room) = of_body.filter(BodyRoom::is_of_producer) {
        return (response, Some(HeldRoom::Body { _room: room }));
    }
    match budgets.room_for_written(length).await {
        Ok(room) => (response, Some(HeldRoom::Answer { _room: room })),
        Err(error) => (error.into_response(), None),
    }
}

/// The length of an answer that is known to be large.
fn large_length(response: &Response) -> Option<usize> {
    let length = usize::try_from(response.body().size_hint().exact()?).unwrap_or(usize::MAX);
    (length > SLICE_BYTES).then_some(length)
}

/// Until when an answer has to be taken.
#[derive(Debug, Clone)]
pub enum TakeBy {
    /// All of it.
    At(Instant),
    /// What is there of one that goes on; `None` while nothing waits.
    Offered(Arc<Mutex<Option<Instant>>>),
}

impl TakeBy {
    /// Whether the caller had its time.
    pub fn is_past(&self, now: Instant) -> bool {
        match self {
            Self::At(end) => now > *end,
            Self::Offered(end) => locked(end).is_some_and(|end| now > end),
        }
    }
}

fn locked(end: &Mutex<Option<Instant>>) -> MutexGuard<'_, Option<Instant>> {
    end.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The same answer in slices, if it is large.
pub(in crate::api) fn in_slices(
    mut response: Response,
    room: Option<HeldRoom>,
    longest: Duration,
) -> Response {
    // Where somebody asks for the rest, it breaks off by itself, and its connection can go on.
    response.extensions_mut().insert(TakeBy::At(Instant::now() + longest + GRACE));
    let is_small = response.body().size_hint().exact().is_some_and(|length| length <= SLICE_BYTES as u64);
    if is_small {
        return response;
    }
    response.map(|body| {
        let until = Box::pin(tokio::time::sleep(longest));
        Body::new(Slices { body, left: Bytes::new(), until, _room: room })
    })
}

/// The same answer, which goes on until somebody ends it, made in a task of its own: what it holds meanwhile, such as a
/// connection to the database, never waits for the caller. It is cut when what is there is not taken for so long.
pub(in crate::api) fn apart(mut response: Response, longest: Duration) -> Response {
    let offered = Arc::<Mutex<Option<Instant>>>::default();
    response.extensions_mut().insert(TakeBy::Offered(offered.clone()));
    let (parts, taken) = mpsc::channel(1);
    response.map(|body| {
        let offering = async move {
            // However slowly it is taken, as long as it is taken.
            let slices = body.into_data_stream().flat_map(|part| futures_util::stream::iter(slices_of(part)));
            let mut slices = pin!(slices);
            loop {
                let part = tokio::select! {
                    part = slices.next() => part,
                    () = parts.closed() => return,
                };
                let is_last = part.is_none();
                *locked(&offered) = Some(Instant::now() + longest);
                if !matches!(tokio::time::timeout(longest, parts.send(part)).await, Ok(Ok(()))) || is_last {
                    return;
                }
                *locked(&offered) = None;
            }
        };
        tokio::spawn(offering.in_current_span());
        Body::new(Offered(taken))
    })
}

fn slices_of(part: Result<Bytes, axum::Error>) -> Vec<Result<Bytes, axum::Error>> {
    match part {
        Ok(bytes) => {
            let starts = (0..bytes.len()).step_by(SLICE_BYTES);
            starts.map(|at| Ok(bytes.slice(at..bytes.len().min(at + SLICE_BYTES)))).collect()
        }
        Err(error) => vec![Err(error)],
    }
}

/// Parts of an answer as they come; `None` is its end.
struct Offered(mpsc::Receiver<Option<Result<Bytes, axum::Error>>>);

impl HttpBody for Offered {
    type Data = Bytes;
    type Error = axum::BoxError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::BoxError>>> {
        Poll::Ready(match std::task::ready!(self.0.poll_recv(cx)) {
            Some(Some(Ok(bytes))) => Some(Ok(Frame::data(bytes))),
            Some(Some(Err(error))) => Some(Err(error.into())),
            Some(None) => None,
            None => Some(Err(NotTaken.into())),
        })
    }
}

/// An answer that holds its room until it is sent.
pub struct HeldAnswer<B> {
    /// The answer.
    pub body: B,
    /// Its room; `None` for what is small.
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
    _room: Option<HeldRoom>,
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
    use http::StatusCode;
    use http_body_util::BodyExt as _;

    use super::*;
    use crate::api::intake::body_sender::BodySender;
    use crate::api::intake::limits::IntakeLimits;

    fn budgets() -> Budgets {
        Budgets::new(&IntakeLimits {
            body_bytes: 1 << 20,
            body_timeout: Duration::from_secs(1),
            answer_timeout: Duration::from_secs(1),
            body_budget_bytes: 8 << 20,
            answer_budget_bytes: 8 << 20,
            page_bytes: 1 << 20,
        })
    }

    fn answer(bytes: usize) -> Response {
        Response::new(Body::from("x".repeat(bytes)))
    }

    #[tokio::test]
    async fn a_large_answer_goes_out_whole_in_slices() {
        let text = "x".repeat(SLICE_BYTES * 2 + 1);
        let answer = in_slices(Response::new(Body::from(text.clone())), None, Duration::from_secs(1));
        assert_eq!(answer.body().size_hint().exact(), Some(text.len() as u64));
        let mut body = answer.into_body();
        let first = body.frame().await.unwrap().unwrap().into_data().unwrap();
        assert_eq!(first.len(), SLICE_BYTES);
        assert_eq!(body.size_hint().exact(), Some((SLICE_BYTES + 1) as u64));
        assert_eq!(to_bytes(body, usize::MAX).await.unwrap().len(), SLICE_BYTES + 1);
    }

    #[tokio::test]
    async fn an_answer_that_goes_on_is_made_whether_it_is_taken_or_not_and_is_cut_when_it_is_not() {
        let (made, mut seen) = mpsc::unbounded_channel();
        let parts = futures_util::stream::iter(0..3).map(move |nth| {
            made.send(nth).unwrap();
            Ok::<_, axum::Error>(nth.to_string())
        });
        let held = apart(Response::new(Body::from_stream(parts)), Duration::from_millis(50));
        let take_by = held.extensions().get::<TakeBy>().unwrap().clone();
        // The first is offered, and the second waits.
        while seen.recv().await != Some(1) {}
        assert_eq!(seen.recv().await, None, "it is cut, and what it held is free");
        assert!(take_by.is_past(Instant::now()) && seen.is_empty());
        let mut body = held.into_body();
        assert_eq!(body.frame().await.unwrap().unwrap().into_data().unwrap(), "0");
        assert!(body.frame().await.unwrap().is_err(), "whoever takes it after all is told");
        let text = "x".repeat(SLICE_BYTES + 1);
        let parts = [text.clone(), "a".to_owned()].map(Ok::<_, axum::Error>);
        let whole = Body::from_stream(futures_util::stream::iter(parts));
        let mut whole = apart(Response::new(whole), Duration::from_secs(60)).into_body();
        let first = whole.frame().await.unwrap().unwrap().into_data().unwrap();
        assert_eq!((first.len(), to_bytes(whole, usize::MAX).await.unwrap()), (SLICE_BYTES, "xa".into()));
    }

    #[tokio::test]
    async fn what_is_not_taken_in_time_ends() {
        let answer = in_slices(
            Response::new(Body::from("x".repeat(SLICE_BYTES * 2))),
            None,
            Duration::from_millis(50),
        );
        let mut body = answer.into_body();
        assert!(body.frame().await.unwrap().is_ok());
        tokio::time::sleep(Duration::from_millis(100)).await;
        assert!(body.frame().await.unwrap().is_err());
    }

    #[tokio::test]
    async fn every_large_answer_takes_room_and_is_refused_without() {
        let budgets = budgets();
        let (_, small) = with_room(answer(SLICE_BYTES), None, &budgets).await;
        assert!(small.is_none());
        let (first, held) = with_room(answer(6 << 20), None, &budgets).await;
        assert_eq!((first.status(), budgets.answer_bytes().0), (StatusCode::OK, 6 << 20));
        let (refused, none) = with_room(answer(3 << 20), None, &budgets).await;
        assert_eq!((refused.status(), none.is_none()), (StatusCode::SERVICE_UNAVAILABLE, true));
        let shared =
            with_room((axum::Extension(InMemoryOnce), "x".repeat(9 << 20)).into_response(), None, &budgets);
        assert!(shared.await.1.is_none(), "what is in memory once takes none");
        drop(held);
        assert_eq!(budgets.answer_bytes().0, 0);
    }

    #[tokio::test]
    async fn what_was_taken_for_an_answer_is_held_as_far_as_it_is_needed() {
        let budgets = budgets();
        let room = Some(budgets.room_for_answer(1 << 20).await.unwrap());
        let response = HeldAnswer { body: "x".repeat(100 << 10), room }.into_response();
        let (_, held) = with_room(response, None, &budgets).await;
        assert_eq!(budgets.answer_bytes().0, 100 << 10);
        drop(held);
        let room = Some(budgets.room_for_answer(1 << 20).await.unwrap());
        let (_, held) = with_room(HeldAnswer { body: "x", room }.into_response(), None, &budgets).await;
        assert!(held.is_none());
        assert_eq!(budgets.answer_bytes().0, 0);
    }

    #[tokio::test]
    async fn what_a_producer_posted_is_answered_whatever_readers_take() {
        let budgets = budgets();
        let _readers = budgets.room_for_answer(4 << 20).await.unwrap();
        let producers = budgets.room_for_body(1 << 20, BodySender::Producer, None).await;
        let (answered, held) = with_room(answer(1 << 20), producers, &budgets).await;
        assert_eq!((answered.status(), budgets.body_bytes().0), (StatusCode::OK, 1 << 20));
        drop(held);
        let tenants = budgets.room_for_body(1 << 20, BodySender::Tenant, None).await;
        let (refused, _) = with_room(answer(1 << 20), tenants, &budgets).await;
        assert_eq!((refused.status(), budgets.body_bytes().0), (StatusCode::SERVICE_UNAVAILABLE, 0));
    }
}
