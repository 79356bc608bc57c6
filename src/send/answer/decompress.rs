//! Answers that came compressed although nobody asked for it: people read what is kept of an answer, so it is kept
//! decompressed, and no more of it than of any other.
//!
//! What is read of a decoder is not what it makes: it may hold back everything that it has decoded until its window is
//! full. So windows are bounded, and with them the memory and the time that a few bytes can take.

use std::io::Read;

use brotli_decompressor::reader::DecompressorCustomAlloc;
use brotli_decompressor::{Allocator, StandardAlloc};
use bytes::Bytes;
use flate2::read::{DeflateDecoder, MultiGzDecoder, ZlibDecoder};
use http::{HeaderMap, header};
use ruzstd::decoding::StreamingDecoder as ZstdDecoder;

use crate::domain::delivery::attempt::RESPONSE_KEPT_BYTES;

/// What the decoder of brotli reads at a time.
const BROTLI_BUFFER_BYTES: usize = 4 << 10;
/// What a decoder may hold of what it has decoded. The usual tools ask for no more, and what asks for more stays as it came.
const MAX_WINDOW_BYTES: usize = 2 << 20;

/// The body as it is kept. What cannot be decompressed stays as it came. The end may be missing, as only the beginning of a
/// body is kept.
pub(super) fn readable(headers: &HeaderMap, body: Bytes) -> Bytes {
    let encoding = headers.get(header::CONTENT_ENCODING).and_then(|value| value.to_str().ok());
    let decompressed = match encoding.map(|text| text.trim().to_ascii_lowercase()).as_deref() {
        Some("gzip" | "x-gzip") => beginning_of(MultiGzDecoder::new(&*body)),
        // It is zlib (RFC 9110, section 8.4.1.2), but some send the bare stream.
        Some("deflate") => {
            beginning_of(ZlibDecoder::new(&*body)).or_else(|| beginning_of(DeflateDecoder::new(&*body)))
        }
        Some("br") => beginning_of(brotli_decoder(&body)),
        Some("zstd") => {
            ZstdDecoder::new_with_max_window_size(&*body, MAX_WINDOW_BYTES as u64).ok().and_then(beginning_of)
        }
        _ => None,
    };
    decompressed.unwrap_or(body)
}

fn brotli_decoder(body: &[u8]) -> impl Read {
    let [for_bytes, for_trees, for_codes] = [BoundedAlloc; 3];
    let buffer = StandardAlloc::default().alloc_cell(BROTLI_BUFFER_BYTES);
    DecompressorCustomAlloc::new(body, buffer, for_bytes, for_trees, for_codes)
}

/// Gives the decoder of brotli no cell that is larger than a window may be. Without it the decoder ends with an error.
#[derive(Clone, Copy)]
struct BoundedAlloc;

impl<T: Clone + Default> Allocator<T> for BoundedAlloc {
    type AllocatedMemory = <StandardAlloc as Allocator<T>>::AllocatedMemory;

    fn alloc_cell(&mut self, length: usize) -> Self::AllocatedMemory {
        let fits = length.saturating_mul(size_of::<T>()) <= MAX_WINDOW_BYTES;
        StandardAlloc::default().alloc_cell(if fits { length } else { 0 })
    }

    fn free_cell(&mut self, cell: Self::AllocatedMemory) {
        drop(cell);
    }
}

