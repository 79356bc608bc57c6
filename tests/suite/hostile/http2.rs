//! What a receiver can do over HTTP/2, frame by frame (RFC 9113).

use std::time::Duration;

use super::kind::Kind;

const DATA: u8 = 0;
const HEADERS: u8 = 1;
const PRIORITY: u8 = 2;
const RST_STREAM: u8 = 3;
const SETTINGS: u8 = 4;
const PUSH_PROMISE: u8 = 5;
const PING: u8 = 6;
const GOAWAY: u8 = 7;
const WINDOW_UPDATE: u8 = 8;
const CONTINUATION: u8 = 9;
const UNKNOWN: u8 = 0xfa;

const END_STREAM: u8 = 1;
const END_HEADERS: u8 = 4;

/// `:status: 200`, from HPACK's static table.
const STATUS_200: &[u8] = &[0x88];
/// `:status: 103`, spelled out.
const STATUS_103: &[u8] = &[0x08, 3, b'1', b'0', b'3'];

fn frame(kind: u8, flags: u8, stream: u32, payload: &[u8]) -> Vec<u8> {
    let length = u32::try_from(payload.len()).unwrap().to_be_bytes();
    [&length[1..], &[kind, flags], &stream.to_be_bytes(), payload].concat()
}

/// After the opening frames sends `first`, then `then` without end.
fn floods(name: &'static str, first: &[&[u8]], then: &[u8]) -> Kind {
    let opening = frame(SETTINGS, 0, 0, &[]);
    let repeated = then.repeat((16 * 1024 / then.len().max(1)).max(1));
    Kind { name, http2: true, first: [opening, first.concat()].concat(), then: repeated, ..Kind::default() }
}

/// The same, now and then.
fn drips(name: &'static str, first: &[&[u8]], then: &[u8]) -> Kind {
    Kind { then: then.to_vec(), pause: Duration::from_millis(50), ..floods(name, first, then) }
}

pub fn kinds() -> Vec<Kind> {
    let head = frame(HEADERS, END_HEADERS, 1, STATUS_200);
    let hints = frame(HEADERS, END_HEADERS, 1, STATUS_103);
    let ping = frame(PING, 0, 0, &[7; 8]);
    // A field of 2,000 bytes into the dynamic table, then a head that names it over and over.
    let field = [&[0x40, 1, b'x', 0x7f, 0xd1, 0x0e][..], &[b'v'; 2000]].concat();
    let bomb = [STATUS_103, &[0xbe; 4000]].concat();
    let whole = frame(HEADERS, END_HEADERS | END_STREAM, 1, STATUS_200);
    vec![
        floods("103 without end", &[], &hints),
        drips("103 that drips", &[], &hints),
        floods("pings without end", &[], &ping),
        drips("pings that drip", &[], &ping),
        floods("pings within the body", &[&head], &ping),
        floods("pings after the answer", &[&whole], &ping),
        floods("settings without end", &[], &frame(SETTINGS, 0, 0, &[0, 3, 0, 0, 0, 100])),
        floods("window updates without end", &[], &frame(WINDOW_UPDATE, 0, 0, &[0, 0, 0, 1])),
        floods("priorities without end", &[], &frame(PRIORITY, 0, 1, &[0, 0, 0, 3, 0])),
        floods("frames of no known kind", &[], &frame(UNKNOWN, 0, 0, &[0; 64])),
        floods(
            "continuations without end",
            &[&frame(HEADERS, 0, 1, STATUS_200)],
            &frame(CONTINUATION, 0, 1, &[]),
        ),
        floods(
            "fields without end",
            &[&frame(HEADERS, 0, 1, STATUS_200)],
            &frame(CONTINUATION, 0, 1, &[0, 1, b'a', 1, b'b']),
        ),
        floods(
            "fields that unfold",
            &[&frame(HEADERS, END_HEADERS, 1, &[STATUS_103, &field].concat())],
            &frame(HEADERS, END_HEADERS, 1, &bomb),
        ),
        floods("promises without end", &[], &frame(PUSH_PROMISE, END_HEADERS, 1, &[0, 0, 0, 2, 0x88])),
        floods("resets without end", &[], &frame(RST_STREAM, 0, 1, &[0, 0, 0, 0])),
        floods("a body beyond the window", &[&head], &frame(DATA, 0, 1, &[b'x'; 16_000])),
        floods("empty data without end", &[&head], &frame(DATA, 0, 1, &[])),
        drips("a body that drips", &[&head], &frame(DATA, 0, 1, b"x")),
        drips("silence", &[], &[]),
        drips("silence after the head", &[&head], &[]),
        drips("no window for the request", &[&frame(SETTINGS, 0, 0, &[0, 4, 0, 0, 0, 0])], &[]),
        drips("goodbye, and then silence", &[&frame(GOAWAY, 0, 0, &[0; 8])], &[]),
        Kind { closes: true, ..drips("an end at once", &[], &[]) },
        Kind { at_once: true, ..floods("pings before anything", &[], &frame(PING, 0, 0, &[1; 8])) },
    ]
}
