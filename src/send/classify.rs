//! What an answer or an error means: pure mappings to the domain's words. The sentences are for tenants; they name
//! no address that a name resolved to, and nothing of ours.

use std::error::Error;
use std::io;
use std::time::Duration;

use chrono::{DateTime, Utc};
use http::{HeaderMap, StatusCode, header};
use rustls::CertificateError;

use crate::domain::attempt::Failure;

use super::resolver::ResolveError;

/// Headers of an answer that are kept with the attempt.
const KEPT_HEADERS: [&str; 11] = [
    "content-type",
    "content-length",
    "date",
    "server",
    "location",
    "retry-after",
    "via",
    "www-authenticate",
    "x-request-id",
    "cf-ray",
    "x-amzn-requestid",
];

/// At most this much of a header's value is kept.
const KEPT_HEADER_BYTES: usize = 512;

/// What the sentence says when the deadline passed.
pub(super) const TIMED_OUT: &str = "there was no complete answer within the deadline";

/// What a status means; `None` for success.
pub(super) fn failure_of_status(status: StatusCode) -> Option<Failure> {
    match status.as_u16() {
        200..=299 => None,
        300..=399 => Some(Failure::Redirect),
        410 => Some(Failure::Gone),
        429 | 502 | 504 => Some(Failure::Overloaded),
        _ => Some(Failure::Status),
    }
}

/// What an error of the client means, and a sentence on it for the tenant.
pub(super) fn failure_of_error(error: &reqwest::Error) -> (Failure, &'static str) {
    for cause in causes(error) {
        if let Some(error) = cause.downcast_ref::<ResolveError>() {
            return match error {
                ResolveError::Refused(_) => {
                    (Failure::EgressRefused, "the address is not allowed by the egress policy")
                }
                ResolveError::NoAddress(_) => (Failure::Dns, "the name could not be resolved"),
            };
        }
        if let Some(error) = cause.downcast_ref::<rustls::Error>() {
            return (Failure::Tls, tls_sentence(error));
        }
    }
    if error.is_timeout() {
        (Failure::Timeout, TIMED_OUT)
    } else if error.is_dns() {
        (Failure::Dns, "the name could not be resolved")
    } else if error.is_builder() {
        (Failure::Unsendable, "the request could not be built from the endpoint's URL and headers")
    } else {
        (Failure::Connection, connection_sentence(error))
    }
}

/// The error and what caused it, from the outside in. An `io::Error` that wraps another skips it in `source`.
fn causes<'a>(error: &'a (dyn Error + 'static)) -> impl Iterator<Item = &'a (dyn Error + 'static)> {
    std::iter::successors(Some(error), |error| {
        let error: &'a (dyn Error + 'static) = *error;
        match error.downcast_ref::<io::Error>().and_then(io::Error::get_ref) {
            Some(inner) => Some(inner as &(dyn Error + 'static)),
            None => error.source(),
        }
    })
}

const fn tls_sentence(error: &rustls::Error) -> &'static str {
    match error {
        rustls::Error::InvalidCertificate(error) => match error {
            CertificateError::Expired | CertificateError::ExpiredContext { .. } => {
                "the certificate has expired"
            }
            CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. } => {
                "the certificate is not valid yet"
            }
            CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. } => {
                "the certificate is for another name"
            }
            CertificateError::UnknownIssuer => {
                "the certificate is not from an authority that is trusted here"
            }
            CertificateError::Revoked => "the certificate is revoked",
            _ => "the certificate is not valid",
        },
        rustls::Error::InvalidMessage(_) => "the answer to the TLS handshake is not TLS",
        _ => "the TLS handshake failed",
    }
}

fn connection_sentence(error: &reqwest::Error) -> &'static str {
    let kind =
        causes(error).filter_map(|cause| cause.downcast_ref::<io::Error>()).last().map(io::Error::kind);
    match kind {
        Some(io::ErrorKind::ConnectionRefused) => "the connection was refused",
        Some(io::ErrorKind::ConnectionReset | io::ErrorKind::BrokenPipe) => "the connection was reset",
        Some(io::ErrorKind::HostUnreachable | io::ErrorKind::NetworkUnreachable) => {
            "the host cannot be reached"
        }
        _ if error.is_connect() => "no connection could be made",
        _ => "the connection was closed before the answer was complete",
    }
}

