//! Times in queries: RFC 3339. One without a zone is taken as UTC, because some client libraries leave it out.

use chrono::{DateTime, Datelike, NaiveDateTime, Utc};
use serde::{Deserialize, Deserializer, de};

fn parse(text: &str) -> Option<DateTime<Utc>> {
    let zoned = text.parse::<DateTime<Utc>>().ok();
    let moment = zoned.or_else(|| text.parse::<NaiveDateTime>().ok().map(|naive| naive.and_utc()));
    moment.filter(is_usual)
}

/// Whether a year has four digits, as RFC 3339 has it. The database's times do not reach as far back as ours.
pub(in crate::api) fn is_usual(moment: &DateTime<Utc>) -> bool {
    (0..=9999).contains(&moment.year())
}

/// Goes with `#[serde(default, deserialize_with = "optional_moment")]`.
pub(in crate::api) fn optional_moment<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<DateTime<Utc>>, D::Error> {
    let Some(text) = Option::<String>::deserialize(deserializer)? else { return Ok(None) };
    let wrong = || de::Error::custom("must be a time as in RFC 3339, such as 2026-01-31T12:00:00Z");
    parse(&text).map(Some).ok_or_else(wrong)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_without_a_zone_is_utc() {
        let moment = parse("2026-01-31T12:00:00Z").unwrap();
        for text in ["2026-01-31T13:00:00+01:00", "2026-01-31T12:00:00", "2026-01-31T12:00:00.000000+00:00"] {
            assert_eq!(parse(text), Some(moment), "{text}");
        }
        for text in ["2026-01-31", "yesterday", "12:00:00Z", "1769860800", "-200000-01-01T00:00:00Z"] {
            assert_eq!(parse(text), None, "{text}");
        }
    }
}
