//! The answer's body: a bounded part is kept, a bounded rest is read and thrown away so that the connection can be
//! used again, and whatever goes on beyond that is cut off together with the connection.

use bytes::{Bytes, BytesMut};
use http_body_util::BodyExt;
use hyper::body::{Body, Incoming};
use tokio::task::coop::consume_budget;

use crate::domain::delivery::attempt::RESPONSE_KEPT_BYTES;

use crate::send::connection::Connection;

/// An answer longer than this costs its connection.
const MAX_READ_BYTES: usize = 64 * 1024;
/// So does one in more parts than this: each part costs as much as a large one, however small it is.
const MAX_READ_FRAMES: usize = 1024;

/// What was read of a body so far. It survives a read that is broken off by the deadline.
#[derive(Default)]
pub(super) struct KeptBody {
    kept: BytesMut,
}

impl KeptBody {
    /// Reads on to the end of the body, or to a bound. Returns whether it was the end.
    pub(super) async fn read(
        &mut self,
        connection: &mut Connection,
        mut body: Incoming,
    ) -> Result<bool, hyper::Error> {
        // The rest is only worth reading when the end is in reach.
        let bound = match body.size_hint().exact() {
            Some(length) if length > MAX_READ_BYTES as u64 => RESPONSE_KEPT_BYTES,
            _ => MAX_READ_BYTES,
        };
        let (mut read, mut frames) = (0, 0);
        while !body.is_end_stream() {
            // Parts that have come already are taken without a wait; others on this thread get their turn all the same.
            consume_budget().await;
            let frame = match connection.wait_for(body.frame()).await {
                None => break,
                Some(Ok(frame)) => frame,
                Some(Err(_)) if connection.is_exceeded() => return Ok(false),
                Some(Err(error)) => return Err(error),
            };
            let Ok(chunk) = frame.into_data() else { continue };
            read += chunk.len();
            frames += 1;
            let room = RESPONSE_KEPT_BYTES - self.kept.len();
            self.kept.extend_from_slice(chunk.get(..room).unwrap_or(&chunk));
            if read >= bound || frames >= MAX_READ_FRAMES {
                return Ok(body.is_end_stream());
            }
        }
        Ok(true)
    }

    /// What is kept.
    pub(super) fn into_bytes(self) -> Bytes {
        self.kept.freeze()
    }
}
