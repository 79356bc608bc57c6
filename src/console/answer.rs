//! A file as an answer: in the smallest form that the browser takes, with how long it may be kept, and with what it may do.

use axum::body::Body;
use axum::response::Response;
use bytes::Bytes;
use http::request::Parts;
use http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header};

use super::file::{File, FileKind};

/// Of our own origin alone. Inboxes and look-ups are asked over the API of the same origin, logos are images of it.
const POLICY: &str = "default-src 'self'; img-src 'self' data:; object-src 'none'; base-uri 'self'; form-action 'self'; \
                      frame-ancestors ";
/// A name after its contents never means anything else.
const FOR_EVER: &str = "public, max-age=31536000, immutable";
/// Kept, and asked for again each time.
const ASK_AGAIN: &str = "no-cache";

/// Headers that every file has. The link of a portal has its token behind the `#`, which no referrer has either.
const FIXED: [(HeaderName, &str); 3] = [
    (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    (header::REFERRER_POLICY, "no-referrer"),
    (HeaderName::from_static("cross-origin-opener-policy"), "same-origin"),
];

/// The answer to a GET or HEAD of a file.
pub(super) fn of_file(file: &File, request: &Parts, embed_origins: &[String]) -> Response {
    let mut headers = HeaderMap::new();
    for (name, value) in FIXED {
        headers.insert(name, HeaderValue::from_static(value));
    }
    let kept = if file.kind == FileKind::Hashed { FOR_EVER } else { ASK_AGAIN };
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static(kept));
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(file.content_type));
    headers.insert(header::ETAG, file.etag.clone());
    headers.insert(header::CONTENT_SECURITY_POLICY, policy(file.kind, embed_origins));
    if file.kind == FileKind::Console {
        headers.insert(header::X_FRAME_OPTIONS, HeaderValue::from_static("DENY"));
    }
    if !file.encoded.is_empty() {
        headers.insert(header::VARY, HeaderValue::from_static("accept-encoding"));
    }
    if is_known(&request.headers, &file.etag) {
        headers.remove(header::CONTENT_TYPE);
        return response(StatusCode::NOT_MODIFIED, headers, Body::empty());
    }
    let (encoding, bytes) = form(file, &request.headers);
    if let Some(encoding) = encoding {
        headers.insert(header::CONTENT_ENCODING, HeaderValue::from_static(encoding));
    }
    headers.insert(header::CONTENT_LENGTH, HeaderValue::from(bytes.len()));
    let body = if request.method == Method::HEAD { Body::empty() } else { Body::from(bytes) };
    response(StatusCode::OK, headers, body)
}

fn response(status: StatusCode, headers: HeaderMap, body: Body) -> Response {
    let mut response = Response::new(body);
    *response.status_mut() = status;
    *response.headers_mut() = headers;
    response
}

fn policy(kind: FileKind, embed_origins: &[String]) -> HeaderValue {
    let parents = if kind == FileKind::Portal && !embed_origins.is_empty() {
        embed_origins.join(" ")
    } else {
        "'none'".to_owned()
    };
    let closed = || HeaderValue::from_static("default-src 'none'; frame-ancestors 'none'");
    HeaderValue::from_str(&format!("{POLICY}{parents}")).unwrap_or_else(|_| closed())
}

fn is_known(headers: &HeaderMap, etag: &HeaderValue) -> bool {
    let known = headers.get_all(header::IF_NONE_MATCH).iter().filter_map(|value| value.to_str().ok());
    let bare = |text: &str| text.trim().trim_start_matches("W/").to_owned();
    known
        .flat_map(|value| value.split(','))
        .any(|known| known.trim() == "*" || bare(known).as_bytes() == etag)
}

/// The smallest form that is accepted; what is not named is not.
fn form(file: &File, headers: &HeaderMap) -> (Option<&'static str>, Bytes) {
    let said = headers.get_all(header::ACCEPT_ENCODING).iter().filter_map(|value| value.to_str().ok());
    let accepted: Vec<&str> = said
        .flat_map(|value| value.split(','))
        .filter_map(|entry| {
            let (name, quality) = entry.split_once(';').unwrap_or((entry, "q=1"));
            let weight =
                quality.trim().strip_prefix("q=").and_then(|weight| weight.trim().parse::<f32>().ok());
            weight.is_some_and(|weight| weight > 0.0).then(|| name.trim())
        })
        .collect();
    let smallest =
        file.encoded.iter().find(|(name, _)| accepted.iter().any(|it| it.eq_ignore_ascii_case(name)));
    smallest.map_or((None, file.plain.clone()), |(name, bytes)| (Some(*name), bytes.clone()))
}
