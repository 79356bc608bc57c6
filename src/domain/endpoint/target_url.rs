//! Which URLs an endpoint may have, as far as the text alone tells. Whether the address behind it may be reached
//! is the egress policy's to say (`send`), when the endpoint is created for literals and when it is sent for names.

use url::Url;

/// Longer URLs are refused; HTTP stacks on the way rarely take more.
const MAX_BYTES: usize = 8 * 1024;
/// The longest name that DNS carries.
const MAX_NAME_BYTES: usize = 253;

/// A text that is not an endpoint's URL.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum InvalidUrl {
    /// It does not parse, or an HTTP request cannot carry it.
    #[error("not a valid URL")]
    Malformed,
    /// A line break or a tab, which a parser leaves out in silence.
    #[error("the URL may not have line breaks or tabs in it")]
    ControlCharacter,
    /// No host after `//`; a parser takes the path's first part for it, in silence.
    #[error("the URL names no host: it is written https://host/path")]
    NoHost,
    /// Neither `http` nor `https`.
    #[error("the URL's scheme is http or https")]
    Scheme,
    /// Port 0, which nothing listens on.
    #[error("the URL's port is 1 to 65535")]
    Port,
    /// More than 8 KiB.
    #[error("the URL is at most 8192 bytes long")]
    TooLong,
}

/// Reads an endpoint's URL.
///
/// # Errors
/// [`InvalidUrl`] says which rule the text breaks.
pub fn parse(text: &str) -> Result<Url, InvalidUrl> {
    if text.len() > MAX_BYTES {
        return Err(InvalidUrl::TooLong);
    }
    if text.contains(['\n', '\r', '\t']) {
        return Err(InvalidUrl::ControlCharacter);
    }
    let url = Url::parse(text).map_err(|_| InvalidUrl::Malformed)?;
    check(&url)?;
    let after_scheme = text.split_once(':').map_or("", |(_, rest)| rest);
    if after_scheme.strip_prefix("//").is_none_or(|host| host.starts_with(['/', '\\'])) {
        return Err(InvalidUrl::NoHost);
    }
    Ok(url)
}

/// The rules of [`parse`] for a URL that is parsed already.
///
/// # Errors
/// [`InvalidUrl`] says which rule it breaks.
pub fn check(url: &Url) -> Result<(), InvalidUrl> {
    if !matches!(url.scheme(), "http" | "https") {
        return Err(InvalidUrl::Scheme);
    }
    if url.port() == Some(0) {
        return Err(InvalidUrl::Port);
    }
    // Percent-encoding may have made it longer than the text was.
    if url.as_str().len() > MAX_BYTES {
        return Err(InvalidUrl::TooLong);
    }
    let host = url.host_str().unwrap_or_default();
    let name = host.strip_suffix('.').unwrap_or(host);
    if name.is_empty() || name.len() > MAX_NAME_BYTES || http::Uri::try_from(url.as_str()).is_err() {
        return Err(InvalidUrl::Malformed);
    }
    Ok(())
}

/// Stands for what is hidden.
const HIDDEN: &str = "********";
/// A part of a path that is as long may be a secret: services put their tokens there.
const SECRET_PART_LENGTH: usize = 16;

/// The URL as those see it who may not change it: without what may be a secret.
pub fn without_secrets(text: &str) -> String {
    let Ok(mut url) = Url::parse(text) else { return HIDDEN.to_owned() };
    let shown =
        |part: &str| if part.len() < SECRET_PART_LENGTH { part.to_owned() } else { HIDDEN.to_owned() };
    let path: Vec<String> = url.path().split('/').map(shown).collect();
    url.set_path(&path.join("/"));
    if url.query().is_some() {
        url.set_query(Some(HIDDEN));
    }
    url.set_fragment(None);
    url.into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ordinary_urls_pass() {
        for text in [
            "https://example.com",
            "http://example.com:8080/hook?token=1#part",
            "https://bücher.example/ö?q=ü|{}",
            "http://[2606:4700::1111]/",
            "http://localhost:3000/",
            "https://example.com./hook",
            "http://my_service/",
            "http://ab_cd.example/",
            "http://-x.example/",
            "https://user:pass@example.com/",
        ] {
            assert!(parse(text).is_ok(), "{text}");
        }
    }

    #[test]
    fn what_may_be_a_secret_is_hidden() {
        for (text, shown) in [
            ("https://example.com/hook", "https://example.com/hook"),
            ("https://example.com/hook?token=1#part", "https://example.com/hook?********"),
            (
                "https://h.example/services/T01/B02/abcdefghijklmnop",
                "https://h.example/services/T01/B02/********",
            ),
            ("no URL", "********"),
        ] {
            assert_eq!(without_secrets(text), shown);
        }
    }

    #[test]
    fn what_is_wrong_is_said() {
        let long = format!("https://example.com/{}", "a".repeat(MAX_BYTES));
        let long_once_encoded = format!("https://example.com/{}", "ö".repeat(MAX_BYTES / 3));
        let long_name = format!("https://{}.example/", vec!["a".repeat(60); 5].join("."));
        for (text, error) in [
            ("", InvalidUrl::Malformed),
            ("example.com", InvalidUrl::Malformed),
            ("https://", InvalidUrl::Malformed),
            ("https://./", InvalidUrl::Malformed),
            ("http://exa mple/", InvalidUrl::Malformed),
            (&long_name, InvalidUrl::Malformed),
            ("http:///x", InvalidUrl::NoHost),
            ("http://\\x", InvalidUrl::NoHost),
            ("http:/example.com/", InvalidUrl::NoHost),
            ("http:example.com", InvalidUrl::NoHost),
            ("http:\\\\example.com", InvalidUrl::NoHost),
            ("https://exam\nple.com/", InvalidUrl::ControlCharacter),
            ("https://example.com/a\tb", InvalidUrl::ControlCharacter),
            ("https://example.com/\r\n", InvalidUrl::ControlCharacter),
            ("ftp://example.com", InvalidUrl::Scheme),
            ("file:///etc/passwd", InvalidUrl::Scheme),
            ("javascript:alert(1)", InvalidUrl::Scheme),
            ("http://example.com:0/", InvalidUrl::Port),
            (&long, InvalidUrl::TooLong),
            (&long_once_encoded, InvalidUrl::TooLong),
        ] {
            assert_eq!(parse(text), Err(error), "{text}");
        }
    }
}
