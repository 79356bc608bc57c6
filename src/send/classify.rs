//! What an answer or an error means: pure mappings to the domain's words. The sentences are for tenants; they name
//! no address that a name resolved to, and nothing of ours.

use std::borrow::Cow;
use std::error::Error;
use std::io;
use std::time::Duration;

use chrono::{DateTime, Utc};
use http::{HeaderMap, HeaderValue, StatusCode, header};
use rustls::pki_types::UnixTime;
use rustls::{CertificateError, OtherError};
use url::Url;

use crate::domain::delivery::attempt::Failure;

use super::certificate::shown;
use super::error::SendError;
use super::resolver::ResolveError;
use super::tls;
use super::tls::UntrustedIssuer;

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
const MAX_KEPT_HEADER_BYTES: usize = 512;

/// At most so many headers of an answer are shown.
const MAX_SHOWN_HEADERS: usize = 64;

/// Names of a certificate that are shown at most.
const MAX_NAMES_SHOWN: usize = 5;

const NO_CONNECTION: &str = "no connection could be made";
const CLOSED_EARLY: &str = "the connection was closed before the answer was complete";
const EGRESS_REFUSED: &str = "the address is not allowed by the egress policy (an operator can allow its network with `allow_subnets`)";

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

/// What an error means, and a sentence on it for the tenant.
pub(super) fn failure_of_error(error: &SendError) -> (Failure, Cow<'static, str>) {
    let (failure, sentence) = match error {
        SendError::Unsendable => {
            (Failure::Unsendable, "the request could not be built from the endpoint's URL and headers")
        }
        SendError::Resolve(ResolveError::Refused(_)) => (Failure::EgressRefused, EGRESS_REFUSED),
        SendError::Resolve(ResolveError::NoAddress(_)) => (Failure::Dns, "the name could not be resolved"),
        SendError::NoTlsName => (Failure::Tls, "the host is not a name that a certificate can be for"),
        SendError::TooMuch => (
            Failure::Connection,
            "the receiver sent too much before its answer was complete, and was cut off",
        ),
        SendError::NotHttp(beginning) => return (Failure::Connection, not_http(beginning)),
        SendError::Connect(error) => (Failure::Connection, connection_sentence(error, NO_CONNECTION)),
        SendError::Tls(error) => match tls::error_within(error) {
            Some(error) => return (Failure::Tls, tls_sentence(error)),
            None => (Failure::Connection, connection_sentence(error, CLOSED_EARLY)),
        },
        SendError::Http(error) if error.is_parse_too_large() => {
            (Failure::Connection, "the answer has more than 100 headers, or more than 32 KiB of them")
        }
        SendError::Http(error) => {
            let io = causes(error).filter_map(|cause| cause.downcast_ref::<io::Error>()).last();
            match io.and_then(tls::error_within) {
                Some(error) => return (Failure::Tls, tls_sentence(error)),
                None => (
                    Failure::Connection,
                    io.map_or(CLOSED_EARLY, |error| connection_sentence(error, CLOSED_EARLY)),
                ),
            }
        }
    };
    (failure, Cow::Borrowed(sentence))
}

/// The error and what caused it, from the outside in.
fn causes<'a>(error: &'a (dyn Error + 'static)) -> impl Iterator<Item = &'a (dyn Error + 'static)> {
    std::iter::successors(Some(error), |error| {
        let error: &'a (dyn Error + 'static) = *error;
        error.source()
    })
}

fn not_http(beginning: &[u8]) -> Cow<'static, str> {
    format!("the answer is not HTTP; it begins with \"{}\"", beginning.escape_ascii()).into()
}

fn tls_sentence(error: &rustls::Error) -> Cow<'static, str> {
    let sentence = match error {
        rustls::Error::InvalidCertificate(error) => return certificate_sentence(error),
        rustls::Error::InvalidMessage(_) => "the answer to the TLS handshake is not TLS",
        rustls::Error::AlertReceived(alert) => {
            return format!("the receiver broke the TLS handshake off: {alert:?}").into();
        }
        _ => "the TLS handshake failed",
    };
    sentence.into()
}

fn certificate_sentence(error: &CertificateError) -> Cow<'static, str> {
    let sentence = match error {
        CertificateError::ExpiredContext { not_after, .. } => {
            return format!("the certificate expired on {}", day(*not_after)).into();
        }
        CertificateError::NotValidYetContext { not_before, .. } => {
            return format!("the certificate is not valid before {}", day(*not_before)).into();
        }
        CertificateError::NotValidForNameContext { presented, .. } => return other_name(presented),
        CertificateError::Other(OtherError(error)) => match error.downcast_ref::<UntrustedIssuer>() {
            Some(UntrustedIssuer(issuer)) => {
                return format!(
                    "the certificate is not from an authority that is trusted here: it was issued by {issuer}"
                )
                .into();
            }
            None => return format!("the certificate is not valid: {error}").into(),
        },
        CertificateError::Expired => "the certificate has expired",
        CertificateError::NotValidYet => "the certificate is not valid yet",
        CertificateError::NotValidForName => "the certificate is for another name",
        CertificateError::UnknownIssuer => "the certificate is not from an authority that is trusted here",
        CertificateError::Revoked => "the certificate is revoked",
        other => return format!("the certificate is not valid: {other}").into(),
    };
    sentence.into()
}

