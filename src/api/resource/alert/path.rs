//! The paths of rules and channels.

use crate::api::conventions::path::{PathObject, PathParameter, PathValues, path_extractors};
use crate::api::credential::Caller;
use crate::api::error::ApiError;
use crate::api::state::ApiState;
use crate::store::{AlertChannel, AlertRule};

const RULE: PathParameter = PathParameter::new("alert_rule_id", "The alert rule's id.");
const CHANNEL: PathParameter = PathParameter::new("alert_channel_id", "The alert channel's id.");

/// A rule of the caller's environment.
pub(super) struct RulePath {
    pub(super) rule: AlertRule,
}

impl PathObject for RulePath {
    const PARAMETERS: &[PathParameter] = &[RULE];

    async fn find(values: &PathValues, caller: &Caller, state: &ApiState) -> Result<Self, ApiError> {
        let found = state.alerts.rule(caller.whole_environment()?, values.id(&RULE)?).await?;
        found.map(|rule| Self { rule }).ok_or(ApiError::NotFound)
    }
}

/// A channel of the caller's environment.
pub(super) struct ChannelPath {
    pub(super) channel: AlertChannel,
}

impl PathObject for ChannelPath {
    const PARAMETERS: &[PathParameter] = &[CHANNEL];

    async fn find(values: &PathValues, caller: &Caller, state: &ApiState) -> Result<Self, ApiError> {
        let found = state.alerts.channel(caller.whole_environment()?, values.id(&CHANNEL)?).await?;
        found.map(|channel| Self { channel }).ok_or(ApiError::NotFound)
    }
}

path_extractors!(RulePath, ChannelPath);
