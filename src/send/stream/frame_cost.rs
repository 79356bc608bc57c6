//! What HTTP/2 frames cost beyond their bytes. Each takes processor time however short it is, and a receiver can send
//! thousands of empty ones within the bytes that an exchange allows.

use super::frames::{Frames, HEADERS};

/// A frame counts as so many more bytes than it has. Some receivers answer each 4 KiB of a large request with two frames
/// that open the window again, which must stay within the allowance.
const FRAME_COST_BYTES: usize = 16;
/// So does a frame that begins a head: a head is decoded, and may be an informational answer, one of many.
const HEADERS_COST_BYTES: usize = 256;

/// Follows the frames in what comes in.
#[derive(Debug, Default)]
pub(super) struct FrameCost(Frames);

impl FrameCost {
    /// What these bytes, which follow those before, cost beyond their number.
    pub(super) fn of(&mut self, bytes: &[u8]) -> usize {
        let mut cost = 0;
        self.0.follow(bytes, |kind, _| {
            cost += if kind == HEADERS { HEADERS_COST_BYTES } else { FRAME_COST_BYTES };
        });
        cost
    }
}

#[cfg(test)]
mod tests {
    use crate::send::stream::frames::tests::frame;

    use super::*;

    #[test]
    fn every_frame_costs_something_wherever_the_reads_cut_it() {
        let bytes = [frame(4, 0, 0), frame(HEADERS, 0, 12), frame(0, 0, 70_000), frame(8, 0, 4)].concat();
        for size in [1, 2, 7, 9, 13, 1000, bytes.len()] {
            let mut frames = FrameCost::default();
            let cost: usize = bytes.chunks(size).map(|read| frames.of(read)).sum();
            assert_eq!(cost, 3 * FRAME_COST_BYTES + HEADERS_COST_BYTES, "{size} bytes at a time");
        }
    }

    #[test]
    fn content_is_not_taken_for_frames() {
        let mut frames = FrameCost::default();
        assert_eq!(frames.of(&frame(0, 0, 100)), FRAME_COST_BYTES);
        assert_eq!(frames.of(&frame(0, 0, 0)), FRAME_COST_BYTES);
    }
}
