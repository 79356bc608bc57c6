//! Which headers an endpoint may set for itself, and which of them are hidden when they are read back.
//!
//! What we set ourselves, what belongs to the connection, and what cloud metadata services take as a password
//! cannot be set: an endpoint's owner is not trusted with them.

use http::header::{CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue};

/// An endpoint has at most this many headers.
pub const MAX_HEADERS: usize = 64;
/// A header's name and value together are at most this long.
pub const MAX_HEADER_BYTES: usize = 4 * 1024;

/// Names that cannot be set.
const FORBIDDEN: [&str; 23] = [
    "accept-encoding",
    "connection",
    "expect",
    "forwarded",
    "host",
    "http2-settings",
    "keep-alive",
    "metadata",
    "metadata-flavor",
    "te",
    "trailer",
    "transfer-encoding",
    "true-client-ip",
    "upgrade",
    "user-agent",
    "via",
    "x-client-ip",
    "x-cluster-client-ip",
    "x-google-metadata-request",
    "x-identity-header",
    "x-original-url",
    "x-real-ip",
    "x-rewrite-url",
];

/// Beginnings of names that cannot be set.
const FORBIDDEN_PREFIXES: [&str; 7] =
    ["content-", "proxy-", "svix-", "webhook-", "x-aws-ec2-metadata-", "x-forwarded-", "cf-connecting-"];

/// Parts of names whose values are secrets.
const SENSITIVE_PARTS: [&str; 9] = [
    "authorization",
    "cookie",
    "api-key",
    "apikey",
    "token",
    "secret",
    "password",
    "credential",
    "signature",
];

/// Words of names whose values are secrets: `x-auth`, `auth-key`, `x-access-key`.
const SENSITIVE_WORDS: [&str; 8] = ["auth", "key", "pass", "passwd", "pwd", "jwt", "bearer", "session"];

/// A header that an endpoint cannot have.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InvalidHeader {
    /// Not a name that HTTP allows.
    #[error("{0:?} is not a header name")]
    Name(String),
    /// A name that is not the endpoint's to set.
    #[error("the header {0} cannot be set")]
    Forbidden(HeaderName),
    /// A value with line breaks, control characters or anything but ASCII.
    #[error("the value of the header {0} is not plain ASCII text")]
    Value(HeaderName),
    /// Longer than [`MAX_HEADER_BYTES`].
    #[error("the header {0} is longer than {MAX_HEADER_BYTES} bytes")]
    TooLong(HeaderName),
    /// The same name twice, differing in case.
    #[error("the header {0} is given twice")]
    Repeated(HeaderName),
    /// More than [`MAX_HEADERS`].
    #[error("an endpoint has at most {MAX_HEADERS} headers")]
    TooMany,
}

/// Reads one header of an endpoint.
///
/// # Errors
/// [`InvalidHeader`] says which rule it breaks.
pub fn parse(name: &str, value: &str) -> Result<(HeaderName, HeaderValue), InvalidHeader> {
    let (name, value) = parse_any(name, value)?;
    if is_forbidden(&name) { Err(InvalidHeader::Forbidden(name)) } else { Ok((name, value)) }
}

/// Reads one header, whoever may set it.
///
/// # Errors
/// [`InvalidHeader`] says which rule of HTTP it breaks, or that it is too long.
pub fn parse_any(name: &str, value: &str) -> Result<(HeaderName, HeaderValue), InvalidHeader> {
    let shown = || name.chars().take(64).collect();
    let parsed = HeaderName::from_bytes(name.as_bytes()).map_err(|_| InvalidHeader::Name(shown()))?;
    if name.len() + value.len() > MAX_HEADER_BYTES {
        return Err(InvalidHeader::TooLong(parsed));
    }
    match HeaderValue::from_str(value.trim_matches([' ', '\t'])) {
        Ok(value) if value.to_str().is_ok() => Ok((parsed, value)),
        _ => Err(InvalidHeader::Value(parsed)),
    }
}

/// Reads all headers of an endpoint.
///
/// # Errors
/// [`InvalidHeader`] for the first that breaks a rule.
pub fn parse_all<'a>(
    pairs: impl IntoIterator<Item = (&'a str, &'a str)>,
) -> Result<HeaderMap, InvalidHeader> {
    let mut headers = HeaderMap::new();
    for (name, value) in pairs {
        let (name, value) = parse(name, value)?;
        if headers.contains_key(&name) {
            return Err(InvalidHeader::Repeated(name));
        }
        if headers.len() == MAX_HEADERS {
            return Err(InvalidHeader::TooMany);
        }
        headers.insert(name, value);
    }
    Ok(headers)
}

