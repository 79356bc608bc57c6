//! The request of one attempt.

use bytes::Bytes;
use http::header::{ACCEPT, ACCEPT_ENCODING, HOST, HeaderMap, HeaderName, HeaderValue, USER_AGENT};
use http::{Method, Request, Uri};
use http_body_util::Full;
use url::{Position, Url};

use crate::domain::endpoint::Endpoint;
use crate::domain::message::Message;
use crate::sign::{ID_HEADER, SIGNATURE_HEADER, SignatureHeaders, TIMESTAMP_HEADER};

/// The `user-agent` header.
const USER_AGENT_VALUE: &str =
    concat!("Postrider/", env!("CARGO_PKG_VERSION"), " (+https://github.com/postrider/postrider)");

/// Where a URL's requests go: scheme, host and port.
pub(super) fn origin(url: &Url) -> &str {
    &url[..Position::BeforePath]
}

/// The headers of a request: the endpoint's, ours, and the signature. The connection adds `host` and `content-length`.
pub fn headers_of_request(own: &HeaderMap, signature: &SignatureHeaders) -> HeaderMap {
    let mut headers = own.clone();
    headers.entry(ACCEPT).or_insert(HeaderValue::from_static("*/*"));
    // People read what is kept of an answer, so it must not be compressed.
    headers.insert(ACCEPT_ENCODING, HeaderValue::from_static("identity"));
    headers.insert(USER_AGENT, HeaderValue::from_static(USER_AGENT_VALUE));
    headers.insert(HeaderName::from_static(ID_HEADER), signature.id.clone());
    headers.insert(HeaderName::from_static(TIMESTAMP_HEADER), signature.timestamp.clone());
    headers.insert(HeaderName::from_static(SIGNATURE_HEADER), signature.signature.clone());
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
    *request.headers_mut() = headers_of_request(&endpoint.headers, signature);
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