/// As much as is kept of a body; `None` when nothing could be read.
fn beginning_of(stream: impl Read) -> Option<Bytes> {
    let mut read = Vec::new();
    // An error after something was read is the end of what is there.
    stream.take(RESPONSE_KEPT_BYTES as u64).read_to_end(&mut read).ok();
    (!read.is_empty()).then(|| read.into())
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use flate2::Compression;
    use flate2::write::{DeflateEncoder, GzEncoder, ZlibEncoder};
    use http::HeaderValue;

    use super::*;

    const TEXT: &[u8] = b"{\"error\": \"out of order\"}";
    /// The text, as the usual tools compress it.
    const BROTLI: &[u8] = &[
        0x0b, 0x0c, 0x80, 0x7b, 0x22, 0x65, 0x72, 0x72, 0x6f, 0x72, 0x22, 0x3a, 0x20, 0x22, 0x6f, 0x75, 0x74,
        0x20, 0x6f, 0x66, 0x20, 0x6f, 0x72, 0x64, 0x65, 0x72, 0x22, 0x7d, 0x03,
    ];
    const ZSTD: &[u8] = &[
        0x28, 0xb5, 0x2f, 0xfd, 0x00, 0x58, 0xc9, 0x00, 0x00, 0x7b, 0x22, 0x65, 0x72, 0x72, 0x6f, 0x72, 0x22,
        0x3a, 0x20, 0x22, 0x6f, 0x75, 0x74, 0x20, 0x6f, 0x66, 0x20, 0x6f, 0x72, 0x64, 0x65, 0x72, 0x22, 0x7d,
    ];

    fn headers(encoding: &'static str) -> HeaderMap {
        HeaderMap::from_iter([(header::CONTENT_ENCODING, HeaderValue::from_static(encoding))])
    }

    fn gzip(text: &[u8]) -> Bytes {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
        encoder.write_all(text).unwrap();
        encoder.finish().unwrap().into()
    }

    #[test]
    fn compressed_answers_are_shown_as_text() {
        let mut zlib = ZlibEncoder::new(Vec::new(), Compression::default());
        zlib.write_all(TEXT).unwrap();
        let mut bare = DeflateEncoder::new(Vec::new(), Compression::default());
        bare.write_all(TEXT).unwrap();
        for (encoding, body) in [
            ("gzip", gzip(TEXT)),
            ("X-GZip", gzip(TEXT)),
            ("deflate", zlib.finish().unwrap().into()),
            ("deflate", bare.finish().unwrap().into()),
            ("br", BROTLI.into()),
            ("zstd", ZSTD.into()),
            ("identity", TEXT.into()),
            ("br", TEXT.into()),
            ("zstd", TEXT.into()),
            ("gzip", TEXT.into()),
        ] {
            assert_eq!(readable(&headers(encoding), body), TEXT, "{encoding}");
        }
        assert_eq!(readable(&HeaderMap::new(), TEXT.into()), TEXT);
    }

    #[test]
    fn however_much_is_in_it_no_more_than_usual_is_kept() {
        let bomb = gzip(&vec![b'a'; 64 << 20]);
        assert_eq!(readable(&headers("gzip"), bomb.slice(..16 * 1024)).len(), RESPONSE_KEPT_BYTES);
    }

    /// Bits as brotli has them, the lowest first.
    #[derive(Default)]
    struct Bits {
        bytes: Vec<u8>,
        count: usize,
    }

    impl Bits {
        fn put(&mut self, count: usize, value: u32) {
            for bit in 0..count {
                if self.count.is_multiple_of(8) {
                    self.bytes.push(0);
                }
                *self.bytes.last_mut().unwrap() |= u8::from(value >> bit & 1 == 1) << (self.count % 8);
                self.count += 1;
            }
        }
    }

    /// As many pieces as these of 8 MiB of one letter, each in some twenty bytes (RFC 7932, section 9.2), after the bits that
    /// tell the window.
    fn brotli_of_one_letter(window: &[(usize, u32)], pieces: usize, distance_symbol_bits: usize) -> Bytes {
        const PIECE: u32 = 8 << 20;
        let mut bits = Bits::default();
        window.iter().for_each(|(count, value)| bits.put(*count, *value));
        for _ in 0..pieces {
            // Not the last; its length in six nibbles; compressed.
            bits.put(1, 0);
            bits.put(2, 2);
            bits.put(24, PIECE - 1);
            bits.put(1, 0);
            // One block type each, no postfix, no direct distances, one context, one tree each.
            bits.put(3 + 2 + 4 + 2 + 2, 0);
            // Codes of one symbol: the letter; 23 as insert length with the least copy length; any distance.
            for (symbol_bits, symbol) in [(8, u32::from(b'a')), (10, 504), (distance_symbol_bits, 0)] {
                bits.put(2 + 2, 1);
                bits.put(symbol_bits, symbol);
            }
            // What is inserted beyond the least length of that symbol.
            bits.put(24, PIECE - 22_594);
        }
        // The last, empty.
        bits.put(2, 3);
        bits.bytes.into()
    }

    #[test]
    fn a_decoder_that_would_hold_much_of_what_it_decodes_is_not_begun_with() {
        let zstd =
            [&[0x28, 0xb5, 0x2f, 0xfd, 0x00, 0x88][..], &[0x02, 0x00, 0x10, 0x61].repeat(4094)].concat();
        let large_window = [(1, 1), (3, 0), (3, 1), (1, 0), (6, 30)];
        let usual_window = [(1, 1), (3, 7)];
        for (encoding, body) in [
            ("zstd", zstd.into()),
            ("br", brotli_of_one_letter(&large_window, 8, 8)),
            ("br", brotli_of_one_letter(&usual_window, 8, 6)),
        ] {
            assert_eq!(readable(&headers(encoding), body.clone()), body, "{encoding}");
        }
    }

    #[test]
    fn a_body_without_its_end_is_shown_as_far_as_it_goes() {
        let text: Vec<u8> =
            (0..20_000_u32).flat_map(|number| (number * 7_919 % 65_521).to_le_bytes()).collect();
        let whole = gzip(&text);
        let shown = readable(&headers("gzip"), whole.slice(..whole.len() / 8));
        assert!(shown.len() > 1_000 && text.starts_with(&shown), "{}", shown.len());
    }
}
