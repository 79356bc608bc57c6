//! Operational webhooks: what an environment is told about the endpoints of its tenants, and under which names.

/// What happened.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum NoticeKind {
    /// An endpoint was created.
    EndpointCreated,
    /// An endpoint was changed, or its headers or its secret were.
    EndpointUpdated,
    /// An endpoint was deleted, by itself or with its application.
    EndpointDeleted,
    /// An endpoint was disabled: on request, by a 410, or because it only failed.
    EndpointDisabled,
    /// Deliveries have failed [`FAILING_ATTEMPTS`] times and are tried again.
    AttemptFailing,
    /// Deliveries failed at the last attempt that they had.
    AttemptExhausted,
    /// Deliveries that were failing arrived.
    AttemptRecovered,
    /// Deliveries became dead letters, for whatever reason.
    DeadLetterCreated,
}

/// A delivery is failing when this many attempts of its round have failed and another one follows.
pub const FAILING_ATTEMPTS: i16 = 4;

/// A notice names at most this many of the messages or dead letters that it is about.
pub const MAX_NAMED: usize = 100;

impl NoticeKind {
    /// All of them.
    pub const ALL: [Self; 8] = [
        Self::EndpointCreated,
        Self::EndpointUpdated,
        Self::EndpointDeleted,
        Self::EndpointDisabled,
        Self::AttemptFailing,
        Self::AttemptExhausted,
        Self::AttemptRecovered,
        Self::DeadLetterCreated,
    ];

    /// The event type, as stored and as receivers see it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::EndpointCreated => "endpoint.created",
            Self::EndpointUpdated => "endpoint.updated",
            Self::EndpointDeleted => "endpoint.deleted",
            Self::EndpointDisabled => "endpoint.disabled",
            Self::AttemptFailing => "message.attempt.failing",
            Self::AttemptExhausted => "message.attempt.exhausted",
            Self::AttemptRecovered => "message.attempt.recovered",
            Self::DeadLetterCreated => "dead_letter.created",
        }
    }

    /// From the name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.name() == name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_read_as_they_are_written() {
        assert!(NoticeKind::ALL.into_iter().all(|kind| NoticeKind::from_name(kind.name()) == Some(kind)));
        assert_eq!(NoticeKind::from_name("endpoint.paused"), None);
    }
}
