//! The request of one attempt.

use std::borrow::Cow;

use bytes::Bytes;
use http::header::{ACCEPT, ACCEPT_ENCODING, HOST, HeaderMap, HeaderName, HeaderValue, USER_AGENT};
use http::{Method, Request, Uri};
use http_body_util::Full;
use url::Position;

use crate::domain::endpoint::Endpoint;
use crate::domain::message::Message;
use crate::sign::{ID_HEADER, SIGNATURE_HEADER, SignatureHeaders, TIMESTAMP_HEADER};

/// The `user-agent` header.
const USER_AGENT_VALUE: &str =
    concat!("Postrider/", env!("CARGO_PKG_VERSION"), " (+https://github.com/postrider/postrider)");

/// The names of the signature's headers.
const NAMES: [&str; 3] = [ID_HEADER, TIMESTAMP_HEADER, SIGNATURE_HEADER];
/// The same as Svix has them.
const SVIX_NAMES: [&str; 3] = ["svix-id", "svix-timestamp", "svix-signature"];

/// Where an endpoint's requests go, scheme, host and port, and so which connections it may use. Over one whose certificate
/// was not verified nothing goes that wants it verified.
pub(super) fn origin(endpoint: &Endpoint) -> Cow<'_, str> {
    let origin = &endpoint.url[..Position::BeforePath];
    if endpoint.policy.insecure_tls { format!("unverified {origin}").into() } else { origin.into() }
}

/// The headers of a request: the endpoint's, the message's, ours, and the signature, under the names of Svix as well where
/// that is asked for. The connection adds `host` and `content-length`.
pub fn headers_of_request(
    own: &HeaderMap,
    of_message: &HeaderMap,
    signature: &SignatureHeaders,
    svix_headers: bool,
) -> HeaderMap {
    let mut headers = own.clone();
    for (name, value) in of_message {
        headers.insert(name, value.clone());
    }
    headers.entry(ACCEPT).or_insert(HeaderValue::from_static("*/*"));
    // People read what is kept of an answer, so it must not be compressed.
    headers.insert(ACCEPT_ENCODING, HeaderValue::from_static("identity"));
    headers.insert(USER_AGENT, HeaderValue::from_static(USER_AGENT_VALUE));
    for [id, timestamp, signed] in if svix_headers { &[NAMES, SVIX_NAMES][..] } else { &[NAMES] } {
        headers.insert(HeaderName::from_static(id), signature.id.clone());
        headers.insert(HeaderName::from_static(timestamp), signature.timestamp.clone());
        headers.insert(HeaderName::from_static(signed), signature.signature.clone());
    }
    headers
}

/// The request for one attempt. The payload is shared, not copied.
///
/// # Errors
/// When HTTP cannot carry the URL.
pub(super) fn build(
    endpoint: &Endpoint,
    message: &Message,
    signature: &SignatureHeaders,
    http2: bool,
) -> Result<Request<Full<Bytes>>, http::Error> {
    let url = &endpoint.url;
    let mut request = Request::new(Full::new(message.payload.clone()));
    *request.method_mut() = Method::POST;
    let svix_headers = endpoint.policy.svix_headers;
    *request.headers_mut() = headers_of_request(&endpoint.headers, &message.headers, signature, svix_headers);
    if http2 {
        *request.uri_mut() = Uri::try_from(&url[..Position::AfterQuery])?;
    } else {
        request
            .headers_mut()
            .insert(HOST, HeaderValue::from_str(&url[Position::BeforeHost..Position::AfterPort])?);
        *request.uri_mut() = Uri::try_from(&url[Position::BeforePath..Position::AfterQuery])?;
    }
    Ok(request)
}
