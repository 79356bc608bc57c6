//! What is exported.

use std::str::FromStr;

use chrono::{DateTime, Utc};
use serde::Deserialize;
use utoipa::IntoParams;

use crate::api::conventions::moment::optional_moment;
use crate::api::error::ApiError;
use crate::store::{ListedContent, TimeBounds};

use super::PAGE_BYTES;

/// What to export.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct ExportQuery {
    /// Only of messages that were accepted then or later.
    #[serde(default, deserialize_with = "optional_moment")]
    since: Option<DateTime<Utc>>,
    /// Only of messages that were accepted before.
    #[serde(default, deserialize_with = "optional_moment")]
    until: Option<DateTime<Utc>>,
    /// Goes on after this line: its `id`; of an attempt its `msgId` and its `id`, joined by a point.
    #[param(max_length = 128)]
    cursor: Option<String>,
    /// Whether payloads, and what receivers answered, are among it.
    #[param(default = true)]
    with_content: Option<bool>,
}

impl ExportQuery {
    /// The time that is meant.
    pub(super) fn bounds(&self) -> TimeBounds {
        TimeBounds { since: self.since, until: self.until }
    }

    /// Whether content is among it.
    pub(super) fn with_content(&self) -> bool {
        self.with_content.unwrap_or(true)
    }

    /// How much content a page has.
    pub(super) fn content(&self) -> ListedContent {
        if self.with_content() { ListedContent::Within(PAGE_BYTES) } else { ListedContent::Without }
    }

    /// The line after which it goes on.
    ///
    /// # Errors
    /// [`ApiError::Invalid`] when it is none.
    pub(super) fn cursor<K: FromStr>(&self) -> Result<Option<K>, ApiError> {
        self.cursor.as_deref().map(parsed).transpose()
    }

    /// The same of an attempt: its message, and itself.
    ///
    /// # Errors
    /// [`ApiError::Invalid`] when it is none.
    pub(super) fn pair<M: FromStr, K: FromStr>(&self) -> Result<Option<(M, K)>, ApiError> {
        let Some(text) = &self.cursor else { return Ok(None) };
        let (message, attempt) = text.split_once('.').ok_or_else(not_a_cursor)?;
        Ok(Some((parsed(message)?, parsed(attempt)?)))
    }
}

fn parsed<K: FromStr>(text: &str) -> Result<K, ApiError> {
    text.parse().map_err(|_| not_a_cursor())
}

fn not_a_cursor() -> ApiError {
    ApiError::invalid(&["query", "cursor"], "is not the end of a line of this export", "value_error")
}

#[cfg(test)]
mod tests {
    use crate::domain::id::{AttemptId, MessageId};

    use super::*;

    fn query(cursor: &str) -> ExportQuery {
        ExportQuery { since: None, until: None, cursor: Some(cursor.to_owned()), with_content: None }
    }

    #[test]
    fn a_cursor_is_the_end_of_a_line() {
        let (message, attempt) = (MessageId::generate(), AttemptId::generate());
        assert_eq!(query(&message.to_string()).cursor::<MessageId>().unwrap(), Some(message));
        let pair = query(&format!("{message}.{attempt}")).pair::<MessageId, AttemptId>().unwrap();
        assert_eq!(pair, Some((message, attempt)));
        for wrong in ["", "msg_", "x", &attempt.to_string(), &format!("{attempt}.{message}")] {
            assert!(query(wrong).cursor::<MessageId>().is_err(), "{wrong}");
            assert!(query(wrong).pair::<MessageId, AttemptId>().is_err(), "{wrong}");
        }
    }
}
