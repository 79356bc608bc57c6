//! `user:password@` in an endpoint's URL. It is taken out of the URL, sealed, sent as `Authorization: Basic`, and never
//! shown again: where it stood, the URL is shown with a mask. A URL that comes back with the mask keeps what is there.

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use percent_encoding::percent_decode_str;
use url::Url;

/// Stands in a shown URL for the credentials.
const MASK: &str = "********";
/// The longest user and password, together.
const MAX_BYTES: usize = 1_024;

/// What is known of the credentials of a URL.
#[derive(Clone, Default, PartialEq, Eq)]
pub enum UrlCredentials {
    /// There are none.
    #[default]
    None,
    /// There are some, and they stay as they are.
    Kept,
    /// These, as `user:password`.
    Given(String),
}

impl fmt::Debug for UrlCredentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::None => "None",
            Self::Kept => "Kept",
            Self::Given(_) => "Given(…)",
        })
    }
}

/// Credentials that HTTP cannot carry.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum InvalidCredentials {
    /// A colon ends the user (RFC 7617), so there can be none in it.
    #[error("the URL's user may not have a colon in it")]
    Colon,
    /// Control characters, or bytes that are no text.
    #[error("the URL's user and password must be text without control characters")]
    Text,
    /// Longer than is kept.
    #[error("the URL's user and password may have {MAX_BYTES} bytes at most")]
    TooLong,
}

impl UrlCredentials {
    /// Takes the credentials out of a URL.
    ///
    /// # Errors
    /// [`InvalidCredentials`] says which rule they break.
    pub fn take_from(url: &mut Url) -> Result<Self, InvalidCredentials> {
        if url.username().is_empty() && url.password().is_none() {
            return Ok(Self::None);
        }
        if url.username() == MASK && url.password().is_none() {
            without(url);
            return Ok(Self::Kept);
        }
        let text = |encoded: &str| percent_decode_str(encoded).decode_utf8().map(String::from).ok();
        let parts = text(url.username()).zip(text(url.password().unwrap_or_default()));
        let (user, password) = parts.ok_or(InvalidCredentials::Text)?;
        if user.contains(':') {
            return Err(InvalidCredentials::Colon);
        }
        let both = format!("{user}:{password}");
        if both.len() > MAX_BYTES {
            return Err(InvalidCredentials::TooLong);
        }
        if both.chars().any(char::is_control) {
            return Err(InvalidCredentials::Text);
        }
        without(url);
        Ok(Self::Given(both))
    }

    /// A URL as it is shown when these are its credentials.
    pub fn shown_in(&self, text: &str) -> String {
        let Ok(mut url) = Url::parse(text) else { return text.to_owned() };
        if *self == Self::None || url.set_username(MASK).is_err() { text.to_owned() } else { url.into() }
    }
}

fn without(url: &mut Url) {
    // It has a host, so neither can fail.
    url.set_username("").ok();
    url.set_password(None).ok();
}

/// The value of `Authorization` (RFC 7617) for `user:password`.
pub fn basic_authorization(credentials: &[u8]) -> String {
    format!("Basic {}", STANDARD.encode(credentials))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn taken(text: &str) -> (Result<UrlCredentials, InvalidCredentials>, String) {
        let mut url = Url::parse(text).unwrap();
        (UrlCredentials::take_from(&mut url), url.into())
    }

    #[test]
    fn credentials_are_taken_out_and_a_mask_stands_for_those_that_are_there() {
        let given = |text: &str| Ok(UrlCredentials::Given(text.to_owned()));
        for (text, credentials) in [
            ("https://h.example/a?b", Ok(UrlCredentials::None)),
            ("https://user:pass@h.example/a?b", given("user:pass")),
            ("https://us%20er:p%3A%40ss@h.example/a?b", given("us er:p:@ss")),
            ("https://:pass@h.example/a?b", given(":pass")),
            ("https://key@h.example/a?b", given("key:")),
            ("https://********@h.example/a?b", Ok(UrlCredentials::Kept)),
        ] {
            assert_eq!(taken(text), (credentials, "https://h.example/a?b".to_owned()), "{text}");
        }
        let shown = UrlCredentials::Kept.shown_in("https://h.example/a");
        assert_eq!(shown, "https://********@h.example/a");
        assert_eq!(taken(&shown).0, Ok(UrlCredentials::Kept));
        assert_eq!(UrlCredentials::None.shown_in("https://h.example/a"), "https://h.example/a");
        assert!(!format!("{:?}", taken("https://u:secret@h.example/").0).contains("secret"));
    }

    #[test]
    fn what_http_cannot_carry_is_refused() {
        for (text, wrong) in [
            ("https://a%3Ab:c@h.example/", InvalidCredentials::Colon),
            ("https://a%0A:c@h.example/", InvalidCredentials::Text),
            ("https://%ff:c@h.example/", InvalidCredentials::Text),
            (&format!("https://a:{}@h.example/", "x".repeat(1_024)), InvalidCredentials::TooLong),
        ] {
            assert_eq!(taken(text).0, Err(wrong), "{text}");
        }
    }

    #[test]
    fn the_header_is_that_of_rfc_7617() {
        assert_eq!(basic_authorization(b"Aladdin:open sesame"), "Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==");
    }
}
