//! The cookie that a session of the console is presented by, and what keeps other sites from using it.
//!
//! A browser sends the cookie with whatever any page asks of us. So a request by cookie that may change something must
//! carry the session's CSRF token, which only pages of our own can read, and must not come from another origin.

use http::header::{self, HeaderValue};
use http::request::Parts;
use http::{HeaderMap, Method};
use subtle::ConstantTimeEq;
use url::{Origin, Url};

use crate::api::error::ApiError;
use crate::domain::access::opaque_token::OpaqueToken;

/// The cookie's name.
pub(in crate::api) const SESSION_COOKIE: &str = "postrider_session";
/// The header of the CSRF token.
pub(in crate::api) const CSRF_HEADER: &str = "postrider-csrf";

const CSRF_PURPOSE: &str = "postrider csrf 1";
const CSRF_FAILED: ApiError = ApiError::Refused {
    code: "csrf_failed",
    detail: "A request by cookie needs the session's CSRF token, and must come from the console itself.",
};

/// How cookies are set, and which origin may use them. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Cookies {
    /// The path of the public URL, which ends with a slash.
    path: String,
    is_secure: bool,
    origin: Origin,
}

impl Cookies {
    /// For pages below the public URL.
    pub fn new(public_url: &Url) -> Self {
        Self {
            path: format!("{}/", public_url.path().trim_end_matches('/')),
            is_secure: public_url.scheme() == "https",
            origin: public_url.origin(),
        }
    }

    /// A `Set-Cookie` that holds for so many seconds, for requests below `path` of the public URL. `Lax`, so that a link
    /// in a chat opens signed in.
    pub(in crate::api) fn set(&self, name: &str, value: &str, path: &str, seconds: i64) -> HeaderValue {
        let secure = if self.is_secure { "; Secure" } else { "" };
        let path = format!("{}{path}", self.path);
        let text = format!("{name}={value}; HttpOnly; SameSite=Lax; Path={path}; Max-Age={seconds}{secure}");
        HeaderValue::from_str(&text).unwrap_or_else(|_| HeaderValue::from_static(""))
    }

    /// A `Set-Cookie` that takes the cookie away.
    pub(in crate::api) fn clear(&self, name: &str, path: &str) -> HeaderValue {
        self.set(name, "", path, 0)
    }

    /// # Errors
    /// [`ApiError::Refused`] when a page of another origin asks. A request without an origin is no page's, or an old
    /// browser's.
    pub(in crate::api) fn check_origin(&self, parts: &Parts) -> Result<(), ApiError> {
        let Some(said) = parts.headers.get(header::ORIGIN) else { return Ok(()) };
        let origin = said.to_str().ok().and_then(|text| Url::parse(text).ok()).map(|url| url.origin());
        let Some(origin) = origin.filter(Origin::is_tuple) else { return Err(CSRF_FAILED) };
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

/// Whether the origin is the host that was asked. Behind a proxy only that knows whether it is `https`.
fn is_own_host(origin: &Origin, parts: &Parts) -> bool {
    let named = parts.headers.get(header::HOST).and_then(|host| host.to_str().ok());
    let host = parts.uri.authority().map(http::uri::Authority::as_str).or(named);
    let Origin::Tuple(scheme, ..) = origin else { return false };
    let own = host.and_then(|host| Url::parse(&format!("{scheme}://{host}")).ok());
    own.is_some_and(|own| own.origin() == *origin)
}

/// What a page must show besides the session's cookie.
pub(in crate::api) fn csrf_token(session: &OpaqueToken) -> OpaqueToken {
    session.derived(CSRF_PURPOSE)
}

/// The session's token among the request's cookies.
pub(in crate::api) fn session_token(headers: &HeaderMap) -> Option<OpaqueToken> {
    value_of(headers, SESSION_COOKIE).and_then(OpaqueToken::parse)
}

/// The value of the first cookie of that name: a browser sends the one with the longest path first.
pub(in crate::api) fn value_of<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    let texts = headers.get_all(header::COOKIE).iter().filter_map(|value| value.to_str().ok());
    let mut pairs = texts.flat_map(|text| text.split(';')).filter_map(|pair| pair.trim().split_once('='));
    pairs.find(|(known, _)| *known == name).map(|(_, value)| value)
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
    fn a_cookie_is_for_pages_below_the_public_url_alone() {
        let set = |url: &str| cookies(url).set("a", "b", "", 60).to_str().unwrap().to_owned();
        assert_eq!(set("http://h/"), "a=b; HttpOnly; SameSite=Lax; Path=/; Max-Age=60");
        assert_eq!(set("https://h/hooks"), "a=b; HttpOnly; SameSite=Lax; Path=/hooks/; Max-Age=60; Secure");
        let cleared = cookies("http://h/hooks/").clear("a", "api/");
        assert_eq!(cleared.to_str().unwrap(), "a=; HttpOnly; SameSite=Lax; Path=/hooks/api/; Max-Age=0");
    }

    #[test]
    fn a_cookie_is_found_among_others() {
        let token = OpaqueToken::generate();
        let own = format!("x=1; {SESSION_COOKIE}={}", token.reveal());
        let found = |values: &[&str]| {
            let headers: Vec<_> = values.iter().map(|value| ("cookie", *value)).collect();
            session_token(&request("GET", &headers).headers)
        };
        assert_eq!(found(&[&own]), Some(token.clone()));
        assert_eq!(found(&["y=2", &own, &format!("{SESSION_COOKIE}=short")]), Some(token));
        assert_eq!(found(&[&format!("not_{own}")]), found(&[&own]));
        assert_eq!(found(&[]), None);
        assert_eq!(found(&[&format!("{SESSION_COOKIE}=short")]), None);
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
}
