//! What HTTP/2 frames cost beyond their bytes. Each takes processor time however short it is, and a receiver can send
//! thousands of empty ones within the bytes that an exchange allows.

/// The bytes of a frame's head (RFC 9113, section 4.1).
const HEAD_BYTES: usize = 9;
/// A frame counts as so many more bytes than it has. Some receivers answer each 4 KiB of a large request with two frames
/// that open the window again, which must stay within the allowance.
const FRAME_COST_BYTES: usize = 16;
/// So does a frame that begins a head: a head is decoded, and may be an informational answer, one of many.
const HEADERS_COST_BYTES: usize = 256;
const HEADERS: u8 = 1;

/// Follows the frames in what comes in.
#[derive(Debug, Default)]
pub(super) struct FrameCost {
    head: [u8; HEAD_BYTES],
    /// How much of the head is there.
    filled: usize,
    /// How much of the frame's content has yet to come.
    content_left: usize,
}

impl FrameCost {
    /// What these bytes, which follow those before, cost beyond their number.
    pub(super) fn of(&mut self, mut bytes: &[u8]) -> usize {
        let mut cost = 0;
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
                let [high, middle, low, kind, ..] = self.head;
                self.content_left = usize::from(high) << 16 | usize::from(middle) << 8 | usize::from(low);
                self.filled = 0;
                cost += if kind == HEADERS { HEADERS_COST_BYTES } else { FRAME_COST_BYTES };
            }
        }
        cost
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn frame(kind: u8, content: usize) -> Vec<u8> {
        let length = u32::try_from(content).unwrap().to_be_bytes();
        [&length[1..], &[kind, 0, 0, 0, 0, 1], &vec![0xff; content]].concat()
    }

    #[test]
    fn every_frame_costs_something_wherever_the_reads_cut_it() {
        let bytes = [frame(4, 0), frame(HEADERS, 12), frame(0, 70_000), frame(8, 4)].concat();
        for size in [1, 2, 7, 9, 13, 1000, bytes.len()] {
            let mut frames = FrameCost::default();
            let cost: usize = bytes.chunks(size).map(|read| frames.of(read)).sum();
            assert_eq!(cost, 3 * FRAME_COST_BYTES + HEADERS_COST_BYTES, "{size} bytes at a time");
        }
    }

    #[test]
    fn content_is_not_taken_for_frames() {
        let mut frames = FrameCost::default();
        assert_eq!(frames.of(&frame(0, 100)), FRAME_COST_BYTES);
        assert_eq!(frames.of(&frame(0, 0)), FRAME_COST_BYTES);
    }
}
