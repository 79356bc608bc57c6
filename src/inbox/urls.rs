//! The URLs of inboxes. What is one is decided by the letter, because it decides what of this server deliveries reach.

use url::Url;

use crate::domain::portal::public_name::PublicName;

/// The URLs of inboxes below the one that links to this server begin with.
#[derive(Debug, Clone)]
pub(super) struct InboxUrls {
    base: Url,
}

impl InboxUrls {
    pub(super) fn below(public_url: &Url) -> Self {
        let mut base = public_url.clone();
        base.set_query(None);
        base.set_fragment(None);
        base.set_path(&format!("{}/in/", public_url.path().trim_end_matches('/')));
        Self { base }
    }

    /// The URL of the inbox of that name.
    pub(super) fn url_of(&self, name: &PublicName) -> String {
        format!("{}{name}", self.base)
    }

    /// The name of the inbox that a URL leads to; `None` for every other URL. Both were written by the same parser, so that
    /// one place has one spelling.
    pub(super) fn name_in(&self, url: &Url) -> Option<PublicName> {
        url.as_str().strip_prefix(self.base.as_str())?.parse().ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NAME: &str = "2zq8v5n0w7j4c1x9m6t3b8h5d2f7k4p1";

    fn leads(public_url: &str, url: &str) -> bool {
        let urls = InboxUrls::below(&public_url.parse().unwrap());
        urls.name_in(&url.parse().unwrap()).is_some_and(|name| name.as_str() == NAME)
    }

    #[test]
    fn an_inbox_is_below_the_public_url() {
        for (public_url, inbox) in [
            ("https://hooks.example.com", format!("https://hooks.example.com/in/{NAME}")),
            ("https://hooks.example.com/", format!("https://hooks.example.com/in/{NAME}")),
            ("https://example.com/below/", format!("https://example.com/below/in/{NAME}")),
            ("http://127.0.0.1:8071/", format!("http://127.0.0.1:8071/in/{NAME}")),
        ] {
            let urls = InboxUrls::below(&public_url.parse().unwrap());
            assert_eq!(urls.url_of(&NAME.parse().unwrap()), inbox);
            assert!(leads(public_url, &inbox), "{inbox}");
        }
        // Another spelling of the same place.
        assert!(leads("https://example.com", &format!("HTTPS://EXAMPLE.com:443/x/../in/{NAME}")));
    }

    #[test]
    fn nothing_else_is_an_inbox() {
        for url in [
            format!("http://example.com/in/{NAME}"),
            format!("https://example.com:8443/in/{NAME}"),
            format!("https://example.com.evil.example/in/{NAME}"),
            format!("https://evil.example/https://example.com/in/{NAME}"),
            format!("https://me@example.com/in/{NAME}"),
            format!("https://example.com/in/{NAME}/"),
            format!("https://example.com/in/{NAME}/../../api/v1/health"),
            format!("https://example.com/in/{NAME}%2f..%2fapi"),
            format!("https://example.com/in/{NAME}?to=/api"),
            format!("https://example.com/in/{NAME}#api"),
            format!("https://example.com/IN/{NAME}"),
            format!("https://example.com//in/{NAME}"),
            format!("https://example.com/in/../in2/{NAME}"),
            "https://example.com/in/".to_owned(),
            "https://example.com/api/v1/health".to_owned(),
        ] {
            assert!(!leads("https://example.com", &url), "{url}");
        }
    }
}
