//! Answers that came compressed although nobody asked for it: people read what is kept of an answer, so it is kept
//! decompressed, and no more of it than of any other.

use std::io::Read;

use brotli_decompressor::Decompressor as BrotliDecoder;
use bytes::Bytes;
use flate2::read::{DeflateDecoder, MultiGzDecoder, ZlibDecoder};
use http::{HeaderMap, header};
use ruzstd::decoding::StreamingDecoder as ZstdDecoder;

use crate::domain::delivery::attempt::RESPONSE_KEPT_BYTES;

/// What the decoder of brotli reads at a time.
const BROTLI_BUFFER_BYTES: usize = 4 << 10;

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
        Some("br") => beginning_of(BrotliDecoder::new(&*body, BROTLI_BUFFER_BYTES)),
        Some("zstd") => ZstdDecoder::new(&*body).ok().and_then(beginning_of),
        _ => None,
    };
    decompressed.unwrap_or(body)
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

    #[test]
    fn a_body_without_its_end_is_shown_as_far_as_it_goes() {
        let text: Vec<u8> =
            (0..20_000_u32).flat_map(|number| (number * 7_919 % 65_521).to_le_bytes()).collect();
        let whole = gzip(&text);
        let shown = readable(&headers("gzip"), whole.slice(..whole.len() / 8));
        assert!(shown.len() > 1_000 && text.starts_with(&shown), "{}", shown.len());
    }
}