/// What stands in every request to an endpoint, besides its signature: the headers of its own, those left out that it
/// may not set, whoever stored them, and what the body is.
pub fn of_requests(own: HeaderMap) -> HeaderMap {
    let mut headers = HeaderMap::with_capacity(own.len() + 8);
    for (name, mut value) in own.into_iter().filter_map(|(name, value)| Some((name?, value))) {
        if !is_forbidden(&name) {
            // Keeps it out of HPACK's table.
            value.set_sensitive(is_sensitive(&name));
            headers.insert(name, value);
        }
    }
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    headers
}

/// Whether an endpoint may not set this header. Names are lower case already. Many servers (CGI, WSGI) take `_` and `-`
/// for the same, so that `webhook_id` would be read as `webhook-id`.
pub fn is_forbidden(name: &HeaderName) -> bool {
    let name = name.as_str().replace('_', "-");
    FORBIDDEN.contains(&name.as_str()) || FORBIDDEN_PREFIXES.iter().any(|prefix| name.starts_with(prefix))
}

/// Whether the value is hidden when the endpoint's headers are read.
pub fn is_sensitive(name: &HeaderName) -> bool {
    let name = name.as_str().replace('_', "-");
    SENSITIVE_PARTS.iter().any(|part| name.contains(part))
        || name.split('-').any(|word| SENSITIVE_WORDS.contains(&word))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_endpoint_may_set_its_own_headers() {
        for name in ["Authorization", "Cookie", "X-Api-Key", "X-Tenant", "accept", "x-amz-target"] {
            assert!(parse(name, " Bearer x ").is_ok_and(|(_, value)| value == "Bearer x"), "{name}");
        }
    }

    #[test]
    fn ours_and_the_connections_and_the_clouds_are_refused() {
        for name in [
            "Host",
            "content-length",
            "Content-Type",
            "User-Agent",
            "Webhook-Id",
            "svix-signature",
            "Connection",
            "Transfer-Encoding",
            "TE",
            "Proxy-Authorization",
            "X-Forwarded-For",
            "Metadata-Flavor",
            "Metadata",
            "X-aws-ec2-metadata-token",
            "X-Google-Metadata-Request",
            "webhook_id",
            "Content_Length",
            "X_Forwarded-For",
            "user_agent",
        ] {
            assert!(matches!(parse(name, "x"), Err(InvalidHeader::Forbidden(_))), "{name}");
        }
    }

    #[test]
    fn a_value_cannot_smuggle_another_header() {
        for value in ["a\r\nhost: b", "a\nb", "a\0b", "\u{7f}", "ü"] {
            assert!(matches!(parse("x-a", value), Err(InvalidHeader::Value(_))), "{value:?}");
        }
        for name in ["", "x a", "x:a", "x\r\na", "ü"] {
            assert!(matches!(parse(name, "x"), Err(InvalidHeader::Name(_))), "{name:?}");
        }
        assert!(matches!(parse("x-a", &"a".repeat(MAX_HEADER_BYTES)), Err(InvalidHeader::TooLong(_))));
    }

    #[test]
    fn a_set_of_headers_is_bounded_and_without_repeats() {
        assert!(matches!(parse_all([("X-A", "1"), ("x-a", "2")]), Err(InvalidHeader::Repeated(_))));
        let names: Vec<String> = (0..=MAX_HEADERS).map(|n| format!("x-{n}")).collect();
        let pairs = || names.iter().map(|name| (name.as_str(), "1"));
        assert_eq!(parse_all(pairs()), Err(InvalidHeader::TooMany));
        assert_eq!(parse_all(pairs().take(MAX_HEADERS)).map(|headers| headers.len()), Ok(MAX_HEADERS));
    }

    #[test]
    fn secrets_are_sensitive() {
        for name in [
            "authorization",
            "cookie",
            "x-api-key",
            "x-auth-token",
            "x-my-secret",
            "x-hub-signature",
            "x-auth",
            "x_auth",
            "api_key",
            "access-key",
        ] {
            assert!(is_sensitive(&HeaderName::from_static(name)), "{name}");
        }
        for name in ["x-tenant", "x-author", "x-keyboard"] {
            assert!(!is_sensitive(&HeaderName::from_static(name)), "{name}");
        }
    }
}
