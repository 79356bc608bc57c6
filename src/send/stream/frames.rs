//! Follows the frames of HTTP/2 in the bytes of a connection, wherever reads and writes cut them.

/// The bytes of a frame's head (RFC 9113, section 4.1).
const HEAD_BYTES: usize = 9;
/// What a client sends before its first frame (RFC 9113, section 3.4).
const PREFACE_BYTES: usize = 24;
const DATA: u8 = 0;
/// The kind of frame that begins a head.
pub(super) const HEADERS: u8 = 1;
/// It is the last of its stream, apart from what goes on with a head.
const END_STREAM: u8 = 1;

/// Where in the frames of one direction a connection is.
#[derive(Debug, Default)]
pub(super) struct Frames {
    head: [u8; HEAD_BYTES],
    /// How much of the head is there.
    filled: usize,
    /// How much of the frame's content has yet to come.
    content_left: usize,
}

impl Frames {
    /// Takes these bytes, which follow those before, and tells the kind and the flags of each frame whose head is now whole.
    pub(super) fn follow(&mut self, mut bytes: &[u8], mut begun: impl FnMut(u8, u8)) {
        while !bytes.is_empty() {
            let content = bytes.len().min(self.content_left);
            self.content_left -= content;
            bytes = bytes.get(content..).unwrap_or_default();
            let head = bytes.len().min(HEAD_BYTES - self.filled);
            let (head, rest) = bytes.split_at(head);
            for (kept, byte) in self.head.iter_mut().skip(self.filled).zip(head) {
                *kept = *byte;
            }
            self.filled += head.len();
            bytes = rest;
            if self.filled == HEAD_BYTES {
                let [high, middle, low, kind, flags, ..] = self.head;
                self.content_left = usize::from(high) << 16 | usize::from(middle) << 8 | usize::from(low);
                self.filled = 0;
                begun(kind, flags);
            }
        }
    }

    /// Whether the last frame has passed whole.
    fn is_between(&self) -> bool {
        self.content_left == 0 && self.filled == 0
    }
}

/// Notices when a request has gone out to its end.
#[derive(Debug)]
pub(super) struct RequestEnd {
    frames: Frames,
    /// The frame that ends a request has begun.
    begun: bool,
}

impl Default for RequestEnd {
    fn default() -> Self {
        Self { frames: Frames { content_left: PREFACE_BYTES, ..Frames::default() }, begun: false }
    }
}

impl RequestEnd {
    /// Whether a request has ended with these bytes, which go out after those before.
    pub(super) fn is_in(&mut self, bytes: &[u8]) -> bool {
        self.frames.follow(bytes, |kind, flags| {
            self.begun |= matches!(kind, DATA | HEADERS) && flags & END_STREAM != 0;
        });
        let ended = self.begun && self.frames.is_between();
        self.begun &= !ended;
        ended
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    pub(in crate::send) fn frame(kind: u8, flags: u8, content: usize) -> Vec<u8> {
        let length = u32::try_from(content).unwrap().to_be_bytes();
        [&length[1..], &[kind, flags, 0, 0, 0, 1], &vec![0xff; content]].concat()
    }

    #[test]
    fn a_request_has_ended_when_its_last_frame_is_out_whole() {
        const PING: u8 = 6;
        let preface = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".to_vec();
        let request = [frame(HEADERS, 4, 300), frame(DATA, 0, 2_000), frame(DATA, END_STREAM, 700)].concat();
        let others = [frame(PING, END_STREAM, 8), frame(4, END_STREAM, 0)].concat();
        for size in [1, 7, 9, 100, 10_000] {
            let mut end = RequestEnd::default();
            let mut ends = |bytes: &[u8]| bytes.chunks(size).filter(|part| end.is_in(part)).count();
            assert_eq!(ends(&preface), 0);
            for _ in 0..2 {
                assert_eq!(ends(&others), 0);
                assert_eq!(ends(&request[..request.len() - 1]), 0, "{size} bytes at a time");
                assert_eq!(ends(&request[request.len() - 1..]), 1);
                assert_eq!(ends(&frame(HEADERS, 4 | END_STREAM, 10)), 1);
            }
        }
    }
}