/// How long the receiver asks us to wait (RFC 9110, section 10.2.3): seconds, or an HTTP date. A date in the past is
/// no wait. Any cap is the schedule's.
pub(super) fn retry_after(headers: &HeaderMap, now: DateTime<Utc>) -> Option<Duration> {
    let value = headers.get(header::RETRY_AFTER)?.to_str().ok()?.trim();
    if !value.is_empty() && value.bytes().all(|byte| byte.is_ascii_digit()) {
        return Some(Duration::from_secs(value.parse::<u32>().unwrap_or(u32::MAX).into()));
    }
    let until: DateTime<Utc> = httpdate::parse_http_date(value).ok()?.into();
    Some((until - now).to_std().unwrap_or_default())
}

/// The headers that are kept with the attempt, in the order of [`KEPT_HEADERS`].
pub(super) fn kept_headers(headers: &HeaderMap) -> Vec<(String, String)> {
    KEPT_HEADERS
        .iter()
        .filter_map(|name| {
            let value = headers.get(*name)?.as_bytes();
            let kept = value.get(..KEPT_HEADER_BYTES).unwrap_or(value);
            // A NUL cannot stand in Postgres text; HTTP does not allow one, but other controls slip through too.
            let text = String::from_utf8_lossy(kept).replace(|c: char| c.is_control(), " ");
            Some(((*name).to_owned(), text))
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use chrono::TimeZone;
    use http::HeaderValue;

    use super::*;

    #[test]
    fn statuses_mean_what_the_design_says() {
        for (status, failure) in [
            (200, None),
            (204, None),
            (299, None),
            (301, Some(Failure::Redirect)),
            (304, Some(Failure::Redirect)),
            (400, Some(Failure::Status)),
            (408, Some(Failure::Status)),
            (410, Some(Failure::Gone)),
            (429, Some(Failure::Overloaded)),
            (500, Some(Failure::Status)),
            (502, Some(Failure::Overloaded)),
            (503, Some(Failure::Status)),
            (504, Some(Failure::Overloaded)),
            (999, Some(Failure::Status)),
        ] {
            assert_eq!(failure_of_status(StatusCode::from_u16(status).unwrap()), failure, "{status}");
        }
    }

    #[test]
    fn retry_after_is_read_as_seconds_and_as_date() {
        let now = Utc.with_ymd_and_hms(1994, 11, 6, 8, 49, 7).unwrap();
        for (text, wait) in [
            ("0", Some(0)),
            (" 120 ", Some(120)),
            ("99999999999999999999999", Some(u64::from(u32::MAX))),
            ("Sun, 06 Nov 1994 08:49:37 GMT", Some(30)),
            ("Sunday, 06-Nov-94 08:49:37 GMT", Some(30)),
            ("Sun Nov  6 08:49:37 1994", Some(30)),
            ("Sun, 06 Nov 1994 08:00:00 GMT", Some(0)),
            ("-5", None),
            ("+5", None),
            ("1.5", None),
            ("", None),
            ("soon", None),
        ] {
            let headers = HeaderMap::from_iter([(header::RETRY_AFTER, HeaderValue::from_str(text).unwrap())]);
            assert_eq!(retry_after(&headers, now), wait.map(Duration::from_secs), "{text}");
        }
        assert_eq!(retry_after(&HeaderMap::new(), now), None);
    }

    #[test]
    fn few_headers_are_kept_and_they_are_bounded() {
        let mut headers = HeaderMap::new();
        headers.insert("set-cookie", HeaderValue::from_static("session=1"));
        headers.insert("server", HeaderValue::from_str(&"a".repeat(10_000)).unwrap());
        headers.insert("content-type", HeaderValue::from_bytes(b"text/\xff\tplain").unwrap());
        let kept = kept_headers(&headers);
        assert_eq!(kept.len(), 2);
        assert_eq!(kept[0], ("content-type".to_owned(), "text/\u{fffd} plain".to_owned()));
        assert_eq!(kept[1].1.len(), KEPT_HEADER_BYTES);
    }
}
