//! What a stream is about.

use crate::api::error::ApiError;

/// What a stream tells.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Topics {
    pub(super) messages: bool,
    pub(super) attempts: bool,
    pub(super) counters: bool,
}

impl Topics {
    /// From names with commas between them.
    ///
    /// # Errors
    /// [`ApiError::Invalid`] for a name that is not known, and for none at all.
    pub(super) fn parse(text: &str) -> Result<Self, ApiError> {
        let mut topics = Self::default();
        for name in text.split(',') {
            match name.trim() {
                "message" => topics.messages = true,
                "attempt" => topics.attempts = true,
                "counters" => topics.counters = true,
                _ => {
                    let msg = "must be any of message, attempt and counters, separated by commas";
                    return Err(ApiError::invalid(&["query", "topics"], msg, "value_error"));
                }
            }
        }
        Ok(topics)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn topics_are_named() {
        let both = Topics { messages: true, counters: true, attempts: false };
        assert_eq!(Topics::parse("message, counters"), Ok(both));
        for wrong in ["", ",", "messages", "message,,attempt"] {
            assert!(Topics::parse(wrong).is_err(), "{wrong}");
        }
    }
}
