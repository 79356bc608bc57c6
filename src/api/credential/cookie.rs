//! Cookies: the one that a session of the console is presented by, and the one that keeps a sign-in that is under way.
//!
//! Their names say what browsers hold them to (RFC 6265bis, section 4.1.3): where the public URL is https, nobody sets one
//! over plain HTTP, and where it has no path, no neighbour below the same domain does. So nobody is signed in as somebody
//! else by a cookie that was put there.

use chrono::TimeDelta;
use http::HeaderMap;
use http::header::{self, HeaderValue};
use url::{Origin, Url};

use crate::domain::access::opaque_token::OpaqueToken;

/// A cookie of ours.
#[derive(Debug, Clone, Copy)]
pub(in crate::api) struct Cookie {
    /// Its name, without what stands before it.
    pub(in crate::api) name: &'static str,
    /// Where it is sent to: a path below the public URL, without a slash in front.
    pub(in crate::api) place: &'static str,
}

/// What presents a session.
pub(in crate::api) const SESSION: Cookie = Cookie { name: "postrider_session", place: "" };

/// How cookies are set, and which origin may use them. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Cookies {
    /// The path of the public URL, which ends with a slash.
    path: String,
    is_secure: bool,
    pub(super) origin: Origin,
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

    /// A `Set-Cookie` that holds for so long. `Lax`, so that a link in a chat opens signed in. It never goes over plain
    /// HTTP where the public URL is https, or where the page that asks is (`by_https`).
    pub(in crate::api) fn set(
        &self,
        cookie: Cookie,
        value: &str,
        lifetime: TimeDelta,
        by_https: bool,
    ) -> HeaderValue {
        let (name, path) = (self.name(cookie), format!("{}{}", self.path, cookie.place));
        let seconds = lifetime.num_seconds().max(0);
        let secure = if self.is_secure || by_https { "; Secure" } else { "" };
        let text = format!("{name}={value}; HttpOnly; SameSite=Lax; Path={path}; Max-Age={seconds}{secure}");
        HeaderValue::from_str(&text).unwrap_or_else(|_| HeaderValue::from_static(""))
    }

    /// A `Set-Cookie` that takes the cookie away.
    pub(in crate::api) fn clear(&self, cookie: Cookie) -> HeaderValue {
        self.set(cookie, "", TimeDelta::zero(), false)
    }

    /// The session's token among the request's cookies.
    pub(in crate::api) fn session_token(&self, headers: &HeaderMap) -> Option<OpaqueToken> {
        self.value_of(headers, SESSION).and_then(OpaqueToken::parse)
    }

    /// The value of the first cookie of that name: a browser sends the one with the longest path first.
    pub(in crate::api) fn value_of<'a>(&self, headers: &'a HeaderMap, cookie: Cookie) -> Option<&'a str> {
        let name = self.name(cookie);
        let texts = headers.get_all(header::COOKIE).iter().filter_map(|value| value.to_str().ok());
        let mut pairs = texts.flat_map(|text| text.split(';')).filter_map(|pair| pair.trim().split_once('='));
        pairs.find(|(known, _)| *known == name).map(|(_, value)| value)
    }

    fn name(&self, cookie: Cookie) -> String {
        let prefix = match (self.is_secure, self.path.as_str(), cookie.place) {
            (true, "/", "") => "__Host-",
            (true, ..) => "__Secure-",
            (false, ..) => "",
        };
        format!("{prefix}{}", cookie.name)
    }
}

#[cfg(test)]
mod tests {
    use http::Request;

    use super::*;

    const PLACED: Cookie = Cookie { name: "b", place: "api/" };

    fn cookies(public_url: &str) -> Cookies {
        Cookies::new(&public_url.parse().unwrap())
    }

    #[test]
    fn a_cookie_is_for_pages_below_the_public_url_alone() {
        let set = |url: &str, cookie, by_https| {
            let set = cookies(url).set(cookie, "v", TimeDelta::minutes(1), by_https);
            set.to_str().unwrap().to_owned()
        };
        let said = "HttpOnly; SameSite=Lax; Path=";
        for (url, cookie, wanted) in [
            ("http://h/", SESSION, format!("postrider_session=v; {said}/; Max-Age=60")),
            ("https://h/", SESSION, format!("__Host-postrider_session=v; {said}/; Max-Age=60; Secure")),
            ("https://h/p", SESSION, format!("__Secure-postrider_session=v; {said}/p/; Max-Age=60; Secure")),
            ("https://h/", PLACED, format!("__Secure-b=v; {said}/api/; Max-Age=60; Secure")),
            ("http://h/p/", PLACED, format!("b=v; {said}/p/api/; Max-Age=60")),
        ] {
            assert_eq!(set(url, cookie, false), wanted);
        }
        assert_eq!(
            set("http://h/", SESSION, true),
            format!("postrider_session=v; {said}/; Max-Age=60; Secure"),
            "a proxy speaks TLS, and the public URL does not say so"
        );
        let cleared = cookies("https://h/p/").clear(PLACED);
        assert_eq!(cleared.to_str().unwrap(), format!("__Secure-b=; {said}/p/api/; Max-Age=0; Secure"));
    }

    #[test]
    fn a_cookie_is_found_among_others() {
        let token = OpaqueToken::generate();
        let found = |url: &str, values: &[&str]| {
            let request = values.iter().fold(Request::new(()), |mut request, value| {
                request.headers_mut().append("cookie", value.parse().unwrap());
                request
            });
            cookies(url).session_token(request.headers())
        };
        let plain = format!("x=1; postrider_session={}", token.reveal());
        let short = "postrider_session=short";
        assert_eq!(found("http://h/", &[&plain]), Some(token.clone()));
        assert_eq!(found("http://h/", &["y=2", &plain, short]), Some(token.clone()));
        assert_eq!(found("http://h/", &[&format!("not_{plain}")]), Some(token.clone()));
        assert_eq!(found("http://h/", &[]), None);
        for none in [short, &format!("{short}; {plain}")] {
            assert_eq!(found("http://h/", &[none]), None);
        }
        // One that a neighbour could have put there.
        assert_eq!(found("https://h/", &[&plain]), None);
        assert_eq!(
            found("https://h/", &[&format!("__Host-postrider_session={}", token.reveal())]),
            Some(token)
        );
    }
}
