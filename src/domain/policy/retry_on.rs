//! Which failures are tried again. What is not is final: the delivery becomes a dead letter at once.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

/// A list has no more entries.
pub const MAX_ENTRIES: usize = 32;

/// What an attempt failed by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FailedBy {
    /// There was no connection, or it broke.
    Network,
    /// There was no complete answer in time.
    Timeout,
    /// An answer of that status.
    Status(u16),
}

/// What a list of failures to try again says: each entry is a status, a class of statuses, or a word.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Vec<String>", into = "Vec<String>")]
pub struct RetryOn {
    entries: Arc<[Entry]>,
}

/// One entry: failures that are tried again, or, with a `!` before it, that are not.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Entry {
    subject: Subject,
    is_excluded: bool,
}

/// Which failures, from the widest to the narrowest.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Subject {
    /// `all`.
    Everything,
    /// `network`: there was no connection, or it broke.
    Network,
    /// `timeout`: there was no complete answer in time.
    Timeout,
    /// `5xx`: answers of that hundred.
    Class(u16),
    /// `503`: answers with that status.
    Status(u16),
}

/// Why a text is no entry.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InvalidRetryOn {
    /// It is none of the words, and no status that a failure may have.
    #[error(
        "`{0}` is none of `all`, `network`, `timeout`, a class such as `5xx` and a status such as `503`, with or without a `!` before it"
    )]
    Unknown(String),
    /// 410 says that the receiver wants no more.
    #[error("410 is always final: it disables the endpoint")]
    Gone,
    /// More than [`MAX_ENTRIES`].
    #[error("may have {MAX_ENTRIES} entries at most")]
    TooMany,
}

impl RetryOn {
    /// Reads a list.
    ///
    /// # Errors
    /// [`InvalidRetryOn`] for the first entry that is none, and for a list that is too long.
    pub fn parse<'a>(texts: impl Iterator<Item = &'a str>) -> Result<Self, InvalidRetryOn> {
        let entries: Arc<[Entry]> = texts.map(str::parse).collect::<Result<_, _>>()?;
        if entries.len() > MAX_ENTRIES { Err(InvalidRetryOn::TooMany) } else { Ok(Self { entries }) }
    }

    /// Whether a failure is tried again. The narrowest entry about it decides; what no entry is about is final, unless the
    /// list consists of exclusions alone.
    pub fn covers(&self, failed: FailedBy) -> bool {
        let about = self.entries.iter().filter(|entry| entry.subject.is_of(failed));
        let narrowest = about.max_by_key(|entry| entry.subject);
        narrowest.map_or_else(
            || !self.entries.is_empty() && self.entries.iter().all(|entry| entry.is_excluded),
            |entry| !entry.is_excluded,
        )
    }

    /// What it takes in memory besides itself, in bytes.
    pub fn weight(&self) -> usize {
        size_of_val(&*self.entries)
    }
}

impl Default for RetryOn {
    /// Everything is tried again. That 410 is final does not depend on it.
    fn default() -> Self {
        Self { entries: Arc::new([Entry { subject: Subject::Everything, is_excluded: false }]) }
    }
}

impl Subject {
    fn is_of(self, failed: FailedBy) -> bool {
        match self {
            Self::Everything => true,
            Self::Network => failed == FailedBy::Network,
            Self::Timeout => failed == FailedBy::Timeout,
            Self::Class(hundred) => matches!(failed, FailedBy::Status(status) if status / 100 == hundred),
            Self::Status(status) => failed == FailedBy::Status(status),
        }
    }
}

impl FromStr for Entry {
    type Err = InvalidRetryOn;

    fn from_str(text: &str) -> Result<Self, InvalidRetryOn> {
        let unknown = || InvalidRetryOn::Unknown(text.chars().take(32).collect());
        let (is_excluded, name) = text.strip_prefix('!').map_or((false, text), |rest| (true, rest));
        let subject = match name {
            "all" => Subject::Everything,
            "network" => Subject::Network,
            "timeout" => Subject::Timeout,
            "3xx" => Subject::Class(3),
            "4xx" => Subject::Class(4),
            "5xx" => Subject::Class(5),
            "410" => return Err(InvalidRetryOn::Gone),
            _ if name.len() == 3 && name.bytes().all(|byte| byte.is_ascii_digit()) => {
                let status = name.parse().ok().filter(|status| (300..=999).contains(status));
                Subject::Status(status.ok_or_else(unknown)?)
            }
            _ => return Err(unknown()),
        };
        Ok(Self { subject, is_excluded })
    }
}

impl fmt::Display for Entry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.is_excluded { "!" } else { "" })?;
        match self.subject {
            Subject::Everything => f.write_str("all"),
            Subject::Network => f.write_str("network"),
            Subject::Timeout => f.write_str("timeout"),
            Subject::Class(hundred) => write!(f, "{hundred}xx"),
            Subject::Status(status) => write!(f, "{status}"),
        }
    }
}

impl TryFrom<Vec<String>> for RetryOn {
    type Error = InvalidRetryOn;

    fn try_from(texts: Vec<String>) -> Result<Self, InvalidRetryOn> {
        Self::parse(texts.iter().map(String::as_str))
    }
}

impl From<RetryOn> for Vec<String> {
    fn from(list: RetryOn) -> Self {
        list.entries.iter().map(ToString::to_string).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn list(text: &str) -> RetryOn {
        RetryOn::parse(text.split(' ').filter(|entry| !entry.is_empty())).unwrap()
    }

    /// Which of some failures a list has tried again.
    fn retried(text: &str) -> Vec<&'static str> {
        let failures = [
            ("network", FailedBy::Network),
            ("timeout", FailedBy::Timeout),
            ("302", FailedBy::Status(302)),
            ("404", FailedBy::Status(404)),
            ("429", FailedBy::Status(429)),
            ("503", FailedBy::Status(503)),
        ];
        let list = list(text);
        failures.iter().filter(|(_, failed)| list.covers(*failed)).map(|(name, _)| *name).collect()
    }

    #[test]
    fn the_narrowest_entry_decides() {
        let all = ["network", "timeout", "302", "404", "429", "503"];
        assert_eq!(retried("all"), all);
        assert_eq!(retried(""), [""; 0]);
        assert_eq!(retried("network timeout 5xx"), ["network", "timeout", "503"]);
        assert_eq!(retried("network timeout 5xx 429"), ["network", "timeout", "429", "503"]);
        assert_eq!(retried("!4xx"), ["network", "timeout", "302", "503"]);
        assert_eq!(retried("!4xx 429"), ["429"]);
        assert_eq!(retried("all !4xx 429"), ["network", "timeout", "302", "429", "503"]);
        assert_eq!(retried("all !timeout !503"), ["network", "302", "404", "429"]);
    }

    #[test]
    fn a_list_is_written_as_it_was_read_and_what_is_no_entry_is_named() {
        let text = ["all", "!network", "timeout", "!4xx", "429", "!599"];
        let read = RetryOn::parse(text.into_iter()).unwrap();
        assert_eq!(Vec::from(read), text);
        for wrong in ["", "5XX", "2xx", "200", "1000", "99", "!!400", "never"] {
            let refused = RetryOn::parse([wrong].into_iter()).unwrap_err();
            assert_eq!(refused, InvalidRetryOn::Unknown(wrong.to_owned()));
        }
        assert_eq!(RetryOn::parse(["!410"].into_iter()), Err(InvalidRetryOn::Gone));
        assert_eq!(RetryOn::parse(["500"; 33].into_iter()), Err(InvalidRetryOn::TooMany));
    }
}
