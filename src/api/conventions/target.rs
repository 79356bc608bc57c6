//! The path of a request, as the routes know it: without the path of the public URL, which a proxy may take off or leave,
//! and without slashes at its end.

use http::{Request, Uri};
use url::Url;

/// The public URL's path, without a slash at its end: what may stand before every path. A proxy that leaves it there cannot
/// be told from one that takes it off where one of our own paths begins so; then it has to be taken off.
pub(in crate::api) fn base_of(public_url: &Url) -> String {
    let base = public_url.path().trim_end_matches('/');
    let is_own = ["/api", "/docs", "/in", "/portal", "/assets"]
        .iter()
        .any(|own| base.strip_prefix(own).is_some_and(|rest| rest.is_empty() || rest.starts_with('/')));
    if is_own { String::new() } else { base.to_owned() }
}

/// The readable page keeps its slash: its own links need one.
pub(in crate::api) fn as_routes_know_it<B>(mut request: Request<B>, base: &str) -> Request<B> {
    let whole = request.uri().path();
    let below = whole.strip_prefix(base).filter(|rest| rest.is_empty() || rest.starts_with('/'));
    let path = below.unwrap_or(whole);
    let path = if path.starts_with("/api/") { path.trim_end_matches('/') } else { path };
    let path = if path.is_empty() { "/" } else { path };
    if path.len() < whole.len() {
        let query = request.uri().query().map(|query| format!("?{query}")).unwrap_or_default();
        let target = format!("{path}{query}").parse().ok();
        let mut parts = request.uri().clone().into_parts();
        parts.path_and_query = target;
        if let Ok(uri) = Uri::from_parts(parts) {
            *request.uri_mut() = uri;
        }
    }
    request
}

#[cfg(test)]
mod tests {
    use super::*;

    fn known(path: &str, public_url: &str) -> String {
        let request = Request::builder().uri(path).body(()).unwrap();
        as_routes_know_it(request, &base_of(&public_url.parse().unwrap())).uri().to_string()
    }

    #[test]
    fn slashes_at_the_end_are_taken_off_in_the_api() {
        for (path, wanted) in [
            ("/api/v1/app/", "/api/v1/app"),
            ("/api/v1/app//?limit=1", "/api/v1/app?limit=1"),
            ("/api/v1/app?x=/", "/api/v1/app?x=/"),
            ("http://h/api/v1/app/", "http://h/api/v1/app"),
            ("/docs/", "/docs/"),
            ("/", "/"),
        ] {
            assert_eq!(known(path, "http://h/"), wanted, "{path}");
        }
    }

    #[test]
    fn the_path_of_the_public_url_may_be_there_or_not() {
        for (path, wanted) in [
            ("/hooks", "/"),
            ("/hooks?env=x", "/?env=x"),
            ("/hooks/", "/"),
            ("/hooks/api/v1/app/", "/api/v1/app"),
            ("/hooks/portal/x", "/portal/x"),
            ("/api/v1/app", "/api/v1/app"),
            ("/hooksandmore", "/hooksandmore"),
        ] {
            assert_eq!(known(path, "https://h/hooks/"), wanted, "{path}");
        }
        assert_eq!(known("/api/v1/app", "https://h/api"), "/api/v1/app");
        assert_eq!(known("/apis/api/v1/app", "https://h/apis"), "/api/v1/app");
    }
}
