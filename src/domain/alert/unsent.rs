//! Why something could not be sent over a channel: a code for programs, and in words what came back.

use std::fmt;

use serde::Serialize;
use utoipa::ToSchema;

use crate::domain::delivery::attempt::Failure;

/// Why something could not be sent over a channel.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum UnsentReason {
    /// The channel's target does not open with the main secret of the node that tried.
    TargetSealed,
    /// No mail server is set.
    NoMailServer,
    /// The mail server did not take it, or could not be reached.
    MailNotTaken,
    /// The environment has no endpoint for operational webhooks.
    NoOperationalEndpoint,
    /// The message to operational webhooks could not be posted.
    NotPosted,
    /// It was answered with a status other than 2xx.
    Status,
    /// It was answered with a redirect, which is not followed.
    Redirect,
    /// It was answered with 410.
    Gone,
    /// It was answered with 429, 502 or 504.
    Overloaded,
    /// It took too long.
    Timeout,
    /// The name did not resolve.
    Dns,
    /// The egress policy refused the address.
    EgressRefused,
    /// No connection, or it broke.
    Connection,
    /// The TLS handshake failed.
    Tls,
    /// It could not be written, or its target cannot be read.
    Unsendable,
    /// An older version noted it.
    Unknown,
}

impl UnsentReason {
    /// All of them.
    pub const ALL: [Self; 16] = [
        Self::TargetSealed,
        Self::NoMailServer,
        Self::MailNotTaken,
        Self::NoOperationalEndpoint,
        Self::NotPosted,
        Self::Status,
        Self::Redirect,
        Self::Gone,
        Self::Overloaded,
        Self::Timeout,
        Self::Dns,
        Self::EgressRefused,
        Self::Connection,
        Self::Tls,
        Self::Unsendable,
        Self::Unknown,
    ];

    /// As stored.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::TargetSealed => "target_sealed",
            Self::NoMailServer => "no_mail_server",
            Self::MailNotTaken => "mail_not_taken",
            Self::NoOperationalEndpoint => "no_operational_endpoint",
            Self::NotPosted => "not_posted",
            Self::Status => "status",
            Self::Redirect => "redirect",
            Self::Gone => "gone",
            Self::Overloaded => "overloaded",
            Self::Timeout => "timeout",
            Self::Dns => "dns",
            Self::EgressRefused => "egress_refused",
            Self::Connection => "connection",
            Self::Tls => "tls",
            Self::Unsendable => "unsendable",
            Self::Unknown => "unknown",
        }
    }

    /// From the stored name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|reason| reason.name() == name)
    }
}

impl From<Failure> for UnsentReason {
    fn from(failure: Failure) -> Self {
        match failure {
            Failure::Status => Self::Status,
            Failure::Redirect => Self::Redirect,
            Failure::Gone => Self::Gone,
            Failure::Overloaded => Self::Overloaded,
            Failure::Timeout => Self::Timeout,
            Failure::Dns => Self::Dns,
            Failure::EgressRefused => Self::EgressRefused,
            Failure::Connection => Self::Connection,
            Failure::Tls => Self::Tls,
            Failure::Unsendable => Self::Unsendable,
        }
    }
}

/// What went wrong when something was to be sent over a channel. As text, as it is stored: `status 404: no such channel`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unsent {
    /// Why.
    pub reason: UnsentReason,
    /// With which status it was answered.
    pub status: Option<u16>,
    /// The beginning of the answer, or what else is known; may be empty.
    pub detail: String,
}

impl Unsent {
    /// Without an answer.
    pub fn because(reason: UnsentReason, detail: impl Into<String>) -> Self {
        Self { reason, status: None, detail: detail.into() }
    }

    /// From the stored text.
    #[must_use]
    pub fn parse(text: &str) -> Self {
        let (head, detail) = text.split_once(": ").unwrap_or((text, ""));
        let (name, status) = head.split_once(' ').map_or((head, None), |(name, status)| (name, Some(status)));
        let status = status.map(str::parse).transpose();
        match (UnsentReason::from_name(name), status) {
            (Some(reason), Ok(status)) => Self { reason, status, detail: detail.to_owned() },
            _ => Self::because(UnsentReason::Unknown, text),
        }
    }
}

impl fmt::Display for Unsent {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.reason.name())?;
        if let Some(status) = self.status {
            write!(formatter, " {status}")?;
        }
        if !self.detail.is_empty() {
            write!(formatter, ": {}", self.detail)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_went_wrong_is_read_as_it_was_written() {
        for reason in UnsentReason::ALL {
            assert_eq!(serde_json::to_value(reason).unwrap(), reason.name());
            for (status, detail) in
                [(None, ""), (Some(404), ""), (Some(500), "no: 12 of them"), (None, "why")]
            {
                let unsent = Unsent { reason, status, detail: detail.to_owned() };
                assert_eq!(Unsent::parse(&unsent.to_string()), unsent);
            }
        }
    }

    #[test]
    fn what_an_older_version_wrote_is_kept_as_words() {
        for text in ["it took too long", "status of 7: x", "no SMTP server is set (smtp_url, smtp_from)"] {
            assert_eq!(Unsent::parse(text), Unsent::because(UnsentReason::Unknown, text));
        }
    }
}