/// The names come as `DnsName("example.com")` or `IpAddress(…)`.
fn other_name(presented: &[String]) -> Cow<'static, str> {
    let names: Vec<String> = presented
        .iter()
        .take(MAX_NAMES_SHOWN)
        .map(|name| {
            let inner = name.split_once('(').map_or(name.as_str(), |(_, inner)| inner);
            shown(inner.trim_end_matches(')').trim_matches('"').as_bytes())
        })
        .collect();
    if names.is_empty() {
        return "the certificate is for no name at all: it has no subjectAltName".into();
    }
    let more = if presented.len() > names.len() { " and others" } else { "" };
    format!("the certificate is for another name: it is for {}{more}", names.join(", ")).into()
}

fn day(time: UnixTime) -> String {
    let seconds = i64::try_from(time.as_secs()).unwrap_or(i64::MAX);
    DateTime::from_timestamp(seconds, 0)
        .map_or_else(|| "a day beyond any calendar".to_owned(), |time| time.format("%Y-%m-%d").to_string())
}

fn connection_sentence(error: &io::Error, otherwise: &'static str) -> &'static str {
    match error.kind() {
        io::ErrorKind::ConnectionRefused => "the connection was refused",
        io::ErrorKind::ConnectionReset | io::ErrorKind::BrokenPipe => "the connection was reset",
        io::ErrorKind::HostUnreachable | io::ErrorKind::NetworkUnreachable => "the host cannot be reached",
        _ => otherwise,
    }
}

/// What is said of a redirect from this URL, before what its body says.
pub(super) fn redirect_sentence(from: &Url, headers: &HeaderMap) -> Option<String> {
    let location = headers.get(header::LOCATION)?;
    let is_relative = |text: &&str| Url::parse(text) == Err(url::ParseError::RelativeUrlWithoutBase);
    let absolute = location.to_str().ok().filter(is_relative).and_then(|text| from.join(text).ok());
    let target = absolute.map_or_else(|| shown(location.as_bytes()), String::from);
    Some(format!("redirects are not followed; this one points to {target}: set that as the endpoint's URL\n"))
}

/// How long the receiver asks us to wait (RFC 9110, section 10.2.3): seconds, or an HTTP date. A part of a second, which
/// some send though the standard has none, counts as a whole one. A date in the past is no wait. Of several, which a proxy
/// may have put into one line, the longest counts. Any cap is the schedule's.
pub(super) fn retry_after(headers: &HeaderMap, now: DateTime<Utc>) -> Option<Duration> {
    let values = headers.get_all(header::RETRY_AFTER).iter().filter_map(|value| value.to_str().ok());
    let wait = |value: &str| {
        let wait = wait_in_seconds(value).or_else(|| wait_until_date(value, now));
        wait.or_else(|| value.split(',').filter_map(wait_in_seconds).max())
    };
    values.filter_map(wait).max()
}

fn wait_in_seconds(value: &str) -> Option<Duration> {
    let value = value.trim();
    let (seconds, part) = value.split_once('.').unwrap_or((value, "0"));
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let begun = u64::from(part.bytes().any(|digit| digit != b'0'));
    let whole = u64::from(seconds.parse::<u32>().unwrap_or(u32::MAX));
    (digits(seconds) && digits(part)).then(|| Duration::from_secs(whole + begun))
}

fn wait_until_date(value: &str, now: DateTime<Utc>) -> Option<Duration> {
    let until: DateTime<Utc> = httpdate::parse_http_date(value.trim()).ok()?.into();
    Some((until - now).to_std().unwrap_or_default())
}

/// The headers that are kept with the attempt, in the order of [`KEPT_HEADERS`].
pub(super) fn kept_headers(headers: &HeaderMap) -> Vec<(String, String)> {
    KEPT_HEADERS
        .iter()
        .filter_map(|name| {
            let value = headers.get(*name)?;
            Some(((*name).to_owned(), kept_value(value)))
        })
        .collect()
}

/// All headers of an answer, for somebody who tries an endpoint out.
pub(super) fn shown_headers(headers: &HeaderMap) -> Vec<(String, String)> {
    let shown = headers.iter().take(MAX_SHOWN_HEADERS);
    shown.map(|(name, value)| (name.as_str().to_owned(), kept_value(value))).collect()
}

fn kept_value(value: &HeaderValue) -> String {
    let value = value.as_bytes();
    let kept = value.get(..MAX_KEPT_HEADER_BYTES).unwrap_or(value);
    // A NUL cannot stand in Postgres text; HTTP does not allow one, but other controls slip through too.
    String::from_utf8_lossy(kept).replace(|c: char| c.is_control(), " ")
}

#[cfg(test)]
mod tests {
    use chrono::TimeZone;

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
            ("1.5", Some(2)),
            ("2.0", Some(2)),
            ("1.", None),
            (".5", None),
            ("1.5.1", None),
            ("", None),
            ("soon", None),
            ("10, 50", Some(50)),
            ("10, soon", Some(10)),
        ] {
            let headers = HeaderMap::from_iter([(header::RETRY_AFTER, HeaderValue::from_str(text).unwrap())]);
            assert_eq!(retry_after(&headers, now), wait.map(Duration::from_secs), "{text}");
        }
        assert_eq!(retry_after(&HeaderMap::new(), now), None);
        let several = ["10", "50", "soon"].map(|text| (header::RETRY_AFTER, HeaderValue::from_static(text)));
        let mut headers = HeaderMap::new();
        headers.extend(several);
        assert_eq!(retry_after(&headers, now), Some(Duration::from_secs(50)));
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
        assert_eq!(kept[1].1.len(), MAX_KEPT_HEADER_BYTES);
    }
}
