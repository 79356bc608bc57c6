//! Which attempts a list shows, and how much of each.

use chrono::{DateTime, Utc};
use serde::Deserialize;
use utoipa::IntoParams;

use crate::api::conventions::moment::optional_moment;
use crate::api::credential::Caller;
use crate::api::error::ApiError;
use crate::store::{AttemptFilter, AttemptRecord, MessageFilter, StatusClass, TimeBounds};

use super::shape::AttemptOut;

/// Which attempts to list.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct ListQuery {
    /// 0: only those that delivered; 2: only those that failed. Attempts are recorded when they have ended, so the
    /// others (1: pending, 3: sending, 4: canceled) find none.
    #[param(minimum = 0, maximum = 4)]
    status: Option<u8>,
    /// Only answers of that class: 100, 200, 300, 400 or 500; 0 for none at all.
    status_code_class: Option<u16>,
    /// Only of messages in this channel.
    channel: Option<String>,
    /// Only of messages with this tag.
    tag: Option<String>,
    /// Only those made before.
    #[serde(default, deserialize_with = "optional_moment")]
    before: Option<DateTime<Utc>>,
    /// Only those made then or later.
    #[serde(default, deserialize_with = "optional_moment")]
    after: Option<DateTime<Utc>>,
    /// Whether to show what the receiver answered.
    #[param(default = true)]
    pub(super) with_content: Option<bool>,
    /// Whether to show the message, without its payload.
    #[param(default = false)]
    with_msg: Option<bool>,
    /// Whether to tell canceled attempts from delivered ones. No attempt is ever canceled, so it changes nothing.
    #[param(default = false)]
    #[serde(rename = "expanded_statuses")]
    _expanded_statuses: Option<bool>,
}

/// At which endpoint.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct EndpointQuery {
    /// Only at this endpoint, by id or `uid`.
    pub(super) endpoint_id: Option<String>,
}

impl ListQuery {
    /// `None` when no attempt can match.
    pub(super) fn filter(&mut self, event_types: Vec<String>) -> Result<Option<AttemptFilter>, ApiError> {
        let delivered = match self.status {
            None => None,
            Some(0) => Some(true),
            Some(2) => Some(false),
            Some(1 | 3 | 4) => return Ok(None),
            Some(_) => return Err(ApiError::invalid(&["query", "status"], "is no status", "value_error")),
        };
        let status_class = match self.status_code_class {
            None => None,
            Some(0) => Some(StatusClass::None),
            Some(class @ (100 | 200 | 300 | 400 | 500)) => {
                Some(StatusClass::Hundreds(class.cast_signed() / 100))
            }
            Some(_) => {
                let loc = ["query", "status_code_class"];
                return Err(ApiError::invalid(&loc, "is no class of status codes", "value_error"));
            }
        };
        Ok(Some(AttemptFilter {
            delivered,
            status_class,
            made: TimeBounds { since: self.after, until: self.before },
            message: MessageFilter {
                event_types,
                channel: self.channel.take(),
                tag: self.tag.take(),
                accepted: TimeBounds::default(),
            },
        }))
    }

    /// An attempt as this caller sees it.
    pub(super) fn shape(&self, row: AttemptRecord, caller: &Caller) -> Result<AttemptOut, ApiError> {
        Ok(AttemptOut::of(row, self.with_msg.unwrap_or(false))?.shown_to(caller))
    }
}
