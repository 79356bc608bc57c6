//! Reading a body: within its limit, within its deadline, into one piece.

use std::pin::pin;
use std::time::Duration;

use axum::body::Body;
use bytes::{Bytes, BytesMut};
use futures_util::StreamExt as _;

use crate::api::error::ApiError;

use super::limits::IntakeLimits;

/// Between two parts of a body no more time may pass.
const LONGEST_PAUSE: Duration = Duration::from_millis(if cfg!(test) { 200 } else { 10_000 });
/// A body without a length begins with so much.
const FIRST_BYTES: usize = 16 << 10;

/// The body's bytes.
///
/// # Errors
/// [`ApiError::TooLarge`], [`ApiError::BodyTimeout`], or [`ApiError::Invalid`] when it breaks off.
pub(in crate::api) async fn read(
    body: Body,
    declared: Option<usize>,
    limits: &IntakeLimits,
) -> Result<Bytes, ApiError> {
    let read = read_all(body, declared, limits);
    tokio::time::timeout(limits.body_timeout, read).await.unwrap_or(Err(ApiError::BodyTimeout))
}

async fn read_all(body: Body, declared: Option<usize>, limits: &IntakeLimits) -> Result<Bytes, ApiError> {
    let mut parts = pin!(body.into_data_stream());
    let mut next = async || match tokio::time::timeout(LONGEST_PAUSE, parts.next()).await {
        Ok(part) => part.transpose().map_err(|_| broken_off()),
        Err(_) => Err(ApiError::BodyTimeout),
    };
    let Some(first) = next().await? else { return Ok(Bytes::new()) };
    // Most come in one piece, and need no copy.
    if declared == Some(first.len()) {
        return Ok(first);
    }
    let mut whole = BytesMut::with_capacity(declared.unwrap_or(FIRST_BYTES).max(first.len()));
    let mut part = Some(first);
    while let Some(bytes) = part {
        if whole.len() + bytes.len() > limits.body_bytes {
            return Err(ApiError::TooLarge(limits.body_bytes));
        }
        whole.extend_from_slice(&bytes);
        part = next().await?;
    }
    Ok(whole.freeze())
}

fn broken_off() -> ApiError {
    ApiError::invalid(&["body"], "the body could not be read to its end", "value_error")
}

/// Reads a body without keeping it. Whether it came to its end within so many bytes.
pub(in crate::api) async fn discard(body: Body, most: usize) -> bool {
    let mut parts = pin!(body.into_data_stream());
    let mut seen = 0;
    while let Some(part) = parts.next().await {
        let Ok(part) = part else { return false };
        seen += part.len();
        if seen > most {
            return false;
        }
    }
    true
}

#[cfg(test)]
mod tests {
    use futures_util::stream;

    use super::*;

    fn limits() -> IntakeLimits {
        IntakeLimits {
            body_bytes: 10,
            body_timeout: Duration::from_millis(500),
            answer_timeout: Duration::from_secs(1),
            body_budget_bytes: 1,
            answer_budget_bytes: 1,
            page_bytes: 1,
        }
    }

    fn of_parts(parts: &[&'static str]) -> Body {
        let parts: Vec<Result<&'static str, std::io::Error>> = parts.iter().map(|part| Ok(*part)).collect();
        Body::from_stream(stream::iter(parts))
    }

    #[tokio::test]
    async fn parts_are_joined_within_the_limit() {
        let limits = limits();
        assert_eq!(read(of_parts(&["ab", "cd"]), None, &limits).await.unwrap(), "abcd");
        assert_eq!(read(of_parts(&["abcd"]), Some(4), &limits).await.unwrap(), "abcd");
        assert_eq!(read(of_parts(&[]), None, &limits).await.unwrap(), "");
        let large = read(of_parts(&["abcdef", "ghijk"]), None, &limits).await;
        assert_eq!(large, Err(ApiError::TooLarge(10)));
    }

    #[tokio::test]
    async fn a_body_that_stops_or_drips_is_given_up() {
        let limits = limits();
        let stops = Body::from_stream(stream::pending::<Result<Bytes, std::io::Error>>());
        assert_eq!(read(stops, Some(5), &limits).await, Err(ApiError::BodyTimeout));
        let drips = stream::unfold((), async |()| {
            tokio::time::sleep(Duration::from_millis(80)).await;
            Some((Ok::<_, std::io::Error>("x"), ()))
        });
        assert_eq!(read(Body::from_stream(drips), None, &limits).await, Err(ApiError::BodyTimeout));
    }

    #[tokio::test]
    async fn only_a_little_is_thrown_away() {
        assert!(discard(of_parts(&["abc", "def"]), 6).await);
        assert!(!discard(of_parts(&["abc", "defg"]), 6).await);
    }
}
