//! What a receiver can do over HTTP/1.

use std::time::Duration;

use super::kind::Kind;

const SLOWLY: Duration = Duration::from_millis(50);
const CHUNKED: &str = "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n";

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
