//! Headers that are sent with one message, besides those of the endpoint. The producer sets them when it posts; where an
//! endpoint has one of the same name, the message's is sent.

use http::header::{CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue};
use serde_json::{Map, Value};

use super::endpoint::custom_header::{self, InvalidHeader};
use super::message::{MAX_HEADER_BYTES, MAX_HEADERS};

/// Headers that a message cannot have.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InvalidMessageHeaders {
    /// One of them.
    #[error(transparent)]
    Header(#[from] InvalidHeader),
    /// More than a message may have.
    #[error("a message has at most {MAX_HEADERS} headers, of {MAX_HEADER_BYTES} bytes together")]
    TooMany,
}

/// Reads the headers of a message. It may say what its content is; else it is bound as an endpoint is.
///
/// # Errors
/// [`InvalidMessageHeaders`] for the first that breaks a rule.
pub fn parse<'a>(
    pairs: impl IntoIterator<Item = (&'a str, &'a str)>,
) -> Result<HeaderMap, InvalidMessageHeaders> {
    let mut headers = HeaderMap::new();
    let mut bytes = 0;
    for (name, value) in pairs {
        bytes += name.len() + value.len();
        if headers.len() == MAX_HEADERS || bytes > MAX_HEADER_BYTES {
            return Err(InvalidMessageHeaders::TooMany);
        }
        let (name, mut value) = custom_header::parse_any(name, value)?;
        if name != CONTENT_TYPE && custom_header::is_forbidden(&name) {
            return Err(InvalidHeader::Forbidden(name).into());
        }
        // Keeps it out of HPACK's table.
        value.set_sensitive(custom_header::is_sensitive(&name));
        if headers.insert(name.clone(), value).is_some() {
            return Err(InvalidHeader::Repeated(name).into());
        }
    }
    Ok(headers)
}

/// The document to store; `None` when there are no headers.
pub fn to_document(headers: &HeaderMap) -> Option<Value> {
    let text = |value: &HeaderValue| Some(Value::from(value.to_str().ok()?));
    let fields: Map<String, Value> =
        headers.iter().filter_map(|(name, value)| Some((name.to_string(), text(value)?))).collect();
    (!fields.is_empty()).then_some(Value::Object(fields))
}

/// The headers of a stored document. What cannot be sent any more is left out, whoever stored it.
pub fn from_document(document: Option<Value>) -> HeaderMap {
    let Some(Value::Object(fields)) = document else { return HeaderMap::new() };
    let pairs = fields.iter().filter_map(|(name, value)| {
        let name = name.parse::<HeaderName>().ok()?;
        let value = value.as_str()?.parse::<HeaderValue>().ok()?;
        (name == CONTENT_TYPE || !custom_header::is_forbidden(&name)).then_some((name, value))
    });
    pairs
        .map(|(name, mut value)| {
            value.set_sensitive(custom_header::is_sensitive(&name));
            (name, value)
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_may_say_what_it_is_and_no_more_than_an_endpoint_else() {
        let headers =
            parse([("Content-Type", "text/csv"), ("Authorization", "Bearer x"), ("X-A", "1")]).unwrap();
        assert_eq!((headers.len(), headers["content-type"].as_bytes()), (3, &b"text/csv"[..]));
        assert!(headers["authorization"].is_sensitive());
        for name in ["content-length", "host", "webhook-id", "svix-id", "user-agent", "x-forwarded-for"] {
            let refused = parse([(name, "x")]).unwrap_err();
            assert!(matches!(refused, InvalidMessageHeaders::Header(InvalidHeader::Forbidden(_))), "{name}");
        }
        assert!(parse([("x-a", "1"), ("X-A", "2")]).is_err() && parse([("x-a", "a\nb")]).is_err());
    }

    #[test]
    fn headers_are_bounded_in_number_and_in_all() {
        let names: Vec<String> = (0..=MAX_HEADERS).map(|number| format!("x-{number}")).collect();
        let pairs = || names.iter().map(|name| (name.as_str(), "1"));
        assert_eq!(parse(pairs()), Err(InvalidMessageHeaders::TooMany));
        assert_eq!(parse(pairs().take(MAX_HEADERS)).map(|headers| headers.len()), Ok(MAX_HEADERS));
        assert_eq!(
            parse([("x-a", "a".repeat(MAX_HEADER_BYTES).as_str())]),
            Err(InvalidMessageHeaders::TooMany)
        );
    }

    #[test]
    fn headers_read_back_as_they_were_stored() {
        let headers = parse([("content-type", "text/csv"), ("x-a", "1")]).unwrap();
        assert_eq!(from_document(to_document(&headers)), headers);
        assert_eq!(to_document(&HeaderMap::new()), None);
        let forged = serde_json::json!({"host": "elsewhere", "x-a": "1", "x-b": 7});
        assert_eq!(from_document(Some(forged)).len(), 1);
    }
}
