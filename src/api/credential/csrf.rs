//! What keeps pages of other sites from using a session.
//!
//! A browser sends the cookie with whatever any page asks of us. So a request by cookie that may change something must
//! carry the session's CSRF token, which only pages of our own can read, and must not come from another origin.

use http::Method;
use http::header::{self, HeaderValue};
use http::request::Parts;
use subtle::ConstantTimeEq;
use url::{Origin, Url};

use crate::api::error::ApiError;
use crate::domain::access::opaque_token::OpaqueToken;

use super::cookie::Cookies;

/// The header of the CSRF token.
const CSRF_HEADER: &str = "postrider-csrf";
const CSRF_PURPOSE: &str = "postrider csrf 1";
const CSRF_FAILED: ApiError = ApiError::Refused {
    code: "csrf_failed",
    detail: "A request by cookie needs the session's CSRF token, and must come from the console itself.",
};

/// What a page must show besides the session's cookie.
pub(in crate::api) fn csrf_token(session: &OpaqueToken) -> OpaqueToken {
    session.derived(CSRF_PURPOSE)
}

impl Cookies {
    /// # Errors
    /// [`ApiError::Refused`] when a page of another origin asks. A request without an origin is no page's, or an old
    /// browser's.
    pub(in crate::api) fn check_origin(&self, parts: &Parts) -> Result<(), ApiError> {
        if !parts.headers.contains_key(header::ORIGIN) {
            return Ok(());
        }
        let origin = origin_of(parts).ok_or(CSRF_FAILED)?;
        if origin == self.origin || is_own_host(&origin, parts) { Ok(()) } else { Err(CSRF_FAILED) }
    }

    /// # Errors
    /// [`ApiError::Refused`] unless the request by this session's cookie comes from a page of our own, or changes nothing.
    pub(in crate::api) fn check_csrf(&self, parts: &Parts, session: &OpaqueToken) -> Result<(), ApiError> {
        if [Method::GET, Method::HEAD].contains(&parts.method) {
            return Ok(());
        }
        let said = parts.headers.get(CSRF_HEADER).map(HeaderValue::as_bytes).unwrap_or_default();
        let wanted = csrf_token(session);
        if !bool::from(said.ct_eq(wanted.reveal().as_bytes())) {
            return Err(CSRF_FAILED);
        }
        self.check_origin(parts)
    }
}

/// Whether a page asks that came by TLS, as its browser says. Behind a proxy only that knows.
pub(in crate::api) fn comes_by_https(parts: &Parts) -> bool {
    matches!(origin_of(parts), Some(Origin::Tuple(scheme, ..)) if scheme == "https")
}

/// The page's origin, if it has one that can be named.
fn origin_of(parts: &Parts) -> Option<Origin> {
    let said = parts.headers.get(header::ORIGIN)?.to_str().ok()?;
    Url::parse(said).ok().map(|url| url.origin()).filter(Origin::is_tuple)
}

/// Whether the origin is the host that was asked. Behind a proxy only that knows whether it is `https`.
fn is_own_host(origin: &Origin, parts: &Parts) -> bool {
    let named = parts.headers.get(header::HOST).and_then(|host| host.to_str().ok());
    let host = parts.uri.authority().map(http::uri::Authority::as_str).or(named);
    let Origin::Tuple(scheme, ..) = origin else { return false };
    let own = host.and_then(|host| Url::parse(&format!("{scheme}://{host}")).ok());
    own.is_some_and(|own| own.origin() == *origin)
}

#[cfg(test)]
mod tests {
    use http::Request;

    use super::*;

    fn cookies(public_url: &str) -> Cookies {
        Cookies::new(&public_url.parse().unwrap())
    }

    fn request(method: &str, headers: &[(&str, &str)]) -> Parts {
        let request = Request::builder().method(method).uri("/api/v1/app");
        let request = headers.iter().fold(request, |request, (name, value)| request.header(*name, *value));
        request.body(()).unwrap().into_parts().0
    }

    #[test]
    fn what_changes_something_needs_the_token_of_its_session() {
        let (cookies, session) = (cookies("https://h/"), OpaqueToken::generate());
        let (own, other) = (csrf_token(&session), csrf_token(&OpaqueToken::generate()));
        let check = |method: &str, token: &str| {
            cookies.check_csrf(&request(method, &[(CSRF_HEADER, token)]), &session).is_ok()
        };
        assert!(check("POST", own.reveal()) && check("DELETE", own.reveal()));
        for wrong in ["", other.reveal(), session.reveal(), &own.reveal()[..42]] {
            assert!(!check("POST", wrong) && !check("PATCH", wrong) && !check("OPTIONS", wrong), "{wrong}");
        }
        for method in ["GET", "HEAD"] {
            assert_eq!(cookies.check_csrf(&request(method, &[]), &session), Ok(()));
        }
        assert!(cookies.check_csrf(&request("POST", &[]), &session).is_err());
        let foreign = [(CSRF_HEADER, own.reveal()), ("origin", "https://evil.example")];
        assert!(cookies.check_csrf(&request("POST", &foreign), &session).is_err());
    }

    #[test]
    fn only_the_public_origin_and_the_host_that_was_asked_are_our_own() {
        let cookies = cookies("https://hooks.example/p/");
        let check = |origin: &str, host: &str| {
            cookies.check_origin(&request("POST", &[("origin", origin), ("host", host)])).is_ok()
        };
        assert!(check("https://hooks.example", "10.0.0.1:8071"));
        assert!(check("http://10.0.0.1:8071", "10.0.0.1:8071") && check("https://h", "h:443"));
        assert!(cookies.check_origin(&request("POST", &[])).is_ok());
        for (origin, host) in [
            ("http://hooks.example", "10.0.0.1:8071"),
            ("https://hooks.example:444", "h"),
            ("https://hooks.example.evil.example", "h"),
            ("null", "h"),
            ("file://", "h"),
            ("", "h"),
            ("http://h:81", "h:80"),
        ] {
            assert!(!check(origin, host), "{origin} {host}");
        }
    }

    #[test]
    fn the_browser_says_whether_a_page_came_by_tls() {
        let by_https = |headers: &[(&str, &str)]| comes_by_https(&request("POST", headers));
        assert!(by_https(&[("origin", "https://h")]));
        for headers in [&[][..], &[("origin", "http://h")], &[("origin", "null")], &[("origin", "https:")]] {
            assert!(!by_https(headers), "{headers:?}");
        }
    }
}
