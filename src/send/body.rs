//! The answer's body: a bounded part is kept, a bounded rest is read and thrown away so that the connection can be
//! used again, and whatever goes on beyond that is cut off together with the connection.

use bytes::{Bytes, BytesMut};
use reqwest::Response;

use crate::domain::attempt::RESPONSE_KEPT_BYTES;

/// An answer longer than this costs its connection.
const READ_BYTES: usize = 64 * 1024;

/// What was read of a body so far. It survives a read that is broken off by the deadline.
#[derive(Default)]
pub(super) struct KeptBody {
    kept: BytesMut,
}

impl KeptBody {
    /// Reads on to the end of the body or to the bound.
    pub(super) async fn read(&mut self, mut response: Response) -> Result<(), reqwest::Error> {
        // The rest is only worth reading when the end is in reach.
        let bound = match response.content_length() {
            Some(length) if length > READ_BYTES as u64 => RESPONSE_KEPT_BYTES,
            _ => READ_BYTES,
        };
        let mut read = 0;
        while let Some(chunk) = response.chunk().await? {
            read += chunk.len();
            let room = RESPONSE_KEPT_BYTES - self.kept.len();
            self.kept.extend_from_slice(chunk.get(..room).unwrap_or(&chunk));
            if read >= bound {
                break;
            }
        }
        Ok(())
    }

    /// What is kept.
    pub(super) fn into_bytes(self) -> Bytes {
        self.kept.freeze()
    }
}
