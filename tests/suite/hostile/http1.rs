//! What a receiver can do over HTTP/1.

use std::time::Duration;

use super::kind::Kind;

const SLOWLY: Duration = Duration::from_millis(50);
const CHUNKED: &str = "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n";

/// A frame of zstd with a window of 128 MiB, and a block of 128 KiB of one letter (RFC 8878, section 3.1.1).
const ZSTD_FRAME: &[u8] = &[0x28, 0xb5, 0x2f, 0xfd, 0x00, 0x88];
const ZSTD_BLOCK: &[u8] = &[0x02, 0x00, 0x10, 0x61];
/// A stream of brotli with the largest window, and 64 MiB of one letter in eight parts (RFC 7932, section 9).
const BROTLI_STREAM: &[u8] = &[0x11, 0x1e];
const BROTLI_PARTS: &[u8] = &[
    0xff, 0xff, 0xff, 0x00, 0x80, 0x08, 0x0b, 0xfc, 0x02, 0xc0, 0xf7, 0xf4, 0x8f, 0xff, 0xff, 0x7f, 0x00,
    0x40, 0x84, 0x05, 0x7e, 0x01, 0xe0, 0x7b, 0xfa, 0xc7, 0xff, 0xff, 0x3f, 0x00, 0x20, 0xc2, 0x02, 0xbf,
    0x00, 0xf0, 0x3d, 0xfd, 0xe3, 0xff, 0xff, 0x1f, 0x00, 0x10, 0x61, 0x81, 0x5f, 0x00, 0xf8, 0x9e, 0xfe,
    0xf1, 0xff, 0xff, 0x0f, 0x00, 0x88, 0xb0, 0xc0, 0x2f, 0x00, 0x7c, 0x4f, 0xff, 0xf8, 0xff, 0xff, 0x07,
    0x00, 0x44, 0x58, 0xe0, 0x17, 0x00, 0xbe, 0xa7, 0x7f, 0xfc, 0xff, 0xff, 0x03, 0x00, 0x22, 0x2c, 0xf0,
    0x0b, 0x00, 0xdf, 0xd3, 0x3f, 0xfe, 0xff, 0xff, 0x01, 0x00, 0x11, 0x16, 0xf8, 0x05, 0x80, 0xef, 0xe9,
    0x1f,
];

/// Answers with this, and closes.
fn unfolds(name: &'static str, encoding: &str, beginning: &[u8], then: &[u8], times: usize) -> Kind {
    let body = [beginning, &then.repeat(times)].concat();
    let head =
        format!("HTTP/1.1 500 E\r\ncontent-encoding: {encoding}\r\ncontent-length: {}\r\n\r\n", body.len());
    Kind { name, first: [head.as_bytes(), &body].concat(), closes: true, ..Kind::default() }
}

/// Sends `first`, then `then` without end, as fast as it goes.
fn floods(name: &'static str, first: &str, then: &str) -> Kind {
    let repeated = then.repeat(16 * 1024 / then.len().max(1));
    Kind { name, first: first.into(), then: repeated.into(), ..Kind::default() }
}

/// Sends `first`, then `then` now and then.
fn drips(name: &'static str, first: &str, then: &str) -> Kind {
    Kind { name, first: first.into(), then: then.into(), pause: SLOWLY, ..Kind::default() }
}

pub fn kinds() -> Vec<Kind> {
    let ok = "HTTP/1.1 200 OK\r\n";
    vec![
        floods("100 Continue without end", "", "HTTP/1.1 100 Continue\r\n\r\n"),
        floods("103 Early Hints without end", "", "HTTP/1.1 103 Early Hints\r\nlink: </style.css>\r\n\r\n"),
        floods("headers without end", ok, "x-a: b\r\n"),
        floods("a header line without end", "HTTP/1.1 200 OK\r\nx-a: ", "bbbbbbbb"),
        floods("a status line without end", "HTTP/1.1 200 ", "OOOOOOOO"),
        floods("folded lines without end", "HTTP/1.1 200 OK\r\nx-a: b\r\n", " folded\r\n"),
        floods("blank lines without end", "", "\r\n"),
        floods("trailers without end", &format!("{CHUNKED}1\r\nx\r\n0\r\n"), "x-a: b\r\n"),
        floods("a chunk extension without end", &format!("{CHUNKED}1;"), "extension"),
        floods("tiny chunks without end", CHUNKED, "1\r\nx\r\n"),
        floods("a chunk size without end", CHUNKED, "00000000"),
        floods("a body without end", "HTTP/1.1 200 OK\r\ncontent-length: 999999999999\r\n\r\n", "xxxxxxxx"),
        floods("a body until the connection ends", "HTTP/1.1 200 OK\r\n\r\n", "xxxxxxxx"),
        floods("answers that nobody asked for", "", "HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n"),
        floods(
            "another protocol after 101",
            "HTTP/1.1 101 S\r\nupgrade: x\r\nconnection: upgrade\r\n\r\n",
            "xxxx",
        ),
        floods(
            "two lengths",
            "HTTP/1.1 200 OK\r\ncontent-length: 1\r\ncontent-length: 99999\r\n\r\n",
            "xxxxxxxx",
        ),
        floods("bytes that are not HTTP", "", "\u{0}\u{1}\u{2}\u{7f}"),
        drips("a head that drips", "HTTP/1.1 200 OK\r\nx-a: ", "b"),
        drips("a body that drips", CHUNKED, "1\r\nx\r\n"),
        drips("100 Continue that drips", "", "HTTP/1.1 100 Continue\r\n\r\n"),
        drips("silence", "", ""),
        drips("silence after the head", "HTTP/1.1 500 E\r\ncontent-length: 10\r\n\r\n", ""),
        unfolds("a body that unfolds to 512 MiB of zstd", "zstd", ZSTD_FRAME, ZSTD_BLOCK, 4094),
        unfolds("a body that unfolds to 1 GiB of brotli", "br", BROTLI_STREAM, BROTLI_PARTS, 16),
        Kind { closes: true, ..drips("an end at once", "", "") },
        Kind { resets: true, ..drips("a reset within the head", "HTTP/1.1 200", "") },
        Kind {
            at_once: true,
            https: true,
            ..floods("no TLS where there should be", "", "HTTP/1.1 400 B\r\n\r\n")
        },
        Kind { at_once: true, https: true, ..drips("silence instead of TLS", "", "") },
    ]
}
